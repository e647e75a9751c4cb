"""Every example of every row, as the clinician wrote it, and the rows themselves as the model says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from service.decision.table import ROUTINE, URGENT, Example, Row, RowAction
from service.knowledge import load_knowledge
from tests.knowledge.patients import outcome_of_example

TABLE = load_knowledge().table
EXAMPLES = [(row, example) for row in TABLE.rows for example in row.examples]


def fires(row: str, given: Mapping[str, Any]) -> bool:
    return any(fired.id == row for fired in outcome_of_example(given, TABLE).rows)


@pytest.mark.parametrize(("row", "example"), EXAMPLES, ids=[f"{r.id}: {e.title}" for r, e in EXAMPLES])
def test_example(row: Row, example: Example) -> None:
    assert fires(row.id, example.given) is example.holds


# Section 3 of the model: row, level, actions, roles. "!" urgent, "!!" now, "~" for the paediatric team,
# "?" to be considered, "@4" in four weeks.
MODEL = [
    ("not-examined", "info", "ask-examination", ""),
    ("weakness", "warning", "neurology-referral emg ncs creatine-kinase electrolytes thyroid", ""),
    ("weakness-reported", "warning", "ask-examination electrolytes thyroid", ""),
    ("atrophy", "warning", "emg ncs creatine-kinase electrolytes thyroid", ""),
    ("atrophy-reported", "warning", "ask-examination emg ncs electrolytes thyroid", ""),
    ("atrophy-persistent", "warning", "neurology-referral", ""),
    ("sensory-loss", "warning", "ncs emg electrolytes vitamin-b12 hba1c", ""),
    ("sensory-loss-reported", "warning", "ask-examination electrolytes", ""),
    ("tingling", "calm", "electrolytes", ""),
    ("coordination", "warning", "mri electrolytes", ""),
    ("coordination-reported", "warning", "ask-examination electrolytes", ""),
    ("movement", "warning", "electrolytes thyroid", ""),
    ("persistent", "calm", "electrolytes thyroid", ""),
    ("eyelid-long", "info", "neurology-referral?", ""),
    ("widespread", "calm", "electrolytes thyroid", ""),
    ("progressing", "warning", "electrolytes thyroid", ""),
    ("progressing-normal", "info", "re-examine@4", ""),
    ("pain", "calm", "electrolytes", ""),
    ("nerve-irritation", "info", "", "named"),
    ("diuretic-depleting", "info", "medication-review electrolytes", ""),
    ("diuretic-sparing", "info", "medication-review electrolytes", ""),
    ("corticosteroid", "info", "medication-review electrolytes", ""),
    ("beta-agonist", "info", "medication-review electrolytes", ""),
    ("antidepressant", "info", "medication-review", ""),
    ("antidepressant-stopped", "info", "medication-review", ""),
    ("stimulant", "info", "medication-review", ""),
    ("dopaminergic", "info", "medication-review", ""),
    ("lithium", "info", "medication-review lithium-level electrolytes kidney-function", ""),
    ("cholinesterase-inhibitor", "info", "medication-review", ""),
    ("lithium-high", "warning", "act-on-result medication-review", ""),
    (
        "lithium-toxicity",
        "critical",
        "emergency-assessment!! lithium-level!! kidney-function!! electrolytes!!",
        "",
    ),
    ("electrolyte-abnormal", "warning", "act-on-result electrolytes", ""),
    ("electrolyte-abnormal-old", "info", "electrolytes", ""),
    ("electrolyte-drug", "info", "medication-review", ""),
    ("electrolyte-disorder", "warning", "electrolytes", ""),
    ("electrolyte-disorder-old", "info", "electrolytes", ""),
    ("electrolyte-critical", "critical", "act-on-result!! electrolytes!!", ""),
    ("muscle-breakdown", "critical", "act-on-result!! kidney-function!! electrolytes!!", ""),
    ("muscle-breakdown-statin", "info", "medication-review", ""),
    ("critical-result", "warning", "act-on-result", ""),
    ("kidney-failure", "until-done", "electrolytes", ""),
    ("kidney-failure-new", "warning", "act-on-result", ""),
    ("parathyroid-disease", "info", "electrolytes", ""),
    ("b12-low", "warning", "act-on-result", ""),
    ("thyroid-abnormal", "warning", "act-on-result", ""),
    ("thyroid-abnormal-old", "info", "thyroid", ""),
    ("thyroid-disease", "info", "thyroid", ""),
    ("malabsorption", "info", "vitamin-b12 vitamin-d zinc", ""),
    ("family-history", "info", "", "named"),
    ("multiple-sclerosis", "info", "", "named"),
    ("multiple-sclerosis-sign", "warning", "neurology-referral", "treating-team"),
    ("known-neuromuscular", "info", "", "named"),
    ("known-neuromuscular-sign", "warning", "neurology-referral", "treating-team"),
    ("hyperexcitability", "warning", "neurology-referral emg ncs autoimmune", ""),
    ("upper-motor-sign", "warning", "neurology-referral", ""),
    ("upper-motor-sign-ms", "warning", "neurology-referral", "treating-team"),
    ("upper-motor-sign-and-weakness", "critical", "neurology-referral!", "exclude-disease"),
    ("rigidity", "warning", "neurology-referral", ""),
    ("bulbar", "critical", "neurology-referral!", ""),
    ("bulbar-named", "info", "", "exclude-disease"),
    ("eyelid-old-bulbar", "warning", "ask-examination", ""),
    ("respiratory", "critical", "neurology-referral!!", ""),
    ("respiratory-with-other-cause", "critical", "neurology-referral!!", ""),
    ("emergency-diagnosis", "critical", "emergency-assessment!!", ""),
    ("cholinergic", "critical", "emergency-assessment!!", ""),
    ("withdrawal", "critical", "emergency-assessment!! electrolytes!!", ""),
    ("rapid-weakness", "critical", "neurology-referral!! electrolytes!! creatine-kinase", ""),
    ("rapid-weakness-reported", "critical", "ask-examination!!", ""),
    ("progressive-weakness", "critical", "neurology-referral!", ""),
    ("weakness-and-atrophy", "critical", "neurology-referral!", "exclude-disease"),
    ("child", "info", "", "child"),
    ("child-sign", "warning", "neurology-referral~", ""),
    ("child-weakness", "critical", "neurology-referral!!~", ""),
    ("child-tone", "critical", "neurology-referral!!~", ""),
    ("new-after-60", "info", "re-examine@13", ""),
    ("self-care", "info", "self-care", ""),
    ("nothing-calls-for-tests", "info", "", "nothing"),
    ("benign", "info", "", "benign"),
]
MARKS = {ROUTINE: "", URGENT: "!"}


def marked(asked: RowAction) -> str:
    weeks = f"@{asked.weeks}" if asked.weeks is not None else ""
    marks = MARKS.get(asked.urgency, "!!") + ("?" if asked.consider else "") + weeks
    return asked.id + marks + ("~" if asked.paediatric else "")


def test_every_row_of_the_model_is_in_the_table_in_its_order() -> None:
    # A row more is the clinician's to add; its own examples are its test.
    ids = [row for row, *_ in MODEL]
    assert [row.id for row in TABLE.rows if row.id in ids] == ids


@pytest.mark.parametrize(("row", "level", "actions", "roles"), MODEL)
def test_level_actions_and_roles_are_those_of_the_model(
    row: str, level: str, actions: str, roles: str
) -> None:
    found = TABLE.row(row)
    assert found is not None
    assert found.level == level
    assert [marked(asked) for asked in found.actions] == actions.split()
    assert all(asked.condition is None for asked in found.actions)
    assert {role.value for role in found.roles} == set(roles.split())


def test_what_else_the_rows_say() -> None:
    ids = {row for row, *_ in MODEL}
    rows = [row for row in TABLE.rows if row.id in ids]
    assert [row.id for row in rows if row.last] == ["self-care", "nothing-calls-for-tests", "benign"]
    assert [row.id for row in rows if row.beside_benign] == ["new-after-60"]
    # "On a card whose critical rows are all results, poisoning or withdrawal nothing is asked."
    critical = {row.id for row in rows if row.level == "critical" and row.asks_nothing({})}
    assert critical == {
        "lithium-toxicity",
        "electrolyte-critical",
        "muscle-breakdown",
        "emergency-diagnosis",
        "cholinergic",
        "withdrawal",
    }
    # Section 6, other hooks: beside one of these no draft of a study is called unsupported.
    assert {row.id for row in rows if row.supports_studies} == {
        "nerve-irritation",
        "family-history",
        "known-neuromuscular",
        "known-neuromuscular-sign",
        "hyperexcitability",
        "upper-motor-sign",
        "upper-motor-sign-ms",
        "upper-motor-sign-and-weakness",
        "bulbar",
        "bulbar-named",
        "eyelid-old-bulbar",
    }


@pytest.mark.parametrize(
    ("row", "findings"),
    [
        ("not-examined", "weakness atrophy sensory-loss"),
        ("weakness-reported", "weakness"),
        ("atrophy-reported", "atrophy"),
        ("sensory-loss-reported", "sensory-loss"),
        ("coordination-reported", "coordination"),
        ("eyelid-old-bulbar", "bulbar"),
        ("rapid-weakness-reported", "weakness atrophy sensory-loss"),
    ],
)
def test_what_is_to_be_examined_is_named(row: str, findings: str) -> None:
    found = TABLE.row(row)
    assert found is not None
    assert [" ".join(asked.findings) for asked in found.actions if asked.findings] == [findings]


# "No abnormal result": each of these keeps self-care away, however the examination was.
@pytest.mark.parametrize(
    ("results", "days", "kept"),
    [
        *(({name: "out-of-range"}, 180, True) for name in ("sodium", "potassium", "calcium", "magnesium")),
        ({"potassium": "out-of-range"}, 181, False),
        *(({name: "out-of-range"}, 365, True) for name in ("tsh", "free-t4", "vitamin-b12")),
        ({"tsh": "out-of-range"}, 366, False),
        ({"creatine-kinase": "low"}, 180, True),
        ({"creatine-kinase": "high"}, 181, False),
        ({"lithium": "low"}, 180, True),
        ({"egfr": "14.9"}, 180, True),
        ({"egfr": "15"}, 0, False),
        ({"glucose": "critical"}, 30, True),
        ({"glucose": "critical"}, 31, False),
        ({"glucose": "out-of-range"}, 0, False),
    ],
)
def test_an_abnormal_result_keeps_self_care_away(results: dict[str, str], days: int, kept: bool) -> None:
    given = {"sites": ["eyelid"], "results": results, "result_days_ago": days}
    read = {row.id: row for row in outcome_of_example(given, TABLE).rows}
    calm = {fired.level for fired in read.values()} <= {"info"}
    assert fires("self-care", given) is (calm and not kept)
