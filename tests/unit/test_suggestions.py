"""What one click records: the answers of an examination that the card asks for, and of its questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from fhir_mappings.record import Basis, Evidence, Finding, Order, Record, Status, Version
from service.cards.suggestions import findings_of_normal
from service.decision.table import ActionRole
from tests.knowledge.patients import days_ago, finding, record_of_example, result
from tests.unit.one_card import ABSENT, GRAVE, KNOWLEDGE, RECORDS, card, decided

TABLE = KNOWLEDGE.table
NORMAL = "Examined: normal"


def suggestions(record: Record) -> dict[str, dict[str, Any]]:
    """The suggestions of the card by label; no label twice."""
    made = card(record).get("suggestions", [])
    labels = [suggestion["label"] for suggestion in made]
    assert len(set(labels)) == len(labels), labels
    return {suggestion["label"]: suggestion for suggestion in made}


def recorded(suggestion: Mapping[str, Any]) -> dict[str, bool]:
    """What a click records, by the words of the code."""
    resources = [action["resource"] for action in suggestion["actions"]]
    return {resource["code"]["text"]: resource["valueBoolean"] for resource in resources}


def to_examine(record: Record) -> tuple[str, ...]:
    examination = TABLE.action_for(ActionRole.EXAMINATION).id
    return next((made.findings for made in decided(record).recommendations if made.id == examination), ())


def test_normal_records_all_that_the_card_asks_to_examine() -> None:
    record = record_of_example({"weakness": "reported", "sensory-loss": "reported"})
    found = suggestions(record)
    assert len(recorded(found[NORMAL])) == 3
    assert not any(recorded(found[NORMAL]).values())
    assert {"Weakness: present", "Wasting: present", "Sensory loss: present"} <= set(found)


def test_a_sign_that_is_only_told_has_its_answers_too() -> None:
    record = record_of_example(
        {"coordination": "reported", "weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
    )
    found = suggestions(record)
    assert len(found[NORMAL]["actions"]) == 1
    assert "Coordination difficulty: present" in found


def test_a_critical_card_that_asks_to_examine_has_the_answers() -> None:
    given = {"weakness": "reported", "onset_days_ago": 10, "courses": ["worsening"]}
    record = record_of_example(given)
    made = decided(record)
    assert made.level == "critical"
    assert "weakness" in to_examine(record)
    found = suggestions(record)
    assert len(recorded(found[NORMAL])) == len(to_examine(record))
    assert "Weakness: present" in found


def test_an_eyelid_with_an_old_sign_has_one_normal() -> None:
    old = Evidence("Condition/w", "Condition.code", "weak", Status.PRESENT, None, days_ago(900), history=True)
    record = record_of_example({"sites": ["eyelid"], "onset_days_ago": 10})
    weak = replace(finding("weakness", "listed"), status=Status.UNKNOWN, evidence=(old,))
    record = replace(record, findings={**record.findings, "weakness": weak})
    found = suggestions(record)
    assert len(found[NORMAL]["actions"]) == 3


@pytest.mark.parametrize("record", RECORDS)
def test_what_is_to_be_examined_is_one_click_away(record: Record) -> None:
    found = suggestions(record)
    named = to_examine(record)
    if not named:
        return
    answers = KNOWLEDGE.templates.answers
    normal = recorded(found[NORMAL])
    assert {answers[name]["code"]["text"] for name in named} <= set(normal)
    present = [recorded(found[label]) for label in found if label.endswith(": present")]
    for name in named:
        assert {answers[name]["code"]["text"]: True} in present


def test_the_name_of_normal_says_all_that_it_answers() -> None:
    names = findings_of_normal(TABLE)
    assert names["examination"] == ("weakness", "atrophy", "sensory-loss")
    assert set(names["examination+bulbar+coordination"]) == {
        "weakness", "atrophy", "sensory-loss", "bulbar", "coordination"
    }  # fmt: skip


REFERRAL = "neurology-referral"
ROUTINE_ORDER = Order(
    frozenset({REFERRAL}), days_ago(19), "routine", status="active", reference="ServiceRequest/r1"
)


@pytest.mark.parametrize(
    ("order", "label"),
    [
        (ROUTINE_ORDER, "Refer to neurology, urgent (replaces the routine one of 5 Nov)"),
        (
            replace(ROUTINE_ORDER, priority=None),
            "Refer to neurology, urgent (replaces the routine one of 5 Nov)",
        ),
        (replace(ROUTINE_ORDER, reference="https://ehr.example/fhir/ServiceRequest/r1"), None),
        (replace(ROUTINE_ORDER, reference="Task/t1"), None),
        (replace(ROUTINE_ORDER, reference="Bundle.entry[3].resource"), None),
        (replace(ROUTINE_ORDER, draft=True), None),
        # It orders more than the referral.
        (replace(ROUTINE_ORDER, tests=frozenset({REFERRAL, "emg"})), None),
    ],
)
def test_a_referral_of_too_low_a_priority_is_replaced(order: Order, label: str | None) -> None:
    record = replace(record_of_example(GRAVE), orders=(order,))
    found = suggestions(record)
    (shown,) = [one for one in found if one.startswith("Refer to neurology")]
    assert shown == (label or "Refer to neurology, urgent")
    resource = found[shown]["actions"][0]["resource"]
    assert resource.get("replaces") == ([{"reference": "ServiceRequest/r1"}] if label else None)
    ServiceRequest.model_validate(resource)


def test_in_stu3_a_procedure_request_is_replaced() -> None:
    order = replace(ROUTINE_ORDER, reference="ProcedureRequest/r1")
    record = replace(record_of_example(GRAVE), orders=(order,), version=Version.STU3)
    found = suggestions(record)
    resource = found["Refer to neurology, urgent (replaces the routine one of 5 Nov)"]["actions"][0][
        "resource"
    ]
    assert resource["resourceType"] == "ProcedureRequest"
    assert resource["replaces"] == [{"reference": "ProcedureRequest/r1"}]
    # An order of another type is no ServiceRequest to replace.
    in_r4 = suggestions(replace(record, version=Version.R4))
    assert "Refer to neurology, urgent" in in_r4


def test_a_child_is_referred_in_the_same_words_twice() -> None:
    today = record_of_example({"weakness": "examined", "age_years": 7})
    assert "Refer to the paediatric team today" in card(today)["detail"]
    assert "Refer to the paediatric team, today" in suggestions(today)
    sign = record_of_example({"atrophy": "examined", "age_years": 7})
    assert "Refer to paediatric neurology" in suggestions(sign)


def test_tests_of_a_child_are_other_ones_beside_blood_tests() -> None:
    some = record_of_example({"atrophy": "examined", "age_years": 7})
    detail = card(some)["detail"]
    assert "Blood tests: " in detail
    assert "Other tests: for the paediatric team." in detail
    ids = [*KNOWLEDGE.table.actions["electrolytes"].analytes, "tsh"]
    done = replace(some, results=tuple(result(name, "in-range") for name in ids))
    detail = card(done)["detail"]
    assert "Blood tests: " not in detail
    assert "\nTests: for the paediatric team." in detail


def questions_of(record: Record) -> list[str]:
    detail: str = card(record)["detail"]
    lines = [line for line in detail.splitlines() if line.startswith("**Ask:** ")]
    return [f"{one}?" for line in lines for one in line.removeprefix("**Ask:** ").rstrip("?").split("? ")]


@pytest.mark.parametrize("record", [*RECORDS, record_of_example({"weakness": "examined"})])
def test_a_card_asks_at_most_three_questions(record: Record) -> None:
    assert len(questions_of(record)) <= 3


def test_breathing_is_one_question_with_its_answers() -> None:
    signs = {"weakness": "examined", "atrophy": "absent", "sensory-loss": "absent"}
    record = record_of_example(signs)
    assert questions_of(record) == [
        "Speech or swallowing difficulty?",
        "When did the weakness start?",
        "Breathing difficulty, also lying flat?",
    ]
    assert {"Breathing difficulty: absent", "Breathless lying flat: present"} <= set(suggestions(record))
    one = record_of_example({**signs, "breathing-difficulty": "absent"})
    assert "Breathless lying flat?" in questions_of(one)


def old_sign(name: str, days: int) -> Finding:
    entry = Evidence(
        f"Condition/{name}",
        "Condition.code",
        name,
        Status.PRESENT,
        Basis.LISTED,
        days_ago(days),
        history=True,
    )
    return Finding(name, Status.UNKNOWN, evidence=(entry,))


def test_what_is_not_asked_has_no_answers() -> None:
    """Old records are asked about before what is merely unknown."""
    record = record_of_example({"onset_days_ago": 20, **ABSENT})
    old = {name: old_sign(name, 900) for name in ("coordination", "movement", "upper-motor-sign", "rigidity")}
    record = replace(record, findings={**record.findings, **old})
    asked = questions_of(record)
    assert len(asked) == 3
    assert all("on the problem list since 2024: still there, or changing?" in one for one in asked)
    answered = {label.partition(":")[0] for label in suggestions(record) if label.endswith(": absent")}
    assert len(answered) == 3
    assert all(any(one.startswith(name) for one in asked) for name in answered)
