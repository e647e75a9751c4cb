"""A resource reaches its patient by every form of reference that an export has."""

from __future__ import annotations

import json

import pytest

from fhir_mappings.request.documents import owner_of
from fhir_mappings.request.export_lines import read_line
from service.population.patient_row import patient_row
from tests.population.exports import line, patient, study, twitch


@pytest.mark.parametrize(
    "reference",
    ["Patient/p1", "urn:uuid:p1", "https://ehr.example/fhir/Patient/p1", "p1", "Patient/p1/_history/2"],
)
def test_reference(reference: str) -> None:
    condition = line(**{**json.loads(twitch("p1")), "subject": {"reference": reference}})
    assert read_line(condition).owner == "p1"
    row = patient_row("p1", [patient("p1"), condition], study({"Patient", "Condition", "Observation"}))
    assert row["gate"] == "open"
    assert row["level"] != "none"


@pytest.mark.parametrize("name", ["c1", 7])
@pytest.mark.parametrize("reference", ["Group/p1", "#p1", "Patient?identifier=p1"])
def test_no_patient(reference: str, name: str | int) -> None:
    """Also where a member has another shape than FHIR's."""
    condition = line(resourceType="Condition", id=name, subject={"reference": reference})
    assert read_line(condition).owner == ""
    assert owner_of(condition) is None


@pytest.mark.parametrize("name", ["r1", 7])
@pytest.mark.parametrize(
    "reference",
    [
        "Medication/m1",
        "urn:uuid:m1",
        "https://ehr.example/fhir/Medication/m1",
        "m1",
        "Medication/m1/_history/2",
    ],
)
def test_medicine(reference: str, name: str | int) -> None:
    subject = {"reference": "Patient/p1"}
    for member in (
        {"medicationReference": {"reference": reference}},
        {"medication": {"reference": {"reference": reference}}},
    ):
        request = line(resourceType="MedicationRequest", id=name, subject=subject, **member)
        assert read_line(request).medicine == "Medication/m1"


@pytest.mark.parametrize("reference", ["#m1", "Group/m1", "Medication?code=1"])
def test_no_medicine(reference: str) -> None:
    request = line(resourceType="MedicationRequest", medicationReference={"reference": reference})
    assert read_line(request).medicine == ""
