"""The FHIR version of a record, from the members that not every version has; no header is read.

A resource fits the versions that have all of its members. The record is of the one version that all of it
fits; of R4 where R4 fits, where no member tells, and where no one version fits all of it. A resource that
mixes versions is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, partial
from operator import attrgetter, ne
from typing import Any

import msgspec

from fhir_mappings.record import Version
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.preview import ConditionPreview, ObservationPreview, Thing

Versions = frozenset[Version]

R4, R5, STU3 = (frozenset({version}) for version in (Version.R4, Version.R5, Version.STU3))
NOT_STU3, NOT_R5, NOT_R4 = R4 | R5, R4 | STU3, R5 | STU3
ANY: Versions = R4 | R5 | STU3

# Types that not every version has. R5's ballots had a MedicationUsage; STU3 has two types for one of R4.
TYPES: Mapping[str, Versions] = {
    "ServiceRequest": NOT_STU3,
    "ProcedureRequest": STU3,
    "ReferralRequest": STU3,
    "MedicationUsage": R5,
}

NAMES_IN_R4: Mapping[str, str] = {
    "ProcedureRequest": "ServiceRequest",
    "ReferralRequest": "ServiceRequest",
    "MedicationUsage": "MedicationStatement",
}


def in_r4(kind: str) -> str:
    """The name of that type in R4."""
    return NAMES_IN_R4.get(kind, kind)


_NOT_OF_R4 = frozenset(kind for kind, versions in TYPES.items() if R4.isdisjoint(versions))


def _members(**names: tuple[Versions, str]) -> Mapping[str, Versions]:
    return {name: versions for versions, text in names.values() for name in text.split()}


# Type -> member -> the versions that have it, if not all have.
MEMBERS: Mapping[str, Mapping[str, Versions]] = {
    "Condition": _members(
        r5=(R5, "participant"),
        r4=(R4, "recorder"),
        stu3=(STU3, "abatementBoolean assertedDate context"),
        not_r5=(NOT_R5, "asserter"),
        not_stu3=(NOT_STU3, "encounter recordedDate"),
    ),
    "Observation": _members(
        r5=(
            R5,
            "bodyStructure instantiatesCanonical instantiatesReference triggeredBy valueReference",
        ),
        stu3=(STU3, "comment context related"),
        not_r4=(NOT_R4, "valueAttachment"),
        not_stu3=(
            NOT_STU3,
            "derivedFrom effectiveInstant effectiveTiming encounter focus hasMember note partOf valueInteger",
        ),
    ),
    "MedicationRequest": _members(
        r5=(
            R5,
            "device effectiveDosePeriod informationSource medication reason renderedDosageInstruction"
            " reported statusChanged",
        ),
        r4=(R4, "instantiatesCanonical instantiatesUri reportedBoolean reportedReference"),
        stu3=(STU3, "context definition"),
        not_r5=(
            NOT_R5,
            "detectedIssue medicationCodeableConcept medicationReference reasonCode reasonReference",
        ),
        not_stu3=(
            NOT_STU3,
            "courseOfTherapyType doNotPerform encounter insurance performer performerType statusReason",
        ),
    ),
    "MedicationStatement": _members(
        r5=(
            R5,
            "adherence effectiveTiming encounter medication reason relatedClinicalInformation"
            " renderedDosageInstruction",
        ),
        r4=(R4, "statusReason"),
        stu3=(STU3, "reasonNotTaken taken"),
        not_r5=(
            NOT_R5,
            "basedOn context medicationCodeableConcept medicationReference reasonCode reasonReference",
        ),
    ),
    "Medication": _members(
        r5=(R5, "definition doseForm marketingAuthorizationHolder totalVolume"),
        r4=(R4, "amount"),
        stu3=(STU3, "image isBrand isOverTheCounter package"),
        not_r5=(NOT_R5, "form manufacturer"),
        not_stu3=(NOT_STU3, "batch identifier"),
    ),
    "ServiceRequest": _members(
        r5=(R5, "bodyStructure focus location reason"),
        r4=(R4, "locationCode locationReference reasonCode reasonReference"),
    ),
    "Task": _members(
        r5=(R5, "doNotPerform performer requestedPerformer requestedPeriod"),
        r4=(R4, "reasonCode reasonReference"),
        stu3=(STU3, "context definitionReference definitionUri"),
        not_r4=(NOT_R4, "reason"),
        not_r5=(NOT_R5, "performerType"),
        not_stu3=(NOT_STU3, "encounter instantiatesCanonical instantiatesUri insurance location"),
    ),
    "Procedure": _members(
        r5=(
            R5,
            "focus occurrenceAge occurrenceDateTime occurrencePeriod occurrenceRange occurrenceString"
            " occurrenceTiming reason recorded reportedBoolean reportedReference supportingInfo used",
        ),
        r4=(R4, "asserter performedAge performedRange performedString"),
        stu3=(STU3, "context definition notDone notDoneReason"),
        not_r5=(
            NOT_R5,
            "complicationDetail performedDateTime performedPeriod reasonCode reasonReference usedCode"
            " usedReference",
        ),
        not_stu3=(NOT_STU3, "encounter instantiatesCanonical instantiatesUri recorder statusReason"),
    ),
    "DiagnosticReport": _members(
        r5=(R5, "composition note study supportingInfo"),
        stu3=(STU3, "codedDiagnosis context image"),
        not_r5=(NOT_R5, "imagingStudy"),
        not_stu3=(NOT_STU3, "conclusionCode encounter media resultsInterpreter"),
    ),
    "FamilyMemberHistory": _members(
        r5=(R5, "participant procedure reason"),
        stu3=(STU3, "definition gender notDone notDoneReason"),
        not_r5=(NOT_R5, "reasonCode reasonReference"),
        not_stu3=(NOT_STU3, "dataAbsentReason instantiatesCanonical instantiatesUri sex"),
    ),
}

# Type -> member -> whether it is a list, object or string -> the versions in which it is.
FORMS: Mapping[str, Mapping[str, Mapping[type, Versions]]] = {
    "Condition": {
        "clinicalStatus": {dict: NOT_STU3, str: STU3},
        "verificationStatus": {dict: NOT_STU3, str: STU3},
    },
    "Observation": {"interpretation": {list: NOT_STU3, dict: STU3}},
    "MedicationRequest": {"category": {list: NOT_STU3, dict: STU3}},
    "MedicationStatement": {
        "category": {list: R5, dict: NOT_R5},
        "informationSource": {list: R5, dict: NOT_R5},
    },
    "Task": {"reason": {list: R5, dict: STU3}},
    "Procedure": {"category": {list: R5, dict: NOT_R5}},
    "DiagnosticReport": {"category": {list: NOT_STU3, dict: STU3}},
}

# Type -> member -> a member of it, or of each in the list -> the versions that have it.
PARTS: Mapping[str, Mapping[str, Mapping[str, Versions]]] = {
    "ServiceRequest": {"code": {"concept": R5, "reference": R5, "coding": R4, "text": R4}},
    "Medication": {"ingredient": {"item": R5, "itemCodeableConcept": NOT_R5, "itemReference": NOT_R5}},
    "Observation": {"component": {"valueBoolean": NOT_STU3, "valueInteger": NOT_STU3}},
    "MedicationRequest": {"requester": {"agent": STU3, "reference": NOT_STU3}},
}


def fitting(content: Mapping[str, Any]) -> Versions:
    """The versions that have every member of the resource; none where it mixes them."""
    kind = str(content.get("resourceType", ""))
    fits = TYPES.get(kind, ANY)
    members, forms, parts = MEMBERS.get(kind, {}), FORMS.get(kind, {}), PARTS.get(kind, {})
    for name, value in content.items():
        if value is None:
            continue
        if name in members:
            fits &= members[name]
        if name in forms:
            fits &= forms[name].get(type(value), ANY)
        if name in parts:
            for part in value if isinstance(value, list) else [value]:
                for inner in part if isinstance(part, dict) else ():
                    fits &= parts[name].get(inner, ANY)
    return fits


def version_of(fits: Iterable[Versions]) -> Version:
    """The version of a record, by the versions that each resource fits.

    A resource that fits none is ignored: draft orders of a form are seldom whole resources of any version.
    """
    common = ANY
    for versions in fits:
        common &= versions or ANY
    return next(iter(common)) if len(common) == 1 else Version.R4


def content_of(raw: bytes) -> Mapping[str, Any]:
    """The resource as plain JSON; empty where it is invalid."""
    try:
        content = msgspec.json.decode(raw)
    except fhir.UNDECODABLE:
        return {}
    return content if isinstance(content, dict) else {}


def beyond_r4(
    kinds: Collection[str | None], resources: Mapping[type[msgspec.Struct], Collection[Any]]
) -> bool:
    """Whether a type, member or form is not of R4: only then is the record decoded again for its version.

    Args:
        kinds: types of the resources.
        resources: previews and whole resources, by shape.
    """
    if not _NOT_OF_R4.isdisjoint(kinds):
        return True
    for shape, of_shape in resources.items():
        members, absent = _members_beyond_r4(shape)
        # Mapped: a loop in Python would cost as much as decoding the resources.
        if any(map(partial(ne, absent), map(members, of_shape))):
            return True
        for member, types in _TYPES_BEYOND_R4.get(shape, {}).items():
            if not types.isdisjoint(map(type, map(attrgetter(member), of_shape))):
                return True
        if shape in _FORMS_BEYOND_R4 and any(map(_FORMS_BEYOND_R4[shape], of_shape)):
            return True
    return False


@cache
def _members_beyond_r4(shape: type[msgspec.Struct]) -> tuple[Callable[[Any], Any], Any]:
    """A getter of the members of the shape that R4 does not have, and its result where all are absent."""
    has = MEMBERS[getattr(shape, "kind", shape.__name__)]
    fields = zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True)
    members = attrgetter(*(name for name, written in fields if Version.R4 not in has.get(written, ANY)))
    return members, members(shape())


def _medication(resource: fhir.Medication) -> bool:
    return any(part is not None and part.item is not None for part in resource.ingredient or ())


def _service_request(resource: fhir.ServiceRequest) -> bool:
    code = resource.code
    return code is not None and (code.concept is not None or code.reference != fhir.NOT_THERE)


_STRINGS = {"clinicalStatus": frozenset({str}), "verificationStatus": frozenset({str})}
# Shape -> member -> types that R4 does not have for it.
_TYPES_BEYOND_R4: Mapping[type[msgspec.Struct], Mapping[str, frozenset[type]]] = {
    fhir.Condition: _STRINGS,
    ConditionPreview: _STRINGS,
    fhir.Observation: {"interpretation": frozenset({fhir.LooseConcept})},
    ObservationPreview: {"interpretation": frozenset({Thing})},
}
_FORMS_BEYOND_R4: Mapping[type[msgspec.Struct], Callable[[Any], bool]] = {
    fhir.Medication: _medication,
    fhir.ServiceRequest: _service_request,
}
