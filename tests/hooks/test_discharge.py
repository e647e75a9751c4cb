"""The discharge card: pending tests, unanswered questions, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_mappings.record import Order, Record
from service.decision import decide
from tests.hooks.drafts import KNOWLEDGE, TABLE, above, calm, cards, line, patient, pending
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


@pytest.mark.parametrize(
    ("test", "priority", "expected"),
    [
        ("tsh", None, "TSH: pending since {day}. Say who looks at the result."),
        ("tsh", "routine", "TSH: pending since {day}. Say who looks at the result."),
        ("tsh", "urgent", "TSH: urgent order pending since {day}. Say who looks at the result."),
        ("tsh", "asap", "TSH: same-day order pending since {day}. Say who looks at the result today."),
        ("tsh", "stat", "TSH: same-day order pending since {day}. Say who looks at the result today."),
        ("emg", "urgent", "EMG: urgent order pending since {day}. Say who looks at the result."),
        ("neurology-referral", None, "Neurology referral: pending since {day}. Say who follows it up."),
        (
            "neurology-referral",
            "urgent",
            "Neurology referral: urgent, pending since {day}. Say who follows it up.",
        ),
        (
            "neurology-referral",
            "stat",
            "Neurology referral: same-day, pending since {day}. Say who follows it up today.",
        ),
    ],
)
def test_an_order_in_words_by_kind_and_priority(test: str, priority: str | None, expected: str) -> None:
    (card,) = cards("open-ends", pending(record_of_example(settled()), test, 5, priority=priority))
    assert line(card, 1) == expected.format(day=days_ago(5))


def ordered(record: Record, days: int, *tests: str, **more: Any) -> Record:
    made = Order(frozenset(tests), days_ago(days), reference=f"ServiceRequest/{days}-{tests[0]}", **more)
    return replace(record, orders=(*record.orders, made))


def test_many_orders_of_one_test_are_counted() -> None:
    record = record_of_example(settled())
    for days in range(1, 21):
        record = ordered(record, days, "potassium")
    (card,) = cards("open-ends", record)
    newest = f"Potassium (20 orders, newest {days_ago(1)})"
    assert line(card, 1) == f"{newest}: pending. Say who looks at the result."


def test_orders_of_several_days_share_a_line_the_newest_first() -> None:
    record = ordered(ordered(record_of_example(settled()), 9, "tsh"), 3, "sodium", "potassium")
    (card,) = cards("open-ends", record)
    names = f"Potassium and sodium (since {days_ago(3)}), TSH (since {days_ago(9)})"
    assert line(card, 1) == f"{names}: pending. Say who looks at the result."


def test_what_cannot_wait_comes_first() -> None:
    record = ordered(record_of_example(settled()), 3, "tsh")
    record = ordered(record, 2, "potassium", priority="stat")
    (card,) = cards("open-ends", record)
    assert line(card, 1).startswith("Potassium: same-day")
    assert line(card, 2).startswith("TSH: pending")


def test_any_number_of_orders_fits() -> None:
    """Every test on every day at every priority, for every example of the table."""
    tests = sorted({t for a in TABLE.actions.values() for t in (a.id, *a.analytes, *a.studies)})
    priorities = ("routine", "urgent", "asap", "stat", None)
    orders = tuple(
        Order(frozenset({t}), days_ago(d), priorities[(d + n) % 5], "active", f"ServiceRequest/{t}{d}")
        for n, t in enumerate(tests)
        for d in range(1, 40)
    )
    for row in TABLE.rows:
        for example in row.examples:
            record = replace(record_of_example(example.given), orders=orders)
            for card in cards("open-ends", record):
                assert len(card["summary"]) < 140
                assert len(above(card)) <= 12
                assert sum(len(text.split()) for text in above(card)) <= 110


@pytest.mark.parametrize("days", [0, 5, 20, 200])
def test_breathing_is_to_be_checked_once(days: int) -> None:
    """Behind the first action of the card, not behind one that can wait."""
    phrase = "check breathing, also lying flat"
    seen = False
    for row in TABLE.rows:
        for example in row.examples:
            record = record_of_example({**example.given, "onset_days_ago": days})
            for card in cards("open-ends", record):
                lines = [text for text in above(card) if phrase in text]
                assert len(lines) <= 1
                seen = seen or bool(lines)
                if any("**" in text and text[:1].isdigit() for text in above(card)):
                    assert lines in ([], [above(card)[0]])
    assert seen


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
