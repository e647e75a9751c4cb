"""Resources of which large bodies are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.spec.records import KNOWLEDGE, as_of, concept, condition, observation

Resource = dict[str, Any]


def listed(resources: Iterable[Resource]) -> Resource:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def twitching(number: int = 0) -> Resource:
    return condition("fasciculation", id=f"t{number}", onsetDateTime=as_of(40))


def medicine(number: int, name: str) -> Resource:
    return prescription(number, medicationCodeableConcept={"text": name}, authoredOn=as_of(0))


def study(number: int) -> Resource:
    """An order of a needle examination."""
    system, code = min(key for key, name in KNOWLEDGE.terminology.procedures.items() if name == "emg")
    order = {"resourceType": "ServiceRequest", "status": "active", "intent": "order"}
    return {**order, "id": f"s{number}", "subject": {"reference": "Patient/p"}, "code": concept(system, code)}


def result(text: str) -> Resource:
    code = min(code for system, code in KNOWLEDGE.terminology.analyte_codes if "loinc" in system)
    coding = {"system": "http://loinc.org", "code": code}
    return observation("fasciculation", code={"coding": [coding]}, valueString=text)


def prescription(number: int, **members: Any) -> Resource:
    order = {"resourceType": "MedicationRequest", "status": "active", "intent": "order"}
    return {**order, "id": f"r{number}", "subject": {"reference": "Patient/p"}, **members}
