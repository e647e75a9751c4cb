"""Forms that published records of HL7, Synthea and national guides have: none of them is named as a fault."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.spec.records import as_of, condition, read

SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p"}
WORDS = {"text": "as the visit was planned"}
SNOMED = "http://snomed.info/sct"

# Of types that are not read, or told by a member inside of another: name of the models -> resources.
UNTOLD = {
    "r5-encounter": (
        "R5",
        {
            "resourceType": "Encounter",
            "status": "completed",
            "class": [{"text": "outpatient"}],
            "subject": SUBJECT,
            "actualPeriod": {"start": "2026-01-05"},
        },
    ),
    "r5-administration": (
        "R5",
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medication": {"concept": {"text": "Tablet"}},
            "subject": SUBJECT,
            "occurenceDateTime": "2026-01-05",
        },
    ),
    "r5-sampled-data": (
        "R5",
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "Tracing"},
            "subject": SUBJECT,
            "valueSampledData": {
                "origin": {"value": 0},
                "interval": 10,
                "intervalUnit": "ms",
                "dimensions": 1,
                "data": "1 2",
            },
        },
    ),
    "stu3-immunization": (
        "STU3",
        {
            "resourceType": "Immunization",
            "status": "completed",
            "notGiven": False,
            "vaccineCode": {"text": "Vaccine"},
            "patient": SUBJECT,
            "date": "2017-01-05",
            "primarySource": True,
        },
    ),
    "stu3-allergy": (
        "STU3",
        {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": "active",
            "verificationStatus": "confirmed",
            "patient": SUBJECT,
        },
    ),
    "r4-encounter": (
        "R4B",
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": SUBJECT,
            "hospitalization": {"dietPreference": [WORDS]},
        },
    ),
}


def issues(client: FlaskClient, *resources: dict[str, Any]) -> list[dict[str, Any]]:
    entries = [{"resource": {"id": f"n{number}", **made}} for number, made in enumerate(resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    found: list[dict[str, Any]] = client.post("/evaluate?validate=true", json=bundle).get_json()["outcome"][
        "issue"
    ]
    return found


@pytest.mark.parametrize("name", UNTOLD)
def test_a_resource_that_does_not_tell_its_version_is_valid_by_any(client: FlaskClient, name: str) -> None:
    version, resource = UNTOLD[name]
    names = [
        one["diagnostics"] for one in issues(client, PATIENT, resource) if one["severity"] == "information"
    ]
    assert any(f"valid FHIR {version}." in text or f"or {version}." in text for text in names)


@pytest.mark.parametrize("name", UNTOLD)
def test_what_no_version_has_is_a_fault_of_the_common_version(client: FlaskClient, name: str) -> None:
    resource = {**UNTOLD[name][1], "vendorScratch": 1}
    found = [one for one in issues(client, PATIENT, resource) if one["severity"] == "error"]
    assert "Bundle.entry[1].resource.vendorScratch" in {one["expression"][0] for one in found}
    assert all(one["diagnostics"].startswith("Not valid FHIR R4B: ") for one in found)


PLACE = {"coding": [{"system": "urn:example:sites", "code": "17"}]}
SYSTOLIC = {"code": {"text": "Systolic"}, "valueQuantity": {"value": 120}}
TWITCH = {"coding": [{"system": SNOMED, "code": "82470000"}]}


def measured(code: dict[str, Any], *components: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "measured",
        "status": "final",
        "code": code,
        "subject": SUBJECT,
        "effectiveDateTime": as_of(2),
        "bodySite": PLACE,
        "component": list(components),
    }


NO_FINDING = [
    measured({"text": "Blood pressure"}, SYSTOLIC),
    measured({"coding": [{"system": SNOMED, "code": "0", "display": "Acuity"}]}, SYSTOLIC, SYSTOLIC),
    measured({"text": "Blood pressure"}),
]
FINDING = [
    measured(TWITCH),
    measured({"text": "Examination"}, {"code": TWITCH, "valueBoolean": True}),
]


def sites_named(resource: dict[str, Any]) -> list[str]:
    record = read(condition("fasciculation", onsetDateTime=as_of(30)), resource)
    return [note.reference for note in record.not_understood if note.why == "body site not understood"]


@pytest.mark.parametrize("resource", NO_FINDING)
def test_the_place_of_a_measurement_is_no_note(resource: dict[str, Any]) -> None:
    assert sites_named(resource) == []


@pytest.mark.parametrize("resource", FINDING)
def test_an_unknown_place_of_a_finding_is_named(resource: dict[str, Any]) -> None:
    assert sites_named(resource) == ["Observation/measured"]


@pytest.mark.parametrize(
    ("total", "albumin", "shown"),
    [
        (8.836983495998435, 4.858394661486322, "adjusted for albumin 4.858 g/dL, total 8.837"),
        (8.8, 4.9, "adjusted for albumin 4.9 g/dL, total 8.8"),
        (8, 4, "adjusted for albumin 4 g/dL, total 8"),
    ],
)
def test_what_adjusted_a_calcium_is_shown_with_four_digits(
    client: FlaskClient, total: float, albumin: float, shown: str
) -> None:
    twitch = condition("fasciculation", onsetDateTime=as_of(3))
    results = [
        {
            "resourceType": "Observation",
            "id": name,
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": SUBJECT,
            "effectiveDateTime": as_of(2),
            "valueQuantity": {
                "value": value,
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
        for name, code, value, unit in (("ca", "17861-6", total, "mg/dL"), ("alb", "1751-7", albumin, "g/dL"))
    ]
    entries = [{"resource": made} for made in (PATIENT, twitch, *results)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (card,) = client.post(f"/evaluate?asOf={as_of(0)}", json=bundle).get_json()["cards"]
    assert shown in card["detail"]
