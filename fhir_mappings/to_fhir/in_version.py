"""Orders and answers, made as R4, in R5 or STU3: the same values in the members of that version.

Their templates were validated as R4. Tests validate the other versions: importing those models would cost
0.25 s at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhir_mappings.record import Version

Resource = dict[str, Any]

# The code system of R4's codes in STU3.
_STU3_CATEGORIES = "http://hl7.org/fhir/observation-category"


def in_version(resource: Resource, version: Version) -> Resource:
    """The ServiceRequest or Observation in that version; in STU3 the first is a ProcedureRequest."""
    change = _CHANGES.get((version, resource["resourceType"]))
    return change(resource) if change is not None else resource


def _r5_order(order: Resource) -> Resource:
    made = {**order, "code": {"concept": order["code"]}}
    reasons = [{"concept": reason} for reason in made.pop("reasonCode", ())]
    reasons += [{"reference": reason} for reason in made.pop("reasonReference", ())]
    if reasons:
        made["reason"] = reasons
    return made


def _stu3_order(order: Resource) -> Resource:
    made = {**_stu3(order), "resourceType": "ProcedureRequest"}
    if "requester" in made:
        made["requester"] = {"agent": made["requester"]}
    return made


def _stu3_answer(answer: Resource) -> Resource:
    categories = [
        {**category, "coding": [{**coding, "system": _STU3_CATEGORIES} for coding in category["coding"]]}
        for category in answer["category"]
    ]
    return {**_stu3(answer), "category": categories}


def _stu3(resource: Resource) -> Resource:
    """References have no type in STU3, and the encounter is the context."""
    subject = {name: value for name, value in resource["subject"].items() if name != "type"}
    made = {**resource, "subject": subject}
    if "encounter" in made:
        made["context"] = made.pop("encounter")
    return made


_CHANGES: Mapping[tuple[Version, str], Callable[[Resource], Resource]] = {
    (Version.R5, "ServiceRequest"): _r5_order,
    (Version.STU3, "ServiceRequest"): _stu3_order,
    (Version.STU3, "Observation"): _stu3_answer,
}
