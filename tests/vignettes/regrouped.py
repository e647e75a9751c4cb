"""A Bundle of any version as the prefetch of a hook request: the same, one search result per list."""

from __future__ import annotations

from typing import Any

from tests.vignettes.resources import Resource

_KEYS = {
    "Condition": "conditions",
    "MedicationRequest": "medications",
    # Included with the requests that name it.
    "Medication": "medications",
    "MedicationStatement": "medicationStatements",
    "ServiceRequest": "orders",
    "ProcedureRequest": "orders",
    "Procedure": "procedures",
    "DiagnosticReport": "reports",
    "FamilyMemberHistory": "familyHistory",
    "QuestionnaireResponse": "questionnaireResponses",
}
KEYS = ("patient", "conditions", "findings", "labs", "examinations", *dict.fromkeys(list(_KEYS.values())[1:]))


def prefetch_of(bundle: Resource) -> dict[str, Any]:
    """Every key supplied; what belongs to none of them stands with the findings, an outcome nowhere."""
    lists: dict[str, list[Any]] = {key: [] for key in KEYS}
    for entry in bundle["entry"]:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if kind == "OperationOutcome":
            # In a list it says that the list is not whole.
            continue
        if kind == "Patient":
            lists["patient"].append(resource)
            continue
        key = _KEYS.get(str(kind)) or ("labs" if "laboratory" in str(resource) else "findings")
        lists[key].append(entry)
    (patient,) = lists.pop("patient")
    return {"patient": patient, **{key: _searchset(found) for key, found in lists.items()}}


def _searchset(entries: list[Any]) -> Resource:
    made: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return {**made, "entry": entries} if entries else made
