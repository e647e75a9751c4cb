"""A record as an EHR really sends it: nothing in it changes the patient, all of it gets in the way.

Absolute references, months instead of days where days do not matter, instants in a far time zone, local codes
beside the known ones, members of the vendor's own, an operation outcome among the matches, resources of types
that do not exist, every statement once more as its opposite, entered in error, and another patient's.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tests.vignettes import codes
from tests.vignettes.envelopes import about, named
from tests.vignettes.patient import AS_OF, Person
from tests.vignettes.resources import Resource, condition, observation

BASE = "https://ehr.example.org/fhir/"
OTHER = "someone-else"
VENDOR_MEMBER = "vendorScratch"
NO_SUCH_TYPE = "PatientMood"
# Older than this, a day may be given as its month without changing any duration that matters.
_MONTH_IS_ENOUGH = timedelta(days=100)


def searchset(person: Person, found: Sequence[Resource]) -> dict[str, Any]:
    """The mess: a search result with one page, the patient somewhere in the middle."""
    made = [
        _grimy(about_absolute(resource, person.id), number)
        for number, resource in enumerate(named(person, found))
    ]
    wrong = [_entered_in_error(resource) for resource in made[1:] if _has_error_status(resource)]
    entries = [_match(resource) for resource in [*wrong, *made[1:], *_of_someone_else(person)]]
    entries.insert(len(entries) // 2, _match(made[0]))
    entries.insert(1, {"resource": _outcome(), "search": {"mode": "outcome"}})
    entries.insert(
        3, {"fullUrl": BASE + f"{NO_SUCH_TYPE}/1", "resource": {"resourceType": NO_SUCH_TYPE, "id": "1"}}
    )
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def about_absolute(resource: Resource, patient_id: str) -> Resource:
    """References to the patient as absolute URLs."""
    relative = {"reference": f"Patient/{patient_id}"}

    def replaced(value: Any) -> Any:
        if value == relative:
            return {"reference": f"{BASE}Patient/{patient_id}", "display": "The patient"}
        if isinstance(value, dict):
            return {key: replaced(member) for key, member in value.items()}
        return [replaced(item) for item in value] if isinstance(value, list) else value

    made: Resource = replaced(resource)
    return made


def without_vendor_members(resource: Resource) -> Resource:
    """The resource as the standard knows it."""
    return {key: value for key, value in resource.items() if key != VENDOR_MEMBER}


def _match(resource: Resource) -> Resource:
    url = f"{BASE}{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": "match"}}


def _outcome() -> Resource:
    issue = {"severity": "information", "code": "informational", "diagnostics": "Sorting was ignored."}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _grimy(resource: Resource, number: int) -> Resource:
    made = copy.deepcopy(resource)
    made[VENDOR_MEMBER] = {"row": number, "dirty": [None, "x"]}
    if "onsetDateTime" in made:
        made["onsetDateTime"] = _coarse(made["onsetDateTime"])
    if "authoredOn" in made:
        made["authoredOn"] = _coarse(made["authoredOn"])
    if "birthDate" in made:
        made["birthDate"] = made["birthDate"][:7]
    if "effectiveDateTime" in made:
        # The evening of that day far to the west: it stays that day.
        made["effectiveDateTime"] += "T23:15:00-10:00"
    if "coding" in made.get("code", {}):
        local = {"system": "https://ehr.example.org/codes", "code": f"Z{number:03}", "display": "Local entry"}
        made["code"]["coding"].insert(0, local)
    for member in ("clinicalStatus", "verificationStatus"):
        if member in made:
            # The site's own status, which says nothing to others, before the one of FHIR.
            made[member]["coding"].insert(0, {"system": "https://ehr.example.org/status", "code": "7"})
    return made


def _coarse(text: str) -> str:
    return text[:7] if AS_OF - date.fromisoformat(text) > _MONTH_IS_ENOUGH else text


def _has_error_status(resource: Resource) -> bool:
    return resource["resourceType"] in ("Observation", "Condition")


def _entered_in_error(resource: Resource) -> Resource:
    """The same once more, wrong, and struck out."""
    made = copy.deepcopy(resource)
    made["id"] += "-error"
    if made["resourceType"] == "Observation":
        made["status"] = "entered-in-error"
        if "valueBoolean" in made:
            made["valueBoolean"] = not made["valueBoolean"]
        if "valueQuantity" in made:
            made["valueQuantity"]["value"] *= 3
            # Newer than the true one: read, it would win.
            made["effectiveDateTime"] = f"{AS_OF.isoformat()}T06:00:00Z"
    else:
        # No clinical status may stand beside this verification.
        made.pop("clinicalStatus", None)
        made["verificationStatus"]["coding"][-1]["code"] = "entered-in-error"
    return made


def _of_someone_else(person: Person) -> list[Resource]:
    """Alarming things about another patient, whose Patient resource is not here."""
    ill = [
        condition(codes.finding_concept("motor-neuron-disease", codes.SNOMED), recorded=1),
        condition(codes.finding_concept("fasciculation", codes.SNOMED), recorded=1),
        observation(codes.finding_concept("weakness", codes.SNOMED), days=0, valueBoolean=True),
        observation(codes.finding_concept("orthopnea", codes.SNOMED), days=0, valueBoolean=True),
    ]
    return [
        {"id": f"{person.id}-other-{number}", **about(resource, f"{BASE}Patient/{OTHER}")}
        for number, resource in enumerate(ill)
    ]
