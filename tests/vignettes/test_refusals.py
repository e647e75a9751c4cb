"""A record about nobody, about two, or about somebody else is refused; no answer gives its content away."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import Any

import msgspec
import pytest

from fhir_mappings.request.bundles import decode_bundle, submission_of_prefetch
from fhir_mappings.resources.submission import PatientError
from service.evaluation import Evaluation, Evaluator
from service.knowledge import Knowledge, load_knowledge
from tests.vignettes.dialects import BUNDLES, DIALECTS
from tests.vignettes.patient import AS_OF, BY_ID

NAME = "Zzyzwicz"
PERSON = BY_ID["v39"]
IN_EACH = pytest.mark.parametrize("dialect", BUNDLES)


@cache
def knowledge() -> Knowledge:
    return load_knowledge()


def answered(bundle: dict[str, Any], as_of: date = AS_OF) -> Evaluation:
    return Evaluator(knowledge(), "https://cds.example.org").evaluate(
        decode_bundle(json.dumps(bundle).encode()),
        as_of,
        hook_instance="00000000-0000-4000-8000-000000000000",
    )


def patient_entry(bundle: dict[str, Any]) -> dict[str, Any]:
    return next(e for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")


@IN_EACH
def test_nobody(dialect: str) -> None:
    """Two patients are spoken of in the mess, one in the rest: without a Patient nobody knows which."""
    bundle = BUNDLES[dialect](PERSON)
    bundle["entry"].remove(patient_entry(bundle))
    for entry in bundle["entry"]:
        for key in ("subject", "patient", "asserter"):
            entry["resource"].pop(key, None)
    with pytest.raises(PatientError) as caught:
        answered(bundle)
    assert caught.value.kind == "none"
    assert PERSON.id not in str(caught.value)


@IN_EACH
def test_two(dialect: str) -> None:
    bundle = BUNDLES[dialect](PERSON)
    patient_entry(bundle)["resource"]["name"] = [{"family": NAME}]
    other = {
        "resourceType": "Patient",
        "id": "somebody-else",
        "birthDate": "1950",
        "name": [{"family": NAME}],
    }
    bundle["entry"].append({"fullUrl": "urn:uuid:11111111-1111-4111-8111-111111111111", "resource": other})
    with pytest.raises(PatientError) as caught:
        answered(bundle)
    assert caught.value.kind == "several"
    for word in (PERSON.id, "somebody-else", NAME):
        assert word not in str(caught.value)


def test_somebody_else() -> None:
    """The caller names one patient and sends another's record: nothing of it is used."""
    made = DIALECTS["prefetch"](PERSON)
    prefetch = msgspec.json.decode(json.dumps(made).encode(), type=dict[str, msgspec.Raw])
    result = Evaluator(knowledge(), "https://cds.example.org").evaluate(
        submission_of_prefetch(prefetch, "somebody-else"),
        AS_OF,
        hook_instance="00000000-0000-4000-8000-000000000000",
    )
    # One Observation may be in several lists.
    sent = len({entry["resource"]["id"] for value in made.values() for entry in value.get("entry", ())})
    assert result.cards == []
    assert result.assessment["patient"] == "somebody-else"
    assert len(result.assessment["notUsed"]) == sent + 1
    assert {item["status"] for item in result.assessment["findings"]} == {"unknown"}
    for member in ("drugs", "results", "rows", "recommendations"):
        assert result.assessment[member] == []


@IN_EACH
def test_what_cannot_be_read_is_named_but_not_repeated(dialect: str) -> None:
    bundle = BUNDLES[dialect](PERSON)
    whole = answered(bundle).assessment
    about = next(
        entry["resource"]["subject"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] in ("Observation", "Condition")
        and "-other-" not in entry["resource"].get("id", "")
    )
    broken = {"resourceType": "Observation", "id": "bad", "subject": about, "valueBoolean": {"text": NAME}}
    impossible = {
        "resourceType": "Condition",
        "id": "worse",
        "subject": about,
        "code": {"text": NAME},
        "onsetDateTime": f"31 {NAME}",
    }
    bundle["entry"] += [
        {"resource": broken, "fullUrl": "https://ehr.example.org/fhir/Observation/bad"},
        {"resource": impossible, "fullUrl": "https://ehr.example.org/fhir/Condition/worse"},
    ]
    result = answered(bundle)
    named = {note["reference"] for note in result.assessment["notUnderstood"]}
    assert "Observation/bad" in named
    assert NAME not in json.dumps([result.assessment["notUnderstood"], result.assessment["notUsed"]])
    for member in ("level", "rows", "recommendations"):
        assert result.assessment[member] == whole[member]
