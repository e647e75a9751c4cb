"""The actions, questions, signs, self-care and thresholds of the table, as the model says them."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from fhir_mappings.record import Study
from service.decision import decide
from service.decision.facts import facts_of
from service.decision.table import ActionRole, true_terms
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, record_of_example
from tests.spec.outcomes import outcome_of
from tests.spec.records import condition, read

TABLE = load_knowledge().table
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


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
        ("electrolyte-drink", {"disorder-recent": "true"}, True),
        ("electrolyte-drink", {"disorder-old": "true"}, True),
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


def test_the_signs_in_the_order_in_which_a_card_names_them() -> None:
    assert " ".join(TABLE.signs) == (
        "weakness atrophy sensory-loss coordination movement upper-motor-sign rigidity"
    )


@pytest.mark.parametrize(
    "sign",
    [
        "weakness",
        "atrophy",
        "sensory-loss",
        "coordination",
        "movement",
        "upper-motor-sign",
        "rigidity",
        "bulbar",
        "breathing-difficulty",
        "orthopnea",
        "low-tone",
        "motor-regression",
    ],
)
def test_a_sign_that_only_old_records_tell_of_is_a_fact(sign: str) -> None:
    resolved = {"coding": [{"system": CLINICAL, "code": "resolved"}]}
    record = read(condition("fasciculation"), condition(sign, id="old", clinicalStatus=resolved))
    assert facts_of(record, TABLE)["sign-in-history"] == "true"


@pytest.mark.parametrize("sign", ["upper-motor-sign", "rigidity"])
def test_a_sign_that_is_only_told_asks_for_an_examination_and_nothing_else(sign: str) -> None:
    outcome = outcome_of(record_of_example({sign: "reported", "sites": ["calf"], "onset_days_ago": 5}))
    row = next(row for row in outcome.rows if row.id == f"{sign}-reported")
    assert [action.id for action in row.actions] == ["ask-examination"]
    assert not row.beside_benign


@pytest.mark.parametrize(
    "abnormal",
    [
        "any-electrolyte-abnormal",
        "any-electrolyte-abnormal-old",
        "any-electrolyte-critical",
        "thyroid-result-abnormal",
        "thyroid-result-abnormal-old",
        "b12-result-abnormal",
        "ck-abnormal",
        "lithium-result-abnormal",
        "egfr-below-15",
        "other-critical",
    ],
)
def test_an_abnormal_result_leaves_nothing_to_self_care(abnormal: str) -> None:
    calm = {"level-info": "true", "examined-normal": "true"}
    row = TABLE.row("self-care")
    assert row is not None
    assert true_terms(row.terms, calm)
    assert not true_terms(row.terms, {**calm, abnormal: "true"})
