"""An R4B resource as R5 and as STU3 write it: pure functions, the same facts in other members."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.vignettes import codes
from tests.vignettes.codes import concept

Resource = dict[str, Any]

ENCOUNTER = {"reference": "Encounter/visit"}
_AT_ENCOUNTER = frozenset(
    {"Condition", "Observation", "MedicationRequest", "ServiceRequest", "Procedure", "DiagnosticReport"}
)
_TAKING = {"system": "http://hl7.org/fhir/CodeSystem/medication-statement-adherence", "code": "taking"}


def at_encounter(resource: Resource) -> Resource:
    """The R4B resource with the encounter it was written at, where its type has one."""
    return {**resource, "encounter": ENCOUNTER} if resource["resourceType"] in _AT_ENCOUNTER else resource


def r5(resource: Resource) -> Resource:
    """The R4B resource as R5."""
    return _written(resource, _R5)


def stu3(resource: Resource) -> Resource:
    """The R4B resource as STU3."""
    made = _written(resource, _STU3)
    if "encounter" in made:
        made["context"] = made.pop("encounter")
    return made


def _written(resource: Resource, ways: dict[str, Callable[[Resource], None]]) -> Resource:
    made = copy.deepcopy(resource)
    change = ways.get(made["resourceType"])
    if change is not None:
        change(made)
    return made


def _medication_reference(made: Resource) -> None:
    for member, part in (("medicationCodeableConcept", "concept"), ("medicationReference", "reference")):
        if member in made:
            made["medication"] = {part: made.pop(member)}


def _r5_condition(made: Resource) -> None:
    if "asserter" in made:
        made["participant"] = [{"actor": made.pop("asserter")}]
    # Required in R5.
    unknown = {"system": codes.TERMINOLOGY + "condition-clinical", "code": "unknown"}
    made.setdefault("clinicalStatus", {"coding": [unknown]})


def _r5_observation(made: Resource) -> None:
    if "bodySite" in made:
        # Every concept of a place with its side, as a structure of the patient's body.
        structure = {
            "resourceType": "BodyStructure",
            "id": "place",
            "includedStructure": [{"structure": made.pop("bodySite")}],
            "patient": made["subject"],
        }
        made["contained"] = [structure]
        made["bodyStructure"] = {"reference": "#place"}


def _r5_statement(made: Resource) -> None:
    _medication_reference(made)
    made["status"] = "recorded"
    made["adherence"] = {"code": {"coding": [_TAKING]}}


def _r5_service_request(made: Resource) -> None:
    made["code"] = {"concept": made["code"]}


def _r5_procedure(made: Resource) -> None:
    made["occurrenceDateTime"] = made.pop("performedDateTime")


_R5: dict[str, Callable[[Resource], None]] = {
    "Condition": _r5_condition,
    "Observation": _r5_observation,
    "MedicationRequest": _medication_reference,
    "MedicationStatement": _r5_statement,
    "ServiceRequest": _r5_service_request,
    "Procedure": _r5_procedure,
}


def _stu3_condition(made: Resource) -> None:
    # An STU3 status that is not there says that it was entered in error.
    for member, otherwise in (("clinicalStatus", "inactive"), ("verificationStatus", "confirmed")):
        coded = made.get(member, {"coding": [{"code": otherwise}]})
        made[member] = coded["coding"][0]["code"]
    made["assertedDate"] = made.pop("recordedDate")


def _stu3_observation(made: Resource) -> None:
    if "interpretation" in made:
        (made["interpretation"],) = made["interpretation"]
    if "derivedFrom" in made:
        made["related"] = [{"type": "derived-from", "target": one} for one in made.pop("derivedFrom")]
    for component in made.get("component", ()):
        if "valueBoolean" in component:
            yes = component.pop("valueBoolean")
            component["valueCodeableConcept"] = concept(*(codes.YES_SNOMED if yes else codes.NO_SNOMED))


def _stu3_statement(made: Resource) -> None:
    made["taken"] = "y"


def _stu3_service_request(made: Resource) -> None:
    made["resourceType"] = "ProcedureRequest"


_STU3: dict[str, Callable[[Resource], None]] = {
    "Condition": _stu3_condition,
    "Observation": _stu3_observation,
    "MedicationStatement": _stu3_statement,
    "ServiceRequest": _stu3_service_request,
}
