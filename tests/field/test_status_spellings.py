"""Statuses with an underscore, a blank or an American spelling."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.record import Band
from tests.spec.records import as_of, concept, exam, read, twitch
from tests.spec.test_results import LOINC, K, lab

TWITCH = twitch(20)
PERSON = {"reference": "Patient/p"}
IN_ERROR = ["entered_in_error", "Entered in Error", "ENTERED-IN-ERROR", "enteredInError"]
CANCELLED = ["canceled", "Cancelled", " CANCELED "]


def medicine(**members: Any) -> dict[str, Any]:
    request = {"resourceType": "MedicationRequest", "id": "m", "subject": PERSON, "intent": "order"}
    return {
        **request,
        "medicationCodeableConcept": {"text": "Furosemide"},
        "authoredOn": as_of(30),
        **members,
    }


@pytest.mark.parametrize("status", IN_ERROR + CANCELLED)
def test_what_never_was(status: str) -> None:
    record = read(TWITCH, lab(K, "6.9", status=status), exam(True, 1, status=status), medicine(status=status))
    assert not record.results
    assert not record.drugs
    assert "weakness" not in record.findings
    assert not record.not_understood


@pytest.mark.parametrize("status", ["on_hold", "On Hold", "ON-HOLD", "onHold"])
def test_what_is_on_hold(status: str) -> None:
    order = {"resourceType": "ServiceRequest", "id": "o", "status": status, "intent": "original_order"}
    order |= {"subject": PERSON, "code": concept(LOINC, "24323-8"), "authoredOn": as_of(3)}
    record = read(TWITCH, order, medicine(status=status))
    assert [found.status for found in record.orders] == ["on-hold"]
    assert [drug.why for drug in record.drugs] == [f"started on {as_of(30)}, before the twitch began"]


def test_another_word_stays_unrecognised() -> None:
    record = read(TWITCH, lab(K, "6.9", status="in_limbo"))
    assert [result.band for result in record.results] == [Band.CRITICAL]
    assert record.not_understood
