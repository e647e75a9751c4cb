"""Every example of every row, as the clinician wrote it, and the rows themselves as the model says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest

from fhir_mappings.record import Study
from service.decision import decide
from service.decision.table import ROUTINE, URGENT, ActionRole, Example, Row, RowAction
from service.knowledge import HERE
from service.knowledge.decision_table import load_table
from service.knowledge.terminology_files import load_terminology
from tests.knowledge.patients import days_ago, outcome_of_example, record_of_example

TABLE = load_table(HERE, load_terminology(HERE))
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


# Section 3: attributes of actions, and "Test actions name their analytes".
@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("emergency-assessment", "order no-order"),
        ("ask-examination", "ask beside-urgent"),
        ("act-on-result", "result"),
        ("neurology-referral", "order referral ordered:365 neurology-consultation"),
        ("lithium-level", "order blood done:30 ordered:90 lithium"),
        ("electrolytes", "order blood done:30 ordered:90 repeat sodium potassium calcium magnesium"),
        ("kidney-function", "order blood done:30 ordered:90 creatinine egfr"),
        ("creatine-kinase", "order blood done:30 ordered:90 child creatine-kinase"),
        ("thyroid", "order blood done:90 ordered:90 beside-now tsh"),
        ("vitamin-b12", "order blood done:180 ordered:90 child vitamin-b12"),
        ("hba1c", "order blood done:90 ordered:90 child hba1c"),
        ("vitamin-d", "order blood done:180 ordered:90 child vitamin-d"),
        ("zinc", "order blood done:180 ordered:90 child zinc"),
        ("autoimmune", "order blood ordered:90 child"),
        ("ncs", "order study ordered:365 child ncs"),
        ("emg", "order study ordered:365 child emg"),
        ("mri", "order study ordered:365 child mri-brain mri-spine"),
        ("medication-review", "advice"),
        ("re-examine", "advice beside-urgent"),
        ("self-care", "advice child"),
    ],
)
def test_an_action_is_that_of_the_model(action: str, says: str) -> None:
    found = TABLE.actions[action]
    parts = [
        found.kind,
        found.order,
        found.done_days and f"done:{found.done_days}",
        found.ordered_days and f"ordered:{found.ordered_days}",
        found.repeat_abnormal and "repeat",
        found.withheld_from_child and "child",
        found.withheld_beside_now and "beside-now",
        found.withheld_beside_urgent and "beside-urgent",
        not found.can_be_ordered and "no-order",
        *found.analytes,
        *found.studies,
    ]
    assert " ".join(part for part in parts if part) == says


def test_each_role_of_an_action_is_on_the_action_of_the_model() -> None:
    assert {role.value: TABLE.action_for(role).id for role in ActionRole} == {
        "examination": "ask-examination",
        "result": "act-on-result",
        "emergency": "emergency-assessment",
        "review": "medication-review",
        "care": "self-care",
        "again": "re-examine",
        "referral": "neurology-referral",
        "missing-blood-tests": "electrolytes",
    }


def test_a_card_lists_the_actions_in_this_order() -> None:
    assert list(TABLE.actions)[:4] == [
        "emergency-assessment",
        "ask-examination",
        "act-on-result",
        "neurology-referral",
    ]
    assert list(TABLE.actions)[-3:] == ["medication-review", "re-examine", "self-care"]


def test_the_questions_are_those_of_section_5() -> None:
    asked = {
        question.id: (question.order, " ".join(question.findings) or f"{len(question.answers)} answers")
        for question in TABLE.questions
    }
    assert list(asked.items()) == [
        ("examination", (1, "weakness atrophy sensory-loss")),
        ("bulbar", (2, "bulbar")),
        ("weakness-start", (3, "2 answers")),
        ("breathing", (4, "breathing-difficulty orthopnea")),
        ("onset", (5, "5 answers")),
        ("site", (5, "7 answers")),
        ("course", (5, "4 answers")),
        ("age", (5, "4 answers")),
        *((name, (6, name)) for name in ["coordination", "movement", "upper-motor-sign", "rigidity"]),
        *((name, (6, name)) for name in ["tingling", "pain", "cramps", "stiffness"]),
    ]
    assert [q.id for q in TABLE.questions if q.on_critical_card] == ["bulbar", "weakness-start", "breathing"]
    assert [q.id for q in TABLE.questions if q.in_range] == ["examination", "bulbar", "breathing"]
    assert [q.id for q in TABLE.questions if q.always_beside_now] == ["bulbar", "breathing"]


@pytest.mark.parametrize(
    ("question", "facts", "on_card"),
    [
        ("examination", {}, True),
        ("bulbar", {}, False),
        ("bulbar", {"lasts-long": "true"}, True),
        ("bulbar", {"lasts-long": "true", "isolated-eyelid": "true"}, False),
        ("bulbar", {"several-regions": "true"}, True),
        ("bulbar", {"getting-worse": "true"}, True),
        ("bulbar", {"weakness": "reported"}, True),
        ("bulbar", {"atrophy": "examined"}, True),
        ("bulbar", {"sensory-loss": "examined"}, False),
        ("weakness-start", {}, False),
        ("weakness-start", {"weakness": "reported"}, True),
        ("breathing", {}, False),
        ("breathing", {"weakness": "reported"}, True),
        ("breathing", {"atrophy": "reported"}, True),
        ("breathing", {"bulbar": "reported"}, True),
        ("breathing", {"tongue-site": "true"}, True),
        ("breathing", {"sensory-loss": "examined"}, False),
        ("onset", {}, True),
        ("tingling", {"weakness": "examined"}, False),
    ],
)
def test_when_a_question_may_be_on_a_card(question: str, facts: dict[str, str], on_card: bool) -> None:
    (asked,) = (each for each in TABLE.questions if each.id == question)
    assert asked.on_card(facts) is on_card


@pytest.mark.parametrize(
    ("advice", "facts", "withheld"),
    [
        ("fluids", {}, False),
        ("fluids", {"heart-failure": "listed"}, True),
        ("fluids", {"chronic-kidney-disease": "listed"}, True),
        ("fluids", {"kidney-failure": "listed"}, True),
        ("fluids", {"sodium-low": "true"}, True),
        ("fluids", {"hyponatremia": "listed"}, True),
        ("fluids", {"potassium-high": "true"}, False),
        ("electrolyte-drink", {}, False),
        ("electrolyte-drink", {"heart-failure": "listed"}, True),
        ("electrolyte-drink", {"chronic-kidney-disease": "listed"}, True),
        ("electrolyte-drink", {"kidney-failure": "listed"}, True),
        ("electrolyte-drink", {"raises-potassium": "true"}, True),
        ("electrolyte-drink", {"drug potassium-sparing-diuretic": "possible"}, True),
        ("electrolyte-drink", {"drug potassium-sparing-diuretic": "no"}, False),
        ("electrolyte-drink", {"current potassium-sparing-diuretic": "true"}, True),
        ("electrolyte-drink", {"any-electrolyte-abnormal": "true"}, True),
        ("electrolyte-drink", {"current ssri": "true"}, False),
    ],
)
def test_self_care_is_filtered_where_it_can_harm(advice: str, facts: dict[str, str], withheld: bool) -> None:
    (found,) = (each for each in TABLE.self_care if each.id == advice)
    assert found.unless is not None
    assert found.unless(facts) is withheld


def test_self_care_has_a_sentence_of_its_own_for_each_trigger() -> None:
    assert [(each.id, each.trigger) for each in TABLE.self_care if each.id != "electrolyte-drink"] == [
        ("caffeine", "caffeine"),
        ("sleep", "sleep"),
        ("stress", "stress"),
        ("exertion", "exertion"),
        ("fluids", "dehydration"),
        ("tobacco", "tobacco"),
        ("usual", None),
    ]


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


@pytest.mark.parametrize(("days", "recommended"), [(180, False), (181, True)])
def test_a_neurology_consultation_answers_a_referral(days: int, recommended: bool) -> None:
    record = record_of_example({"sites": ["eyelid"], "onset_days_ago": 200})
    visit = Study("neurology-consultation", days_ago(days), "DiagnosticReport/visit")
    decision = decide(replace(record, studies=(visit,)), TABLE)
    referral = TABLE.actions["neurology-referral"].id
    assert (referral in [made.id for made in decision.recommendations]) is recommended
    assert [withheld.why for withheld in decision.withheld if withheld.id == referral] == (
        [] if recommended else ["seen"]
    )


def test_what_is_ordered_by_an_action() -> None:
    ordered = {name: action.ordered_as for name, action in TABLE.actions.items() if action.order}
    assert ordered["neurology-referral"] == ("neurology-referral",)
    assert ordered["mri"] == ("mri-brain", "mri-spine")
    assert ordered["autoimmune"] == ("autoimmune",)
    assert ordered["kidney-function"] == ("creatinine", "egfr")


def test_the_thresholds_are_those_of_the_model() -> None:
    assert asdict(TABLE.thresholds) == {
        "persistent_days": 14,
        "eyelid_days": 90,
        "rapid_weakness_days": 28,
        "child_years": 16,
        "small_child_years": 5,
        "old_years": 60,
        "new_onset_days": 365,
        "sudden_days": 2,
        "finding_days": 180,
        "future_days": 1,
        "symptom_before_onset_days": 180,
        "symptom_days": 730,
        "absence_before_record_days": 30,
        "acute_days": 7,
        "acute_named_days": 30,
        "antidepressant_stopped_days": 14,
        "critical_days": 30,
        "out_of_range_days": 180,
        "recent_result_days": 90,
        "long_result_days": 365,
        "calm_test_days": 365,
        "study_days": 180,
        "now_result_days": 1,
        "return_days": 14,
        "return_at_least_days": 7,
        "at_most_questions": 3,
    }


def test_what_is_old_begins_where_recent_ends() -> None:
    old = {name: facts for name, facts in TABLE.result_facts.items() if name.endswith("-old")}
    assert old
    for name, facts in old.items():
        (recent,), (older,) = TABLE.result_facts[name.removesuffix("-old")], facts
        assert older.from_days == recent.at_most_days + 1 == TABLE.thresholds.recent_result_days + 1
        assert older.analytes == recent.analytes
