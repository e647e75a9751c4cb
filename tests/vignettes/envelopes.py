"""Bundles of every type, and a prefetch, around resources that are all about SUBJECT."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from tests.vignettes.patient import AS_OF, Person
from tests.vignettes.resources import SUBJECT, Resource

# Drawn from a fixed name, so that every run writes the same bundle.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "vignettes.example.org")

PREFETCH_TYPES = {
    "conditions": "Condition",
    "medications": "MedicationRequest",
    "medicationStatements": "MedicationStatement",
    "orders": "ServiceRequest",
    "procedures": "Procedure",
    "reports": "DiagnosticReport",
    "familyHistory": "FamilyMemberHistory",
    "questionnaireResponses": "QuestionnaireResponse",
}

# The categories of the prefetch key `examinations`.
EXAMINATIONS = ("exam", "survey", "social-history")


def about(value: Any, reference: str) -> Any:
    """The value with every reference to SUBJECT replaced."""
    if value == SUBJECT:
        return {"reference": reference}
    if isinstance(value, dict):
        return {key: about(member, reference) for key, member in value.items()}
    if isinstance(value, list):
        return [about(item, reference) for item in value]
    return value


def named(person: Person, found: Sequence[Resource]) -> list[Resource]:
    """The resources with ids, and references to the patient's id; the first is the Patient."""
    made = []
    for number, resource in enumerate(found):
        resource_id = person.id if number == 0 else f"{person.id}-{number}"
        members = about(resource, f"Patient/{person.id}")
        made.append({"resourceType": resource["resourceType"], "id": resource_id, **members})
    return made


def collection(person: Person, found: Sequence[Resource]) -> dict[str, Any]:
    """A collection without full URLs."""
    entries = [{"resource": resource} for resource in named(person, found)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def searchset(person: Person, found: Sequence[Resource]) -> dict[str, Any]:
    """A search result, the patient last."""
    entries = [
        {
            "fullUrl": f"https://fhir.example.org/r4/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in named(person, found)
    ]
    entries.append(entries.pop(0))
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def transaction(person: Person, found: Sequence[Resource]) -> dict[str, Any]:
    """A transaction whose resources have no id: they are named by urn:uuid."""
    urls = [f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{person.id} {number}')}" for number, _ in enumerate(found)]
    entries = [
        {
            "fullUrl": url,
            "resource": about(resource, urls[0]),
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for url, resource in zip(urls, found, strict=True)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def document(person: Person, found: Sequence[Resource]) -> dict[str, Any]:
    """A document: a Composition first."""
    composition = {
        "resourceType": "Composition",
        "id": f"{person.id}-summary",
        "status": "final",
        "type": {"text": "Patient summary"},
        "subject": {"reference": f"Patient/{person.id}"},
        "date": AS_OF.isoformat(),
        "author": [{"display": "Practice"}],
        "title": "Patient summary",
    }
    entries = [
        {"fullUrl": f"https://gp.example.org/{made['resourceType']}/{made['id']}", "resource": made}
        for made in [composition, *named(person, found)]
    ]
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "https://gp.example.org/documents", "value": f"{person.id}-summary"},
        "timestamp": f"{AS_OF.isoformat()}T09:30:00Z",
        "entry": entries,
    }


def grouped(person: Person, found: Sequence[Resource]) -> dict[str, Any]:
    """A prefetch with every key: the patient, and one search result per list, empty ones without entry."""
    made = named(person, found)
    labs = [r for r in made if r["resourceType"] == "Observation" and _is_laboratory(r)]
    findings = [r for r in made if r["resourceType"] == "Observation" and not _is_laboratory(r)]
    lists = {key: [r for r in made if r["resourceType"] == kind] for key, kind in PREFETCH_TYPES.items()}
    examinations = [r for r in findings if any(name in str(r.get("category", "")) for name in EXAMINATIONS)]
    lists |= {"findings": findings, "labs": labs, "examinations": examinations}
    return {"patient": made[0], **{key: _matches(members) for key, members in lists.items()}}


def _is_laboratory(resource: Resource) -> bool:
    return "laboratory" in str(resource.get("category", ""))


def _matches(members: list[Resource]) -> dict[str, Any]:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(members)}
    if members:
        bundle["entry"] = [{"resource": member, "search": {"mode": "match"}} for member in members]
    return bundle
