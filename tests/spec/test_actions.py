"""Sections 3 and 4: what each action is, how long a result, an order or a study answers it, for whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Order, Record, Study
from service.cards import Call, cards_of
from service.decision import decide
from service.decision.recommendations import Outcome
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, finding, record_of_example, result
from tests.spec.outcomes import TABLE, outcome_of, recommended

KNOWLEDGE = load_knowledge()
ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
# A patient for whom a row asks for each of them, as routine, in the order of a card.
ASKING: dict[str, dict[str, Any]] = {
    "emergency-assessment": {"alcohol-withdrawal": "listed"},
    "ask-examination": {"weakness": "reported"},
    "act-on-result": {"results": {"vitamin-b12": "low"}},
    "neurology-referral": {"rigidity": "examined"},
    "lithium-level": {"drugs": {"other-lithium": "yes"}},
    "electrolytes": {"pain": "reported"},
    "kidney-function": {"drugs": {"other-lithium": "yes"}},
    "creatine-kinase": {"weakness": "examined"},
    "thyroid": {"thyroid-disease": "listed"},
    "vitamin-b12": {"sensory-loss": "examined"},
    "hba1c": {"sensory-loss": "examined"},
    "vitamin-d": {"malabsorption": "listed", "weakness": "examined"},
    "zinc": {"malabsorption": "listed", "weakness": "examined"},
    "autoimmune": {"courses": ["continuous"], "sites": ["hand", "calf"], "cramps": "reported"},
    "ncs": {"weakness": "examined"},
    "emg": {"weakness": "examined"},
    "mri": {"coordination": "examined"},
    "medication-review": {"drugs": {"ssri": "yes"}},
    "re-examine": {**NORMAL, "courses": ["worsening"]},
    "self-care": NORMAL,
}
BLOOD = {
    "lithium-level": (("lithium",), 30),
    "electrolytes": (ELECTROLYTES, 30),
    "kidney-function": (("creatinine", "egfr"), 30),
    "creatine-kinase": (("creatine-kinase",), 30),
    "thyroid": (("tsh",), 90),
    "vitamin-b12": (("vitamin-b12",), 180),
    "hba1c": (("hba1c",), 90),
    "vitamin-d": (("vitamin-d",), 180),
    "zinc": (("zinc",), 180),
}
ORDERED = (
    *((action, analyte, 90) for action, (analytes, _) in BLOOD.items() for analyte in analytes),
    ("autoimmune", "autoimmune", 90),
    ("emg", "emg", 365),
    ("ncs", "ncs", 365),
    ("mri", "mri-brain", 365),
    ("mri", "mri-spine", 365),
    ("neurology-referral", "neurology-referral", 365),
)
NEVER_ORDERED = (
    "emergency-assessment",
    "ask-examination",
    "act-on-result",
    "medication-review",
    "re-examine",
    "self-care",
)


def asking(action: str, **more: Any) -> Record:
    return record_of_example({**ASKING[action], **more})


def analytes_of(record: Record, action: str) -> tuple[str, ...] | None:
    """What is still to be taken for that action; None where it is not recommended."""
    return next((r.analytes for r in outcome_of(record).recommendations if r.id == action), None)


def of_age(years: int) -> Outcome:
    return outcome_of(
        record_of_example(
            {
                "age_years": years,
                "coordination": "examined",
                "sensory-loss": "examined",
                "atrophy": "examined",
                "malabsorption": "listed",
                "courses": ["continuous", "worsening"],
                "sites": ["hand", "calf"],
                "cramps": "reported",
                "drugs": {"ssri": "yes"},
                "results": {"free-t4": "high"},
            }
        )
    )


def test_the_actions_are_those_and_in_this_order() -> None:
    assert list(TABLE.actions) == list(ASKING)


def test_the_order_in_which_a_card_names_them() -> None:
    assert [r.id for r in of_age(16).recommendations] == [
        name for name in ASKING if name not in ("emergency-assessment", "lithium-level", "kidney-function",
                                                "re-examine", "self-care")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "order", "actions"),
    [
        ("order", "blood", [*BLOOD, "autoimmune"]),
        ("order", "study", ["emg", "ncs", "mri"]),
        ("order", "referral", ["neurology-referral"]),
        ("order", None, ["emergency-assessment"]),
        ("result", None, ["act-on-result"]),
        ("ask", None, ["ask-examination"]),
        ("advice", None, ["medication-review", "re-examine", "self-care"]),
    ],
)
def test_what_kind_of_action_it_is(kind: str, order: str | None, actions: list[str]) -> None:
    found = {a.id for a in TABLE.actions.values() if (a.kind, a.order) == (kind, order)}
    assert found == set(actions)


@pytest.mark.parametrize("action", ASKING)
def test_a_row_asks_for_it(action: str) -> None:
    assert action in recommended(asking(action))


@pytest.mark.parametrize("action", [*BLOOD, "autoimmune", "emg", "medication-review"])
def test_the_blood_tests_that_it_names(action: str) -> None:
    assert analytes_of(asking(action), action) == (BLOOD[action][0] if action in BLOOD else ())


@pytest.mark.parametrize(
    ("action", "analyte", "days"),
    [(action, analyte, days) for action, (analytes, days) in BLOOD.items() for analyte in analytes],
)
def test_how_long_a_result_answers_it(action: str, analyte: str, days: int) -> None:
    def missing(day: int) -> bool:
        record = replace(asking(action), results=(result(analyte, "in-range", day),))
        return analyte in (analytes_of(record, action) or ())

    assert not missing(days)
    assert missing(days + 1)


@pytest.mark.parametrize(("action", "test", "days"), ORDERED)
def test_how_long_an_order_answers_it(action: str, test: str, days: int) -> None:
    def asked_again(day: int) -> bool:
        order = Order(frozenset({test}), days_ago(day), reference="ServiceRequest/1")
        analytes = analytes_of(replace(asking(action), orders=(order,)), action)
        return analytes is not None and (not analytes or test in analytes)

    assert not asked_again(days)
    assert asked_again(days + 1)


@pytest.mark.parametrize("action", NEVER_ORDERED)
def test_no_order_answers_it(action: str) -> None:
    order = Order(frozenset({action}), days_ago(0), "stat", reference="ServiceRequest/1")
    assert action in recommended(replace(asking(action), orders=(order,)))


@pytest.mark.parametrize(
    ("study", "answered"),
    [("emg", "emg"), ("ncs", "ncs"), ("mri-brain", "mri"), ("mri-spine", "mri")],
)
def test_how_long_a_study_answers_it(study: str, answered: str) -> None:
    signs = {
        name: finding(name, "examined", first_examined=days_ago(400)) for name in ("weakness", "coordination")
    }

    def asked(day: int) -> set[str]:
        record = replace(record_of_example({}), findings=signs, studies=(Study(study, days_ago(day)),))
        return set(recommended(record)) & {"emg", "ncs", "mri"}

    assert asked(180) == {"emg", "ncs", "mri"} - {answered}
    assert asked(181) == {"emg", "ncs", "mri"}


@pytest.mark.parametrize(("day", "seen"), [(180, True), (181, False)])
def test_how_long_a_visit_answers_a_referral_and_nothing_else(day: int, seen: bool) -> None:
    record = asking("neurology-referral", recorded_days_ago=300, coordination="examined", weakness="examined")
    record = replace(record, studies=(Study("neurology-consultation", days_ago(day)),))
    assert ("neurology-referral" not in recommended(record)) is seen
    assert {"emg", "ncs", "mri"} <= set(recommended(record))


@pytest.mark.parametrize("action", BLOOD)
def test_only_electrolytes_out_of_range_are_taken_again(action: str) -> None:
    for band in ("out-of-range", "low", "high"):
        for analyte in BLOOD[action][0]:
            record = replace(asking(action), results=(result(analyte, band, 1),))
            again = analyte in (analytes_of(record, action) or ())
            assert again is (action == "electrolytes")
            assert "act-on-result" in recommended(record)


ORDERS = {
    "neurology-referral": ["neurology-referral"],
    "ncs": ["ncs"],
    "emg": ["emg"],
    # of the two studies that answer it, that of the brain is proposed, as its text says
    "mri": ["mri-brain"],
    **{action: list(analytes) for action, (analytes, _) in BLOOD.items()},
}


@pytest.mark.parametrize("action", ORDERS)
def test_what_one_click_orders(action: str) -> None:
    call = Call("1", "https://cds.example", "Patient/p")
    (card,) = cards_of(decide(asking(action), TABLE), KNOWLEDGE, call)
    codes = [KNOWLEDGE.order_codes[test].codings[0][1] for test in ORDERS[action]]
    ordered = [
        [
            step["resource"]["code"]["coding"][0]["code"]
            for step in suggestion["actions"]
            if step["resource"]["resourceType"] == "ServiceRequest"
        ]
        for suggestion in card["suggestions"]
    ]
    assert codes in ordered


def test_what_is_withheld_from_a_child() -> None:
    withheld = {w.id for w in of_age(15).withheld if w.why == "child"}
    assert withheld == {
        "creatine-kinase", "vitamin-b12", "hba1c", "vitamin-d", "zinc", "autoimmune", "ncs", "emg", "mri",
    }  # fmt: skip
    assert not {w.id for w in of_age(16).withheld if w.why == "child"}
    quiet = outcome_of(record_of_example({"age_years": 15, **NORMAL}))
    assert "self-care" not in {r.id for r in quiet.recommendations}
    still = {r.id for r in of_age(15).recommendations}
    assert {"act-on-result", "neurology-referral", "electrolytes", "thyroid", "medication-review"} <= still


@pytest.mark.parametrize("action", ASKING)
def test_what_is_left_out_beside_an_action_of_today(action: str) -> None:
    """Thyroid, an examination and a re-examination; nothing else waits."""
    today = asking(action, **{"cauda-equina": "listed"})
    left_out = action in ("thyroid", "ask-examination", "re-examine", "self-care")
    assert (action not in recommended(today)) is left_out


@pytest.mark.parametrize("action", [a for a in ASKING if a != "emergency-assessment"])
def test_what_is_left_out_beside_an_urgent_action(action: str) -> None:
    urgent = asking(action, bulbar="examined")
    left_out = action in ("ask-examination", "re-examine", "self-care")
    assert (action not in recommended(urgent)) is left_out
