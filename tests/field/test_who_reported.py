"""Who said so, by references that name no type: to another entry, or to what the resource contains."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.record import Basis
from fhir_mappings.request.bundles import decode_bundle
from fhir_mappings.to_findings import record_of
from tests.spec.records import DAY, KNOWLEDGE, condition, exam, twitch

URN = "urn:uuid:0b1c6d0e-0000-4000-8000-00000000000{}"
PATIENT, RELATIVE, FORM, DOCTOR = map(URN.format, range(4))
OTHERS = {
    PATIENT: {"resourceType": "Patient", "birthDate": "1980-01-01"},
    RELATIVE: {"resourceType": "RelatedPerson", "patient": {"reference": PATIENT}},
    FORM: {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": PATIENT}},
    DOCTOR: {"resourceType": "Practitioner"},
}
CONTAINED = [{"resourceType": "RelatedPerson", "id": "r"}, {"resourceType": "Practitioner", "id": "d"}]


def basis(made: dict[str, Any]) -> Basis | None:
    about = [{**one, "subject": {"reference": PATIENT}} for one in (twitch(20), made)]
    entries = [{"fullUrl": url, "resource": one} for url, one in OTHERS.items()]
    entries += [{"resource": one} for one in about]
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
    record = record_of(decode_bundle(body), KNOWLEDGE.terminology, DAY, KNOWLEDGE.reading)
    return record.finding("weakness").basis


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"performer": [{"reference": PATIENT}]}, Basis.REPORTED),
        ({"performer": [{"reference": RELATIVE}]}, Basis.REPORTED),
        ({"performer": [{"reference": "#r"}], "contained": CONTAINED}, Basis.REPORTED),
        ({"derivedFrom": [{"reference": FORM}]}, Basis.REPORTED),
        ({"related": [{"type": "derived-from", "target": {"reference": FORM}}]}, Basis.REPORTED),
        ({"performer": [{"reference": DOCTOR}]}, Basis.EXAMINED),
        ({"performer": [{"reference": "#d"}], "contained": CONTAINED}, Basis.EXAMINED),
        ({"performer": [{"reference": "#other"}], "contained": CONTAINED}, Basis.EXAMINED),
        ({"performer": [None, {"display": "A doctor"}]}, Basis.EXAMINED),
    ],
)
@pytest.mark.parametrize("present", [True, False])
def test_the_basis_of_an_observation(members: dict[str, Any], found: Basis, present: bool) -> None:
    assert basis(exam(present, 1, **members)) is found


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"asserter": {"reference": PATIENT}}, Basis.REPORTED),
        ({"asserter": {"reference": "#r"}, "contained": CONTAINED}, Basis.REPORTED),
        ({"participant": [{"actor": {"reference": RELATIVE}}]}, Basis.REPORTED),
        ({"asserter": {"reference": DOCTOR}}, Basis.LISTED),
        ({"asserter": {"reference": "#d"}, "contained": CONTAINED}, Basis.LISTED),
    ],
)
def test_the_basis_of_a_condition(members: dict[str, Any], found: Basis) -> None:
    assert basis(condition("weakness", **members)) is found
