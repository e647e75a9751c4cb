"""Sections 3 and 4: what each action is, how long a result, an order or a study stands for it, for whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Order, Record, Study
from service.cards import Call, cards_of
from service.decision import decide
from service.decision.outcome import Outcome
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, finding, record_of_example, result
from tests.spec.outcomes import TABLE, outcome_of, recommended

KNOWLEDGE = load_knowledge()
ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")
# A patient for whom a row asks for each of them, as routine.
ASKING: dict[str, dict[str, Any]] = {
    "neurology-referral": {"multiple-sclerosis": "examined"},
    "electrolytes": {"pain": "reported"},
    "emg": {"weakness": "examined"},
    "ncs": {"weakness": "examined"},
    "mri": {"coordination": "examined"},
    "thyroid": {"thyroid-disease": "examined"},
    "autoimmune": {"courses": ["continuous"], "sites": ["hand", "calf"], "cramps": "reported"},
    "vitamin-b12": {"malabsorption": "examined", "weakness": "examined"},
    "vitamin-d": {"malabsorption": "examined", "weakness": "examined"},
    "zinc": {"malabsorption": "examined", "weakness": "examined"},
    "ask-examination": {"weakness": "reported"},
    "medication-review": {"drugs": {"ssri": "yes"}},
    "self-care": {},
}


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
                "weakness": "examined",
                "coordination": "examined",
                "malabsorption": "examined",
                "courses": ["continuous", "worsening"],
                "sites": ["hand", "calf"],
                "cramps": "reported",
                "drugs": {"ssri": "yes"},
                "sensory-loss": "reported",
            }
        )
    )


def test_the_order_in_which_a_card_names_them() -> None:
    assert [r.id for r in of_age(16).recommendations] == [
        "neurology-referral",
        "electrolytes",
        "emg",
        "ncs",
        "mri",
        "thyroid",
        "autoimmune",
        "vitamin-b12",
        "vitamin-d",
        "zinc",
        "ask-examination",
        "medication-review",
    ]
    assert recommended(asking("medication-review")) == ["medication-review", "self-care"]


@pytest.mark.parametrize(
    ("kind", "actions"),
    [
        ("blood", "electrolytes thyroid autoimmune vitamin-b12 vitamin-d zinc"),
        ("study", "emg ncs mri"),
        ("referral", "neurology-referral"),
        ("ask", "ask-examination"),
        ("review", "medication-review"),
        ("advice", "self-care"),
    ],
)
def test_what_kind_of_thing_it_is(kind: str, actions: str) -> None:
    assert [action.id for action in TABLE.actions.values() if action.kind == kind] == actions.split()


@pytest.mark.parametrize("action", ASKING)
def test_somebody_is_asked_for_it(action: str) -> None:
    assert action in recommended(asking(action))


@pytest.mark.parametrize(
    ("action", "analytes"),
    [
        ("electrolytes", ELECTROLYTES),
        ("thyroid", ("tsh",)),
        ("vitamin-b12", ("vitamin-b12",)),
        ("vitamin-d", ("vitamin-d",)),
        ("zinc", ("zinc",)),
        ("autoimmune", ()),
        ("emg", ()),
        ("medication-review", ()),
    ],
)
def test_the_blood_tests_that_it_names(action: str, analytes: tuple[str, ...]) -> None:
    assert analytes_of(asking(action), action) == analytes


@pytest.mark.parametrize(
    ("action", "analyte", "days"),
    [
        *(("electrolytes", analyte, 30) for analyte in ELECTROLYTES),
        ("thyroid", "tsh", 90),
        ("vitamin-b12", "vitamin-b12", 180),
        ("vitamin-d", "vitamin-d", 180),
        ("zinc", "zinc", 180),
    ],
)
def test_how_long_a_result_answers_it(action: str, analyte: str, days: int) -> None:
    def missing(day: int) -> bool:
        record = replace(asking(action), results=(result(analyte, "in-range", day),))
        return analyte in (analytes_of(record, action) or ())

    assert not missing(days)
    assert missing(days + 1)


@pytest.mark.parametrize(
    ("action", "test", "days"),
    [
        *(("electrolytes", analyte, 90) for analyte in ELECTROLYTES),
        ("thyroid", "tsh", 90),
        ("autoimmune", "autoimmune", 90),
        ("vitamin-b12", "vitamin-b12", 90),
        ("vitamin-d", "vitamin-d", 90),
        ("zinc", "zinc", 90),
        ("emg", "emg", 365),
        ("ncs", "ncs", 365),
        ("mri", "mri-brain", 365),
        ("mri", "mri-spine", 365),
        ("neurology-referral", "neurology-referral", 365),
    ],
)
def test_how_long_an_order_stands_for_it(action: str, test: str, days: int) -> None:
    def asked_again(day: int) -> bool:
        order = Order(frozenset({test}), days_ago(day), reference="ServiceRequest/1")
        analytes = analytes_of(replace(asking(action), orders=(order,)), action)
        return analytes is not None and (not analytes or test in analytes)

    assert not asked_again(days)
    assert asked_again(days + 1)


@pytest.mark.parametrize("action", ["ask-examination", "medication-review", "self-care"])
def test_no_order_stands_for_what_nobody_orders(action: str) -> None:
    order = Order(frozenset({action}), days_ago(1), reference="ServiceRequest/1")
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


@pytest.mark.parametrize("band", ["out-of-range", "low", "high"])
def test_an_electrolyte_out_of_range_is_taken_again(band: str) -> None:
    for analyte in ELECTROLYTES:
        record = replace(asking("electrolytes"), results=(result(analyte, band, 1),))
        assert analyte in (analytes_of(record, "electrolytes") or ())


@pytest.mark.parametrize(
    ("action", "analyte"),
    [("thyroid", "tsh"), ("vitamin-b12", "vitamin-b12"), ("vitamin-d", "vitamin-d"), ("zinc", "zinc")],
)
def test_anything_else_out_of_range_is_acted_on(action: str, analyte: str) -> None:
    record = replace(asking(action), results=(result(analyte, "low", 1),))
    assert action not in recommended(record)
    assert (action, "act-on") in {(w.id, w.kind) for w in outcome_of(record).withheld}
    # a result out of range is asked about as such: nothing else repeats for being abnormal
    assert [a.id for a in TABLE.actions.values() if a.repeat_abnormal] == ["electrolytes"]


@pytest.mark.parametrize(
    ("action", "orders"),
    [
        ("neurology-referral", ["neurology-referral"]),
        ("electrolytes", list(ELECTROLYTES)),
        ("emg", ["emg"]),
        ("ncs", ["ncs"]),
        # of the two studies that answer it, that of the brain is proposed, as its text says
        ("mri", ["mri-brain"]),
        ("thyroid", ["tsh"]),
        ("vitamin-b12", ["vitamin-b12"]),
        ("vitamin-d", ["vitamin-d"]),
        ("zinc", ["zinc"]),
    ],
)
def test_what_one_click_orders(action: str, orders: list[str]) -> None:
    call = Call("1", "https://cds.example", "Patient/p")
    (card,) = cards_of(decide(asking(action), TABLE), KNOWLEDGE, call)
    label = KNOWLEDGE.wording.say(f"actions.{action}.order", analytes="").strip()
    (suggestion,) = [s for s in card["suggestions"] if s["label"].startswith(label)]
    asked = [step["resource"]["code"]["coding"][0]["code"] for step in suggestion["actions"]]
    assert asked == [KNOWLEDGE.order_codes[test].codings[0][1] for test in orders]


def test_what_is_withheld_from_a_child() -> None:
    withheld = {w.id for w in of_age(15).withheld if w.kind == "child"}
    assert withheld == {"emg", "ncs", "mri", "autoimmune", "vitamin-b12", "vitamin-d", "zinc"}
    assert not {w.id for w in of_age(16).withheld if w.kind == "child"}
    assert {r.id for r in of_age(15).recommendations} == {
        "neurology-referral",
        "electrolytes",
        "thyroid",
        "ask-examination",
        "medication-review",
    }


def test_self_care_is_withheld_from_a_child_too() -> None:
    quiet = outcome_of(record_of_example({"age_years": 15}))
    assert {(w.id, w.kind) for w in quiet.withheld} == {("self-care", "child")}
