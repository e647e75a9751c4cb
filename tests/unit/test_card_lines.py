"""How long a card may be, and that it says a fact once: over many records put together by chance."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Band, Basis, Days, Drug, Evidence, Order, Plausible, Record, Site, Status
from service.cards import Call, cards_of
from service.decision import decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import TODAY, days_ago, drug, finding, record_of_example, result, twitch

KNOWLEDGE = load_knowledge()
TABLE = KNOWLEDGE.table
CALL = Call("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "https://cds.example", "Patient/p", "e1")
EXAMPLES = [record_of_example(example.given) for row in TABLE.rows for example in row.examples]
CLASSES = sorted(KNOWLEDGE.terminology.medications.class_labels)
LONG_NAME = (
    "a medicine of that very long name which somebody wrote out, with strength and **form**, 100 mg/5 ml"
)
SITES = (Site("hand", "hand", "arms", "right"), Site("thigh", "thigh", "legs"), Site("calf", "calf", "legs"))


def by_chance(chance: random.Random) -> Record:
    """Two to twenty examples of rows in one record, or every fact set by chance."""
    record = EXAMPLES[0]
    if chance.random() < 0.5:
        for other in chance.sample(EXAMPLES, chance.choice((2, 3, 4, 6, 10, 20))):
            record = replace(
                record,
                findings={**other.findings, **record.findings},
                drugs=record.drugs + other.drugs,
                results=record.results + other.results,
                twitch=record.twitch if record.twitch.sites else other.twitch,
                patient=chance.choice((record.patient, other.patient)),
            )
        return record
    names = chance.sample(sorted(KNOWLEDGE.terminology.findings), chance.randrange(30))
    said = ("examined", "listed", "reported", "absent")
    drugs = tuple(
        replace(
            drug(name, chance.choice(("yes", "possible"))),
            name=chance.choice((name, LONG_NAME, f"{name} {LONG_NAME}")),
            start=Days(days_ago(30), days_ago(chance.choice((30, 20)))),
        )
        for name in chance.sample(CLASSES, chance.randrange(8))
    )
    bands = ("low", "high", "critical", "in-range", "not-judged")
    analytes = sorted(KNOWLEDGE.terminology.analytes)
    results = tuple(
        result(name, chance.choice(bands), chance.choice((0, 3, 20, 120)), text="1234.5678")
        for name in chance.sample(analytes, chance.randrange(12))
    )
    one = twitch(chance.choice((None, 0, 1, 5, 20, 150, 900)))
    return replace(
        record,
        twitch=replace(
            one,
            sites=tuple(chance.sample(SITES, chance.randrange(4))),
            courses=frozenset(chance.sample(["worsening", "spreading", "continuous"], chance.randrange(3))),
            in_words=chance.random() < 0.1,
        ),
        findings={name: finding(name, chance.choice(said)) for name in names if name != "fasciculation"},
        drugs=drugs,
        results=results,
        orders=tuple(
            Order(
                frozenset({action}), days_ago(5), chance.choice(("routine", "urgent", "stat")), reference="x"
            )
            for action in chance.sample(sorted(TABLE.actions), chance.randrange(4))
        ),
        not_seen=chance.choice(((), ("conditions", "findings"), ("findings",), ("labs", "orders"))),
    )


def card(record: Record) -> dict[str, Any] | None:
    cards = cards_of(decide(record, TABLE), KNOWLEDGE, CALL)
    return cards[0] if cards else None


def parts(detail: str) -> tuple[str, str]:
    above, _, below = detail.partition("\n\n---\n\n")
    return above, below


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("seed", range(4))
def test_a_card_keeps_its_limits(seed: int) -> None:
    chance = random.Random(seed)
    shown = 0
    for _ in range(150):
        made = card(by_chance(chance))
        if made is None:
            continue
        shown += 1
        above, below = parts(made["detail"])
        assert 0 < len(lines(above)) <= 12, made["detail"]
        assert len(above.split()) <= 110, made["detail"]
        assert len(lines(made["detail"])) <= 30, made["detail"]
        assert 0 < len(made["summary"]) < 140
        assert below
        # Sentences end once, and no name stays unfilled.
        assert not re.search(r"[?.]\.(?!\.)|\{|\}|, ,|;;| ;|\bNone\b", above.replace("…", "")), above
        assert not re.search(r"\b1 (days|months|years)\b", made["detail"] + made["summary"])
    assert shown > 100


def facts_in(text: str, record: Record) -> list[str]:
    """The facts that the text names: results, medicines, findings, how long and since when."""
    found: list[str] = []
    for name in {item.name.split()[0] for item in record.drugs}:
        found += re.findall(rf"\b{re.escape(name)}\b(?!-)", text)
    return found + re.findall(r"\b\d+ (?:days|months|years)\b", text)


@pytest.mark.parametrize("seed", range(4))
def test_no_line_above_the_rule_repeats_a_fact(seed: int) -> None:
    chance = random.Random(100 + seed)
    for _ in range(100):
        record = by_chance(chance)
        drugs = {item.name: item for item in record.drugs if item.name in item.classes}
        record = replace(record, drugs=tuple(drugs.values()))
        decision = decide(record, TABLE)
        for made in cards_of(decision, KNOWLEDGE, CALL):
            above, _ = parts(made["detail"])
            found = facts_in(above, record)
            twice = {fact for fact in found if found.count(fact) > 1}
            assert not twice, above
            because = next(line for line in lines(above) if line.startswith("**Because:**"))
            for rows in decision.recommendations:
                for one in rows.results:
                    label = KNOWLEDGE.terminology.analytes[one.analyte].label
                    assert f"{label} {one.text}" not in because


def signs(**said: str) -> Record:
    record = record_of_example({name.replace("_", "-"): basis for name, basis in said.items()})
    return replace(record, twitch=replace(twitch(120, ("hand",)), sites=(SITES[0],)))


def test_the_most_urgent_action_is_first_and_the_rule_stands_alone() -> None:
    made = card(signs(weakness="examined", atrophy="examined"))
    assert made is not None
    assert made["detail"].startswith("1. **Refer to neurology, urgent: within two weeks.**\n2. ")
    # A rule right below a line would make that line a heading.
    assert "\n\n---\n\n" in made["detail"]
    assert (
        "**Because:** weakness, wasting (examined 2026-11-24); right hand twitch 4 months." in made["detail"]
    )


def test_motor_neurone_disease_is_named_only_where_nothing_explains_the_signs() -> None:
    both = {"weakness": "examined", "atrophy": "examined"}
    says = "Consider motor neurone disease; say so in the referral."
    assert says in card(signs(**both))["detail"]  # type: ignore[index]
    for more in (
        {"sensory_loss": "examined"},
        {"multiple_sclerosis": "listed"},
        {"central_lesion": "listed"},
    ):
        assert "motor neurone" not in card(signs(**both, **more))["detail"]  # type: ignore[index]
    assert says in card(signs(**both, sensory_loss="reported"))["detail"]  # type: ignore[index]
    assert "motor neurone" not in card(signs(weakness="examined"))["detail"]  # type: ignore[index]


def test_what_was_not_seen_is_first_unless_something_is_urgent() -> None:
    calm = replace(record_of_example({}), not_seen=("conditions",))
    assert card(calm)["detail"].startswith("Conditions were not seen.\n\n1. ")  # type: ignore[index]
    grave = replace(signs(weakness="examined", atrophy="examined"), not_seen=("conditions", "findings"))
    above = lines(card(grave)["detail"])  # type: ignore[index]
    assert above[1] == "Conditions, examination and symptom records were not seen."
    assert above[2].startswith("2. ")


def test_urgent_actions_that_are_all_ordered_lead_the_card() -> None:
    order = Order(frozenset({"neurology-referral"}), days_ago(5), "urgent", reference="ServiceRequest/1")
    made = card(replace(signs(weakness="examined", atrophy="examined"), orders=(order,)))
    assert made is not None
    assert made["indicator"] == "warning"
    assert made["summary"].startswith("Urgent neurology referral made 19 Nov")
    assert made["detail"].startswith("**Urgent neurology referral made 19 Nov.**")


@pytest.mark.parametrize(("days", "gone"), [(10, "1 Dec"), (2, "6 Dec"), (14, "1 Dec"), (None, "8 Dec")])
def test_come_back_has_a_date(days: int | None, gone: str) -> None:
    normal = dict.fromkeys(TABLE.benign_signs, "absent")
    record = replace(record_of_example(normal), twitch=twitch(days, ("hand",)))
    assert f"not gone by {gone}" in card(record)["detail"]  # type: ignore[index]


def test_come_back_says_only_what_is_not_true_yet() -> None:
    normal = dict.fromkeys(TABLE.benign_signs, "absent")
    record = replace(record_of_example(normal), twitch=twitch(15, ("hand",), ("worsening",)))
    detail = card(record)["detail"]  # type: ignore[index]
    assert "not gone by" not in detail
    assert "gets worse" not in detail
    assert "**Come back if** a limb gets weak, thin or numb" in detail
    assert "Come back" not in card(signs(weakness="reported"))["detail"]  # type: ignore[index]


def test_a_conflict_shows_both_records() -> None:
    said = finding("weakness", "examined")
    old = Evidence("Observation/1", "x", "", Status.ABSENT, Basis.REPORTED, days_ago(40), used=False)
    said = replace(said, conflict=True, evidence=(old,))
    record = replace(record_of_example({}), findings={"weakness": said})
    detail = card(record)["detail"]  # type: ignore[index]
    assert "present, examined 2026-11-24 (used); absent, reported 2026-10-15 (not used)" in detail


def test_a_problem_list_is_never_an_examination() -> None:
    listed = finding("weakness", "listed", days_ago(2000))
    record = replace(record_of_example({}), findings={"weakness": listed})
    detail = card(record)["detail"]  # type: ignore[index]
    assert "on the problem list since 2021" in detail
    assert "examined 2" not in detail


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (0, "since today"),
        (1, "since yesterday"),
        (2, "2 days"),
        (59, "59 days"),
        (60, "2 months"),
        (715, "23 months"),
        (731, "2 years"),
        (1100, "3 years"),
    ],
)
def test_how_long(days: int, says: str) -> None:
    record = replace(record_of_example({}), twitch=twitch(days, ("calf",)))
    assert f"calf twitch {says}" in card(record)["summary"]  # type: ignore[index]


def test_medicines_that_no_row_reads_are_counted() -> None:
    others = tuple(Drug(f"name {n}", plausible=Plausible.POSSIBLE, recognised=False) for n in range(12))
    record = replace(record_of_example({}), drugs=(drug("thiazide-diuretic"), *others))
    detail = card(record)["detail"]  # type: ignore[index]
    assert "12 other medicines, not judged" in detail
    assert "name 3" not in detail


def test_a_result_has_at_most_four_digits_and_its_kind() -> None:
    low = result(
        "calcium", "low", text="2.01234", kind="adjusted-by-albumin", albumin="18 g/L", measured="1.57"
    )
    record = replace(record_of_example({}), results=(low,))
    above, below = parts(card(record)["detail"])  # type: ignore[index]
    assert "2.012 mmol/L" in above
    assert "2.01234" not in above + below
    assert "adjusted for albumin 18 g/L, total 1.57" in above
    assert low.band is Band.OUT_OF_RANGE
    assert record.as_of == TODAY


@pytest.mark.parametrize("sign", ["coordination", "upper-motor-sign", "rigidity", "bulbar", "movement"])
def test_an_examination_is_not_called_normal_beside_a_sign(sign: str) -> None:
    examined = dict.fromkeys(("weakness", "atrophy", "sensory-loss"), "absent")
    made = card(record_of_example({"sites": ["calf"], "onset_days_ago": 10, **examined, sign: "examined"}))
    assert made is not None
    assert "examination normal" not in made["summary"] + made["detail"]
    well = card(record_of_example({"sites": ["calf"], "onset_days_ago": 10, **examined}))
    assert well is not None
    assert "examination normal" in well["summary"]
