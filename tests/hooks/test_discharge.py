"""The discharge card: pending tests, unanswered questions, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_mappings.record import Order
from service.decision import decide
from tests.hooks.drafts import KNOWLEDGE, TABLE, above, calm, cards, patient, pending
from tests.knowledge.patients import days_ago, record_of_example

SETTLED = dict.fromkeys(TABLE.asked, "absent") | {
    "onset_days_ago": 5,
    "sites": ["thigh"],
    "courses": ["stable", "intermittent"],
}


def settled(*left_out: str, **more: object) -> dict[str, object]:
    return {name: said for name, said in SETTLED.items() if name not in left_out} | more


def test_nothing_pending_and_nothing_open_is_silent() -> None:
    assert cards("open-ends", record_of_example(settled())) == []


@pytest.mark.parametrize(("days", "named"), [(90, True), (91, False)])
def test_a_blood_test_is_pending_for_ninety_days(days: int, named: bool) -> None:
    found = cards("open-ends", pending(record_of_example(settled()), "tsh", days))
    assert bool(found) is named


@pytest.mark.parametrize(("days", "named"), [(365, True), (366, False)])
def test_a_study_is_pending_for_a_year(days: int, named: bool) -> None:
    found = cards("open-ends", pending(record_of_example(settled()), "emg", days))
    assert bool(found) is named


def test_an_order_of_no_test_of_the_table_is_not_named() -> None:
    assert cards("open-ends", pending(record_of_example(settled()), "chest-x-ray", 1)) == []


def test_a_pending_test_is_named_with_its_day() -> None:
    (card,) = cards("open-ends", pending(record_of_example(settled()), "tsh", 5))
    assert card["summary"].startswith("Pending: TSH")
    assert above(card)[0] == f"1. TSH: pending since {days_ago(5)}. Say who looks at the result."


def test_an_urgent_order_is_called_so() -> None:
    (card,) = cards("open-ends", pending(record_of_example(settled()), "tsh", 5, priority="urgent"))
    assert "urgent order pending" in above(card)[0]


@pytest.mark.parametrize("sign", ["weakness", "atrophy", "sensory-loss"])
def test_a_sign_that_was_not_examined_is_named(sign: str) -> None:
    (card,) = cards("open-ends", record_of_example(settled(sign)))
    assert "xamin" in "\n".join(above(card))


@pytest.mark.parametrize("symptom", ["tingling", "cramps", "pain", "stiffness", "orthopnea"])
def test_a_symptom_alone_is_not(symptom: str) -> None:
    assert cards("open-ends", record_of_example(settled(symptom))) == []


def test_tests_that_are_only_offered_give_no_card() -> None:
    record = record_of_example(settled(onset_days_ago=20))
    assert decide(record, TABLE).level == "info"
    assert cards("open-ends", record) == []
    (card,) = cards("open-ends", record_of_example(settled(onset_days_ago=20, courses=["worsening"])))
    assert "still to do" in card["summary"].lower()


def test_the_level_is_that_of_the_decision() -> None:
    record = pending(patient(weakness="examined"), "tsh", 5)
    (card,) = cards("open-ends", record)
    assert card["indicator"] == decide(record, TABLE).level


def test_every_example_fits() -> None:
    tests = sorted({t for a in TABLE.actions.values() for t in (a.id, *a.analytes, *a.studies)})
    for row in TABLE.rows:
        for example in row.examples:
            base = record_of_example(example.given)
            orders = tuple(Order(frozenset({t}), days_ago(3), reference=f"ServiceRequest/{t}") for t in tests)
            for record in (base, replace(base, orders=orders)):
                for card in cards("open-ends", record):
                    assert 0 < len(card["summary"]) < 140
                    assert len(above(card)) <= 12
                    assert len(card["detail"].splitlines()) <= 40


def test_a_calm_patient_examined_today_with_everything_ordered() -> None:
    (card,) = cards("open-ends", pending(calm(), "tsh", 1))
    assert card["indicator"] == "info"
    assert KNOWLEDGE.wording.say("source_label") == card["source"]["label"]
