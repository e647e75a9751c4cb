"""The first look at a resource, one for each: which it is, whose, of what code, and what tells its version.

Most of a record has codes that no knowledge file knows. Of those nothing else is ever read.
"""

from __future__ import annotations

from typing import Any, ClassVar, Union

import msgspec

from fhir_mappings.resources.shapes import NOT_THERE


class Head(msgspec.Struct, frozen=True, gc=False):
    """What tells one resource from another. kind: its type."""

    kind: str | None = msgspec.field(default=None, name="resourceType")
    id: str | None = None


class Thing(msgspec.Struct, frozen=True, gc=False):
    """An object of which is only read that it is one."""


class LookedCoding(msgspec.Struct, frozen=True, gc=False):
    system: str | None = None
    code: str | None = None


class LookedConcept(msgspec.Struct, frozen=True, gc=False):
    coding: list[LookedCoding | None] | None = None


class NamedCoding(LookedCoding, frozen=True, gc=False):
    # Of any type: whatever is no text names nothing.
    display: Any = None


class NamedConcept(msgspec.Struct, frozen=True, gc=False):
    coding: list[NamedCoding | None] | None = None
    text: Any = None


class LookedReference(msgspec.Struct, frozen=True, gc=False):
    reference: str | None = None


class Look(msgspec.Struct, frozen=True, gc=False, tag_field="resourceType"):
    """Of a type that is read only where its code is known. Members as in shapes.py."""

    kind: ClassVar[str]

    id: str | None = None
    subject: LookedReference | None = None
    context: msgspec.Raw = NOT_THERE  # STU3


class ConditionLook(Look, tag="Condition", frozen=True, gc=False):
    kind: ClassVar[str] = "Condition"

    code: NamedConcept | None = None
    patient: LookedReference | None = None  # DSTU2
    clinicalStatus: Thing | str | None = None
    verificationStatus: Thing | str | None = None
    participant: msgspec.Raw = NOT_THERE  # R5
    abatementBoolean: msgspec.Raw = NOT_THERE  # STU3
    assertedDate: msgspec.Raw = NOT_THERE  # STU3


class ObservationLook(Look, tag="Observation", frozen=True, gc=False):
    kind: ClassVar[str] = "Observation"

    code: LookedConcept | None = None
    # There or not: each part of it may have a code of its own.
    component: list[Thing | None] | None = None
    interpretation: list[Thing | None] | Thing | None = None
    related: msgspec.Raw = NOT_THERE  # STU3
    comment: msgspec.Raw = NOT_THERE  # STU3
    bodyStructure: msgspec.Raw = NOT_THERE  # R5
    triggeredBy: msgspec.Raw = NOT_THERE  # R5
    instantiatesCanonical: msgspec.Raw = NOT_THERE  # R5
    instantiatesReference: msgspec.Raw = NOT_THERE  # R5


class ProcedureLook(Look, tag="Procedure", frozen=True, gc=False):
    kind: ClassVar[str] = "Procedure"

    code: LookedConcept | None = None
    occurrenceDateTime: msgspec.Raw = NOT_THERE  # R5
    occurrencePeriod: msgspec.Raw = NOT_THERE  # R5
    reason: msgspec.Raw = NOT_THERE  # R5
    recorded: msgspec.Raw = NOT_THERE  # R5
    reportedBoolean: msgspec.Raw = NOT_THERE  # R5
    reportedReference: msgspec.Raw = NOT_THERE  # R5
    notDone: msgspec.Raw = NOT_THERE  # STU3


class ReportLook(Look, tag="DiagnosticReport", frozen=True, gc=False):
    kind: ClassVar[str] = "DiagnosticReport"

    code: LookedConcept | None = None
    study: msgspec.Raw = NOT_THERE  # R5
    note: msgspec.Raw = NOT_THERE  # R5
    composition: msgspec.Raw = NOT_THERE  # R5
    codedDiagnosis: msgspec.Raw = NOT_THERE  # STU3


LOOKS: tuple[type[Look], ...] = (ConditionLook, ObservationLook, ProcedureLook, ReportLook)
# Of other types that are read, only which it is. A decoder that knows them is spared a second try.
_OTHERS = (
    "MedicationRequest",
    "MedicationStatement",
    "ServiceRequest",
    "Task",
    "FamilyMemberHistory",
    "Patient",
)


def _known(kind: str) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        kind,
        [("id", str | None, None)],
        tag=kind,
        tag_field="resourceType",
        namespace={"kind": kind},
        frozen=True,
        gc=False,
    )


UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_look: msgspec.json.Decoder[Look] = msgspec.json.Decoder(Union[(*LOOKS, *map(_known, _OTHERS))])
_head = msgspec.json.Decoder(Head)


def first_look(raw: msgspec.Raw) -> Look | Head | None:
    """A Look where the type has one and all in it is as it should be, else the head; None without a head."""
    try:
        return _look.decode(raw)
    except UNREADABLE:
        pass
    try:
        return _head.decode(raw)
    except UNREADABLE:
        return None
