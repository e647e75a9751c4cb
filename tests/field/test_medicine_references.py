"""Medicines that a record refers to: beside it, contained, by identifier, or by a display alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.record import Record
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.to_findings import record_of
from tests.field.test_medicines import BEFORE, TWITCH
from tests.spec.records import DAY, KNOWLEDGE
from tests.spec.test_drugs_of_a_record import request


def medication(name: str = "x1", text: str = "Furosemide 40 mg", **members: Any) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": name, "code": {"text": text}, **members}


def of_entries(*entries: tuple[str | None, dict[str, Any]]) -> Record:
    patient = {"resourceType": "Patient", "id": "p"}
    found = [{"resource": patient}, {"resource": TWITCH}]
    found += [{"resource": resource} | ({"fullUrl": url} if url else {}) for url, resource in entries]
    body = {"resourceType": "Bundle", "type": "collection", "entry": found}
    submission = decode_bundle(json.dumps(body).encode())
    return record_of(submission, KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)


def referring(reference: Any, **members: Any) -> dict[str, Any]:
    written = {"reference": reference} if isinstance(reference, str) else reference
    return request(medicationCodeableConcept=None, medicationReference=written, authoredOn=BEFORE, **members)


URL = "https://ehr.example/r4/Medication/x1"
UUID = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
LOCAL = {"system": "https://ehr.example/drugs", "value": "F40"}


@pytest.mark.parametrize(
    ("url", "reference"),
    [
        (None, "Medication/x1"),
        (None, "/Medication/x1"),
        (None, "Medication/x1/_history/3"),
        (None, "https://ehr.example/r4/Medication/x1"),
        (URL, "Medication/x1"),
        (URL, URL),
        (URL, "http://EHR.example:80/r4/Medication/x1"),
        (URL, "http://internal:8080/r4/Medication/x1"),
        (UUID, UUID.upper()),
        (UUID, {"reference": UUID, "type": "Medication"}),
        (None, {"identifier": LOCAL}),
        (None, {"type": "Medication", "identifier": LOCAL, "display": "A tablet"}),
    ],
)
def test_a_medication_beside_the_record(url: str | None, reference: Any) -> None:
    record = of_entries((None, referring(reference)), (url, medication(identifier=[LOCAL])))
    assert [drug.classes for drug in record.drugs] == [{"loop-diuretic"}]
    assert record.not_understood == ()


@pytest.mark.parametrize("reference", ["#m", "m"])
def test_a_contained_medication(reference: str) -> None:
    record = of_entries((None, referring(reference, contained=[medication("m")])))
    assert [drug.classes for drug in record.drugs] == [{"loop-diuretic"}]


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Medication/gone", "display": "furosemide (LASIX) 40 MG tablet"},
        {"display": "furosemide (LASIX) 40 MG tablet"},
        {"identifier": {**LOCAL, "value": "other"}, "display": "furosemide (LASIX) 40 MG tablet"},
    ],
)
def test_a_display_alone(reference: dict[str, Any]) -> None:
    record = of_entries((None, referring(reference)))
    assert [drug.classes for drug in record.drugs] == [{"loop-diuretic"}]


@pytest.mark.parametrize(
    "reference",
    [
        "Medication/x2",
        "https://ehr.example/r4/Medication/x11",
        "Substance/x1",
        UUID,
        "#x1",
        {"identifier": LOCAL},
    ],
)
def test_another_medication(reference: Any) -> None:
    record = of_entries((None, referring(reference)), (URL, medication()))
    (drug,) = record.drugs
    assert (drug.classes, drug.raises_potassium) == (frozenset(), True)
    assert "the medicine it refers to was not supplied" in {note.why for note in record.not_understood}


def test_two_medications_of_one_id_on_two_servers() -> None:
    first, second = (URL, medication()), ("https://b.example/Medication/x1", medication(text="Sertraline"))
    for entries in ((first, second), (second, first)):
        record = of_entries((None, referring(URL)), *entries)
        assert [drug.classes for drug in record.drugs] == [{"loop-diuretic"}]
        record = of_entries((None, referring("Medication/x1")), *entries)
        assert [drug.classes for drug in record.drugs] == [set()]
        assert "the medicine it refers to was not supplied" in {note.why for note in record.not_understood}


def test_two_medications_of_one_identifier() -> None:
    two = [
        (None, medication(name, text, identifier=LOCAL))
        for name, text in (("a", "Furosemide"), ("b", "Zoloft"))
    ]
    record = of_entries((None, referring({"identifier": LOCAL})), *two)
    assert [drug.classes for drug in record.drugs] == [set()]
