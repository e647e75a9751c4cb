"""Whose a resource is: the ways in which servers and gateways write a reference to the same patient.

The decision day is 2026-11-24; each record holds a twitch whose subject is written in one way.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from fhir_mappings.record import Note, Record
from fhir_mappings.request.bundles import decode_bundle, submission_of_prefetch
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.submission import PatientError
from fhir_mappings.to_findings import record_of
from tests.spec.records import DAY, KNOWLEDGE, condition, observation

UUID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
MRN = {"system": "https://ehr.example/mrn", "value": "E-123"}
OTHER = "belongs to another patient"
UNMATCHED = "names a patient that cannot be matched with this one"
NO_PATIENT = "names no patient, so it cannot be checked"
NOT_A_PATIENT = "is about something that is not a patient"
OTHER_FOCUS = "its focus is not known to be this patient"


def patient(name: str | None = "p1", **members: Any) -> dict[str, Any]:
    made = {"resourceType": "Patient", "birthDate": "1980-01-01", "identifier": [MRN], **members}
    return made if name is None else {**made, "id": name}


def of(subject: Any, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    made = condition("fasciculation") if resource is None else resource
    written = {"reference": subject} if isinstance(subject, str) else subject
    return {**made, "subject": written}


def entry(resource: dict[str, Any], url: str | None = None) -> dict[str, Any]:
    return {"resource": resource} | ({"fullUrl": url} if url else {})


def of_bundle(*entries: dict[str, Any]) -> Record:
    body = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    return record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)


def of_prefetch(who: dict[str, Any] | None, *resources: dict[str, Any]) -> Record:
    found = {"resourceType": "Bundle", "type": "searchset", "entry": [entry(item) for item in resources]}
    lists = {"conditions": found} | ({} if who is None else {"patient": who})
    raw = {key: msgspec.Raw(json.dumps(value).encode()) for key, value in lists.items()}
    submission = submission_of_prefetch(raw, "p1")
    return record_of(submission, KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)


def is_seen(record: Record) -> bool:
    return bool(record.twitch.evidence)


SAME = [
    # --- the patient's fullUrl, the subject
    ("https://ehr.example/r4/Patient/p1", "http://ehr.example/r4/Patient/p1"),
    ("http://ehr.example/r4/Patient/p1", "https://ehr.example/r4/Patient/p1"),
    ("https://ehr.example/r4/Patient/p1", "https://ehr.example:443/r4/Patient/p1"),
    ("http://ehr.example:80/r4/Patient/p1", "http://ehr.example/r4/Patient/p1"),
    ("https://ehr.example/r4/Patient/p1", "HTTPS://EHR.Example/r4/Patient/p1"),
    ("https://ehr.example/r4/Patient/p1", "http://internal:8080/fhir/Patient/p1"),
    ("https://ehr.example/r4/Patient/p1", "Patient/p1"),
    ("https://ehr.example/r4/Patient/p1", "/Patient/p1"),
    ("https://ehr.example/r4/Patient/p1/", "https://ehr.example/r4/Patient/p1"),
    ("https://ehr.example/r4/Patient/p1/_history/7", "https://ehr.example/r4/Patient/p1/_history/2"),
    (None, "https://ehr.example/r4/Patient/p1"),
    (None, "Patient/p1/_history/2"),
    (None, " Patient/p1 "),
    (None, "p1"),
    (None, "Patient?identifier=https://ehr.example/mrn|E-123"),
    (None, "Patient?identifier=https%3A%2F%2Fehr.example%2Fmrn%7CE-123"),
    (None, "https://ehr.example/r4/Patient?_id=p1"),
    (None, {"type": "Patient", "identifier": MRN}),
    (None, {"identifier": MRN, "display": "A patient"}),
    (f"urn:uuid:{UUID}", f"urn:uuid:{UUID.upper()}"),
    (f"urn:uuid:{UUID.upper()}", f"urn:uuid:{UUID}"),
    (f"URN:UUID:{UUID}", f"urn:uuid:{UUID}"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "subject"), SAME)
def test_the_same_patient(url: str | None, subject: Any) -> None:
    record = of_bundle(entry(patient(), url), entry(of(subject)))
    assert is_seen(record)
    assert record.not_used == ()


@pytest.mark.parametrize("subject", [subject for url, subject in SAME if "urn" not in str(url).lower()])
def test_the_same_patient_by_prefetch(subject: Any) -> None:
    record = of_prefetch(patient(), of(subject))
    assert is_seen(record)
    assert "conditions" not in record.not_seen


def test_a_patient_whose_id_is_the_uuid_of_a_reference() -> None:
    assert is_seen(of_bundle(entry(patient(UUID)), entry(of(f"urn:uuid:{UUID.upper()}"))))


def test_a_patient_with_a_url_alone() -> None:
    url = "https://ehr.example/r4/Patient/p1"
    assert is_seen(of_bundle(entry(patient(None), url), entry(of("Patient/p1"))))
    assert is_seen(of_bundle(entry(patient(None), url), entry(of("http://proxy/Patient/p1"))))


ANOTHER = [
    ("Patient/p2", OTHER),
    ("Patient/P1", OTHER),
    ("Patient/xp1", OTHER),
    ("p2", OTHER),
    ("https://ehr.example/r4/Patient/p2", OTHER),
    ("http://ehr.example/r4/Patient/p11", OTHER),
    ("https://ehr.example/Patient/p1/Patient/p2", OTHER),
    ({"reference": "Patient/p2", "identifier": MRN}, OTHER),
    ("Group/p1", NOT_A_PATIENT),
    ("https://ehr.example/r4/Device/p1", NOT_A_PATIENT),
    ("Location/p1", NOT_A_PATIENT),
    ({"type": "Group", "identifier": MRN}, NOT_A_PATIENT),
    (f"urn:uuid:{UUID}", UNMATCHED),
    ("urn:oid:1.2.3", UNMATCHED),
    ("A patient of ours", UNMATCHED),
    ("Patient?identifier=https://ehr.example/mrn|E-124", UNMATCHED),
    ("Patient?identifier=E-123", UNMATCHED),
    ("Patient?identifier=https://ehr.example/mrn|E-123&active=true", UNMATCHED),
    ("Group?identifier=https://ehr.example/mrn|E-123", UNMATCHED),
    ("Patient?_id=p2", UNMATCHED),
    ("https://ehr.example/r4/Patient/p2?of=/Patient/p1", UNMATCHED),
    ("https://ehr.example/r4/Patient/p2#/Patient/p1", UNMATCHED),
    ("Patient/p1#name", UNMATCHED),
    ("p1#name", UNMATCHED),
    ("Group/g1#/Patient/p1", NOT_A_PATIENT),
    ("Group/g1?of=/Patient/p1", UNMATCHED),
    ("?", UNMATCHED),
    ({"identifier": {**MRN, "value": "E-124"}}, UNMATCHED),
    ({"identifier": {**MRN, "system": "https://other.example/mrn"}}, UNMATCHED),
    ({"identifier": {"value": "E-123"}}, NO_PATIENT),
    ({"identifier": 5}, NO_PATIENT),
    ({"display": "A patient"}, NO_PATIENT),
    ({}, NO_PATIENT),
    ("#p1", "names a patient of its own, so it cannot be checked"),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "why"), ANOTHER)
def test_another_patient_and_why(subject: Any, why: str) -> None:
    url = "https://ehr.example/r4/Patient/p1"
    record = of_bundle(entry(patient(), url), entry(of(subject)))
    assert not is_seen(record)
    assert record.not_used == (Note("Condition/fasciculation", why),)
    record = of_prefetch(patient(), of(subject))
    assert not is_seen(record)
    assert "conditions" in record.not_seen


def test_a_subject_cannot_be_matched_with_a_patient_without_a_name() -> None:
    record = of_bundle(entry(patient(None)), entry(of("Patient/p1")))
    assert record.not_used == (Note("Condition/fasciculation", UNMATCHED),)


def test_an_identifier_without_the_patient_cannot_be_matched() -> None:
    record = of_prefetch(None, of({"identifier": MRN}))
    assert record.not_used == (Note("Condition/fasciculation", UNMATCHED),)


def test_two_patients_of_two_servers_with_one_id_are_two() -> None:
    first, second = ("https://a.example/Patient/p1", "https://b.example/Patient/p1")
    with pytest.raises(PatientError, match="several"):
        of_bundle(entry(patient(), first), entry(patient(), second), entry(of(first)))
    # two addresses of one server
    assert is_seen(of_bundle(entry(patient(), first), entry(patient(), "http://a.example/Patient/p1"),
                             entry(of("Patient/p1"))))  # fmt: skip


@pytest.mark.parametrize(
    "members",
    [
        {"focus": [{"reference": "RelatedPerson/1"}]},
        {"focus": [{"reference": "Patient/p2"}]},
        {"focus": [{"reference": "Patient/p1"}, {"reference": "Patient/p2"}]},
        {"focus": {"reference": "RelatedPerson/1"}},
        {"focus": [{"reference": "#fetus"}]},
        {"focus": [{"display": "Fetus"}]},
        {"focus": [{"identifier": {"system": "https://ehr.example/mrn", "value": "E-9"}}]},
        {"focus": [{"reference": "Device/1"}]},
        {"focus": [{"reference": "Group/1"}]},
        {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/observation-focusCode"}]},
        {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/observation-focal-subject"}]},
    ],
)
def test_a_finding_about_somebody_else(members: dict[str, Any]) -> None:
    weak = of("Patient/p1", observation("weakness", valueBoolean=True, **members))
    record = of_bundle(entry(patient()), entry(weak))
    assert "weakness" not in record.findings
    assert record.not_used == (Note("Observation/weakness", OTHER_FOCUS),)


@pytest.mark.parametrize(
    "focus",
    [
        None,
        [],
        [None],
        [{"reference": "Patient/p1"}],
        [{"reference": "https://ehr.example/r4/Patient/p1"}],
        [{"reference": "Condition/c1"}],
        [{"reference": "https://ehr.example/r4/Specimen/s1"}],
        [{"reference": "BodyStructure/b1"}],
    ],
)
def test_a_focus_that_is_of_the_patient(focus: Any) -> None:
    weak = of("Patient/p1", observation("weakness", valueBoolean=True, focus=focus))
    record = of_bundle(entry(patient()), entry(weak))
    assert "weakness" in record.findings
    assert record.not_used == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://EHR.example:443/R4/Patient/P1/", "https://ehr.example/R4/Patient/P1"),
        ("http://ehr.example:8080/Patient/p1", "https://ehr.example:8080/Patient/p1"),
        ("/Patient/p1/_history/2", "Patient/p1"),
        ("URN:UUID:ABC", "urn:uuid:abc"),
        ("Patient/P1", "Patient/P1"),
        ("http://", "http:"),
        ("", ""),
    ],
)
def test_a_reference_as_it_is_compared(written: str, read: str) -> None:
    assert plain(written) == read


def test_a_call_reads_a_logical_reference(client: FlaskClient) -> None:
    conditions = {"resourceType": "Bundle", "type": "searchset", "entry": [entry(of({"identifier": MRN}))]}
    body = {
        "hook": "patient-view",
        "hookInstance": UUID,
        "context": {"userId": "Practitioner/x", "patientId": "p1"},
        "prefetch": {"patient": patient(), "conditions": conditions, "findings": None},
        "extension": {"org.fasciculation-cds": {"asOf": DAY.isoformat()}},
    }
    answer = client.post("/cds-services/fasciculation-patient-view", json=body)
    assert answer.get_json()["cards"]
