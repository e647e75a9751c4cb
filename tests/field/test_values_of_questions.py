"""A finding in the value of an unknown question, and a Condition without a code: named, never silent."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Status
from tests.spec.records import condition, observation, read

TWITCH = condition("fasciculation")
LOCAL = {"system": "urn:example:codes", "code": "17"}


def asked(code: dict[str, Any], finding: str, **members: Any) -> dict[str, Any]:
    value = observation(finding)["code"]
    return observation(finding, code=code, valueCodeableConcept=value, **members)


@pytest.mark.parametrize(
    "code", [{"coding": [LOCAL]}, {"text": "Chief complaint"}, {"text": "Family history of"}]
)
def test_a_finding_in_the_value_of_an_unknown_question_is_named(code: dict[str, Any]) -> None:
    for finding in ("fasciculation", "weakness"):
        record = read(asked(code, finding))
        assert [(note.why, note.expression) for note in record.not_understood] == [
            ("its value names a finding, and its code is not known", "Observation.value")
        ]
        assert (record.twitch.status, record.finding("weakness").status) == (Status.UNKNOWN, Status.UNKNOWN)
        assert [note.in_words for note in record.unread] == ([True] if finding == "fasciculation" else [])


@pytest.mark.parametrize("finding", ["caffeine", "diabetes", "hypokalemia"])
def test_other_values_of_unknown_questions_are_not_named(finding: str) -> None:
    made = observation("weakness", code={"text": "Topic"}, valueCodeableConcept=condition(finding)["code"])
    assert read(TWITCH, made).not_understood == ()


@pytest.mark.parametrize("code", [None, {}, {"coding": []}, {"text": ""}])
def test_a_condition_without_a_code_is_named(code: dict[str, Any] | None) -> None:
    made = {**condition("weakness"), "code": code}
    record = read({key: value for key, value in made.items() if value is not None})
    assert [(note.why, note.expression) for note in record.not_understood] == [
        ("it has no code", "Condition.code")
    ]
