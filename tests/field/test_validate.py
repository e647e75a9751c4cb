"""`validate` on the command line: "all of it can be used" only where all of it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.command_line.running import DAY, bundle_of, run

WHOLE = "all of it can be used"
SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p"}
TWITCH = {
    "resourceType": "Condition",
    "id": "c",
    "subject": SUBJECT,
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "82470000"}]},
}


def condition(**code: Any) -> dict[str, Any]:
    return {**TWITCH, "code": code}


UNKNOWN = {
    "a-local-code": condition(coding=[{"system": "urn:oid:1.2.3", "code": "X1"}]),
    "a-local-code-with-words": condition(
        coding=[{"system": "urn:oid:1.2.3", "code": "X1", "display": "Skin rash"}], text="Skin rash"
    ),
    "a-code-without-system": condition(coding=[{"code": "X1"}]),
    "words-alone": condition(text="Skin rash"),
    "an-unknown-code-of-a-known-system": condition(
        coding=[{"system": "http://snomed.info/sct", "code": "271807003"}]
    ),
    "a-laboratory-code": {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": SUBJECT,
        "code": {"coding": [{"system": "urn:oid:1.2.3", "code": "K"}]},
        "valueQuantity": {"value": 4.1, "unit": "mmol/L"},
    },
    "a-medicine": {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "active",
        "subject": SUBJECT,
        "medicationCodeableConcept": {"coding": [{"system": "urn:oid:1.2.3", "code": "M"}]},
    },
}
FAULTY: dict[str, Any] = {
    "an-entry-without-type": {"id": "x"},
    "an-onset-that-is-no-day": {**TWITCH, "onsetDateTime": "some day"},
    "another-patient": {**TWITCH, "subject": {"reference": "Patient/q"}},
    "a-resource-that-is-a-text": "Condition",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_code_is_counted_where_the_record_is_judged(name: str) -> None:
    ran = run("validate", DAY, "-", stdin=bundle_of(PATIENT, UNKNOWN[name]))
    assert WHOLE not in ran.out
    assert "not recognised: 1 code, listed below" in ran.out
    assert "Codes that no value set knows" in ran.out
    assert ran.code == 3


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_not_understood_is_no_whole_record(name: str) -> None:
    ran = run("validate", DAY, "-", stdin=bundle_of(PATIENT, TWITCH, FAULTY[name]))
    assert WHOLE not in ran.out
    assert ran.code == 3


def test_a_record_of_known_codes_is_used_whole() -> None:
    ran = run("validate", DAY, "-", stdin=bundle_of(PATIENT, TWITCH))
    assert WHOLE in ran.out
    assert "not recognised" not in ran.out
    assert ran.code == 0
