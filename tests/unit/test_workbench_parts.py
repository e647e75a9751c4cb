"""Parts of the workbench by themselves: Markdown, curl, columns and reasons."""

from __future__ import annotations

import shlex
import subprocess
from datetime import date
from typing import Any

import pytest

from fhir_mappings.record import Basis, Days, Evidence, Finding, Record, Status, Twitch
from service.decision import Decision, decide
from service.knowledge import Knowledge
from service.knowledge.page_contents import Explained
from service.workbench.columns import Column, columns_of
from service.workbench.markdown import html_of
from service.workbench.view import Reason, curl_of, reasons_of

AS_OF = date(2026, 6, 15)


def seen(name: str, status: Status) -> Finding:
    evidence = Evidence("Observation/1", "Observation.code", name, status, Basis.EXAMINED, AS_OF)
    return Finding(name, status, Basis.EXAMINED, evidence=(evidence,))


def decided(knowledge: Knowledge, *findings: Finding, **more: Any) -> Decision:
    twitch = Twitch(Status.PRESENT, onset=Days(date(2026, 6, 10), date(2026, 6, 10)))
    record = Record(AS_OF, twitch=twitch, findings={one.id: one for one in findings}, **more)
    return decide(record, knowledge.table)


def columns(knowledge: Knowledge, *findings: Finding) -> dict[str, Column]:
    sources = Explained(knowledge).sources
    return {one.label: one for one in columns_of(decided(knowledge, *findings), knowledge, sources)}


def reasons(knowledge: Knowledge, *findings: Finding) -> dict[str, Reason]:
    found = reasons_of(decided(knowledge, *findings), knowledge, Explained(knowledge))
    return {one.row.id: one for one in found}


def test_without_a_twitch_neither_side_is_said_of_it(knowledge: Knowledge) -> None:
    record = Record(
        AS_OF, twitch=Twitch(Status.ABSENT), findings={"weakness": seen("weakness", Status.ABSENT)}
    )
    found = columns_of(decide(record, knowledge.table), knowledge, Explained(knowledge).sources)
    assert not any(side.lit for one in found for side in (one.benign, one.disease))
    assert any(side.lit for one in columns(knowledge).values() for side in (one.benign, one.disease))


@pytest.mark.parametrize(
    "hostile",
    ["<b onclick=x>a</b>", "<script>x</script>", "[a](javascript:x)", "![a](http://x/y.png)", "<http://x>",
     "[a]: http://x\n\n[a]", "<!-- x -->"],
)  # fmt: skip
def test_only_tags_of_text_come_out_of_markdown(hostile: str) -> None:
    """Also where the card's own escaping failed."""
    html = html_of(hostile, "Table")
    for active in ("<b", "<script", "<a", "<img", "href", "src", "<!--"):
        assert active not in html
    assert html_of("**a**", "Table") == "<p><strong>a</strong></p>\n"


def test_a_table_has_a_name_and_each_cell_its_column() -> None:
    html = html_of("| Feature | Recorded |\n|---|---|\n| Site | *calf* |", "Table of card 2")
    assert '<table aria-label="Table of card 2">' in html
    assert 'tabindex="0"' in html
    assert '<th scope="col">Feature</th>' in html
    assert '<td data-label="Feature">Site</td>' in html
    assert '<td data-label="Recorded"><em>calf</em></td>' in html


@pytest.mark.parametrize("text", ['{"a": 1}', '{"a": "it\'s $HOME `id`"}', '{\n"a": 1}\nJSON\nJSON_END\n{'])
def test_a_shell_passes_on_what_the_command_holds(text: str) -> None:
    command = curl_of("http://127.0.0.1:8000", "/evaluate?asOf=2026-06-15", text)
    head, _, rest = command.partition("\n")
    words = shlex.split(head.partition(" <<")[0])
    assert words == [
        "curl", "-s", "-H", "Content-Type: application/fhir+json", "--data-binary", "@-",
        "http://127.0.0.1:8000/evaluate?asOf=2026-06-15",
    ]  # fmt: skip
    script = f"cat <<{head.partition('<<')[2]}\n{rest}"
    passed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert passed == text + "\n"


def test_a_call_has_its_own_type_and_a_long_one_comes_from_a_file() -> None:
    assert "Content-Type: application/json'" in curl_of("http://x", "/cds-services/a", "{}")
    assert "@request.json" in curl_of("http://x", "/evaluate", "x" * 200_000)


def test_a_sign_that_is_absent_lies_on_the_benign_side_whatever_goes_with_it(knowledge: Knowledge) -> None:
    label = "Sensory loss"
    absent = columns(knowledge, seen("sensory-loss", Status.ABSENT))[label]
    assert (absent.benign.lit, absent.disease.lit) == (True, False)
    tingling = columns(knowledge, seen("sensory-loss", Status.ABSENT), seen("tingling", Status.PRESENT))[
        label
    ]
    assert (tingling.benign.lit, tingling.disease.lit) == (False, True)
    unknown = columns(knowledge)[label]
    assert (unknown.benign.lit, unknown.disease.lit) == (False, False)
    assert unknown.recorded == ("not recorded",)


def test_unknown_is_on_neither_side_and_a_short_time_on_one(knowledge: Knowledge) -> None:
    found = columns(knowledge)
    assert found["Duration"].benign.lit
    for label in ("Site", "Weakness", "Background"):
        assert not found[label].benign.lit
        assert not found[label].disease.lit


def test_a_reason_says_what_met_it_and_never_what_is_not_there(knowledge: Knowledge) -> None:
    weak = reasons(knowledge, seen("weakness", Status.PRESENT), seen("atrophy", Status.ABSENT))
    assert [text.partition(":")[0] for text in weak["weakness"].met] == ["weakness"]
    # "Not an eyelid alone" is part of the rule, and no reason.
    twitch = Twitch(Status.PRESENT, onset=Days(date(2026, 1, 1), date(2026, 1, 1)))
    lasting = decide(Record(AS_OF, twitch=twitch), knowledge.table)
    (persistent,) = [
        r for r in reasons_of(lasting, knowledge, Explained(knowledge)) if r.row.id == "persistent"
    ]
    assert persistent.met == ("twitching for more than 14 days",)
    assert all(claim["says"] for one in weak.values() for s in one.supports for claim in s["claims"])


def test_the_gravest_row_comes_first(knowledge: Knowledge) -> None:
    found = reasons_of(
        decided(knowledge, seen("bulbar", Status.PRESENT), seen("weakness", Status.PRESENT)),
        knowledge,
        Explained(knowledge),
    )
    levels = [one.row.level for one in found]
    assert {"critical", "warning"} <= set(levels)
    assert levels == sorted(levels, key=["critical", "warning", "info"].index)


def test_a_list_that_goes_on_keeps_its_numbers() -> None:
    """As on the card: what was not seen stands between an urgent action and the others."""
    html = html_of("1. Refer.\n\nConditions were not seen.\n\n2. Test.\n3. Study.", "card")
    assert html.count("<ol>") == 1
    assert '<ol start="2">' in html
