"""Partial decodes of a resource, before it is known whether all of it is needed, or whether it is valid.

Most of a record has codes that no knowledge file knows. Of those resources nothing but the preview is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, Union

import msgspec

from fhir_mappings.resources.shapes import NOT_THERE, UNDECODABLE, CodeableConcept, Reference
from fhir_mappings.terminology import Relevance

S = TypeVar("S", bound=msgspec.Struct)


# Of a preview, or of the whole resource.
RelevanceOf = Callable[[Any], Relevance]


class ResourceType(msgspec.Struct, frozen=True, gc=False):
    kind: str | None = msgspec.field(default=None, name="resourceType")


class Head(ResourceType, frozen=True, gc=False):
    id: str | None = None


class _Numbered(ResourceType, frozen=True, gc=False):
    id: int | None = None


class Thing(msgspec.Struct, frozen=True, gc=False):
    """An object whose members are not read."""


class PreviewCoding(msgspec.Struct, frozen=True, gc=False):
    system: str | None = None
    code: str | None = None


class PreviewConcept(msgspec.Struct, frozen=True, gc=False):
    coding: list[PreviewCoding | None] | None = None


class NamedCoding(PreviewCoding, frozen=True, gc=False):
    # Of any type: a value that is not text names nothing, and is not an error yet.
    display: Any = None


class NamedConcept(msgspec.Struct, frozen=True, gc=False):
    coding: list[NamedCoding | None] | None = None
    text: Any = None


class PreviewReference(msgspec.Struct, frozen=True, gc=False):
    reference: str | None = None
    type: str | None = None
    identifier: msgspec.Raw = NOT_THERE


class Preview(msgspec.Struct, frozen=True, gc=False, tag_field="resourceType"):
    """Type, subject, code and the members that identify the FHIR version. Members as in shapes.py."""

    kind: ClassVar[str]

    id: str | None = None
    subject: PreviewReference | None = None
    context: msgspec.Raw = NOT_THERE  # STU3


class PreviewComponent(msgspec.Struct, frozen=True, gc=False):
    code: NamedConcept | None = None
    valueCodeableConcept: PreviewConcept | None = None


class ConditionPreview(Preview, tag="Condition", frozen=True, gc=False):
    kind: ClassVar[str] = "Condition"

    code: NamedConcept | None = None
    patient: PreviewReference | None = None  # DSTU2
    clinicalStatus: Thing | str | None = None
    verificationStatus: Thing | str | None = None
    participant: msgspec.Raw = NOT_THERE  # R5
    abatementBoolean: msgspec.Raw = NOT_THERE  # STU3
    assertedDate: msgspec.Raw = NOT_THERE  # STU3


class ObservationPreview(Preview, tag="Observation", frozen=True, gc=False):
    kind: ClassVar[str] = "Observation"

    code: NamedConcept | None = None
    # The value of an unknown question may name a finding.
    valueCodeableConcept: PreviewConcept | None = None
    # Each component may have a code of its own, or hold the course and site of the whole.
    component: list[PreviewComponent | None] | None = None
    contained: msgspec.Raw = NOT_THERE
    interpretation: list[Thing | None] | Thing | None = None
    related: msgspec.Raw = NOT_THERE  # STU3
    comment: msgspec.Raw = NOT_THERE  # STU3
    bodyStructure: msgspec.Raw = NOT_THERE  # R5
    triggeredBy: msgspec.Raw = NOT_THERE  # R5
    instantiatesCanonical: msgspec.Raw = NOT_THERE  # R5
    instantiatesReference: msgspec.Raw = NOT_THERE  # R5
    valueAttachment: msgspec.Raw = NOT_THERE  # R5 and STU3
    valueReference: msgspec.Raw = NOT_THERE  # R5


class ProcedurePreview(Preview, tag="Procedure", frozen=True, gc=False):
    kind: ClassVar[str] = "Procedure"

    code: PreviewConcept | None = None
    occurrenceDateTime: msgspec.Raw = NOT_THERE  # R5
    occurrencePeriod: msgspec.Raw = NOT_THERE  # R5
    reason: msgspec.Raw = NOT_THERE  # R5
    recorded: msgspec.Raw = NOT_THERE  # R5
    reportedBoolean: msgspec.Raw = NOT_THERE  # R5
    reportedReference: msgspec.Raw = NOT_THERE  # R5
    notDone: msgspec.Raw = NOT_THERE  # STU3


class ReportPreview(Preview, tag="DiagnosticReport", frozen=True, gc=False):
    kind: ClassVar[str] = "DiagnosticReport"

    code: PreviewConcept | None = None
    contained: msgspec.Raw = NOT_THERE
    study: msgspec.Raw = NOT_THERE  # R5
    note: msgspec.Raw = NOT_THERE  # R5
    composition: msgspec.Raw = NOT_THERE  # R5
    codedDiagnosis: msgspec.Raw = NOT_THERE  # STU3


PREVIEWS: tuple[type[Preview], ...] = (
    ConditionPreview,
    ObservationPreview,
    ProcedurePreview,
    ReportPreview,
)
# Of other types only type and id. A list that holds another type still is read entry by entry.
_OTHERS = tuple(
    """
    AllergyIntolerance Appointment BodyStructure CarePlan CareTeam Claim ClinicalImpression Communication
    Composition Consent Coverage Device DeviceRequest DocumentReference Encounter EpisodeOfCare
    ExplanationOfBenefit FamilyMemberHistory Flag Goal Group ImagingStudy Immunization List Location Media
    Medication MedicationAdministration MedicationDispense MedicationRequest MedicationStatement
    NutritionOrder Organization Patient Person Practitioner PractitionerRole ProcedureRequest Provenance
    QuestionnaireResponse ReferralRequest RelatedPerson RiskAssessment ServiceRequest Specimen Substance
    Task VisionPrescription
    """.split()  # noqa: SIM905
)


def _head_of(kind: str) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        kind,
        [("id", str | None, None)],
        tag=kind,
        tag_field="resourceType",
        namespace={"kind": kind},
        frozen=True,
        gc=False,
    )


if TYPE_CHECKING:
    AnyPreview = Preview
else:
    AnyPreview = Union[(*PREVIEWS, *map(_head_of, _OTHERS))]
_preview: msgspec.json.Decoder[Preview] = msgspec.json.Decoder(AnyPreview)
_head = msgspec.json.Decoder(Head)


def preview_of(raw: msgspec.Raw) -> Preview | Head | None:
    """A Preview where the type has one and its members are valid, else the Head; None where it is invalid."""
    try:
        return _preview.decode(raw)
    except UNDECODABLE:
        pass
    try:
        return _head.decode(raw)
    except UNDECODABLE:
        pass
    numbered = part_of(raw, _Numbered)
    if numbered is not None and numbered.kind and numbered.id is not None:
        return Head(numbered.kind, str(numbered.id))
    # An id of another shape names nothing; it loses no resource.
    part = part_of(raw, ResourceType)
    return Head(part.kind) if part is not None and part.kind else None


def part_of(raw: bytes | msgspec.Raw, shape: type[S]) -> S | None:
    """The members of that shape alone; None where one of them is invalid."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except UNDECODABLE:
        return None


def type_of(raw: bytes) -> str:
    """The resourceType; "" where it is missing or invalid."""
    part = part_of(raw, ResourceType)
    return (part and part.kind) or ""


class _Subject(msgspec.Struct):
    subject: Reference | None = None


class _Part(msgspec.Struct):
    code: CodeableConcept | None = None


class _Codes(_Part):
    component: list[_Part | None] | None = None


def subject_of(raw: bytes) -> str | None:
    """The reference to the subject, of a resource that is invalid as a whole."""
    part = part_of(raw, _Subject)
    return part.subject.reference if part is not None and part.subject is not None else None


def codes_of(raw: bytes) -> tuple[CodeableConcept, ...] | None:
    """Its own code and those of its components; None where they are invalid, or it has no code."""
    part = part_of(raw, _Codes)
    if part is None or part.code is None:
        return None
    inner = (component.code for component in part.component or () if component is not None)
    return (part.code, *(code for code in inner if code is not None))
