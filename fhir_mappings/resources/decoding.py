"""Bytes of a resource -> its shape. Of one with a member of another shape the rest is read."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from fhir_mappings.resources.shapes import UNDECODABLE, is_not_utf_8

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

_MEMBER = re.compile(r" - at \$\.(\w+)(.*)")
_MAX_FAULTS = 4
MODIFIED = "an extension that changes its meaning is not understood"
_UNRECOGNISED = {"text": "not read"}
# Member -> what takes its place, so that it is never read as missing. A value of no known type is unknown; a
# basis that cannot be read is the weakest.
_IN_ITS_PLACE: dict[str, Any] = {
    "status": "not read",
    "clinicalStatus": _UNRECOGNISED,
    "verificationStatus": _UNRECOGNISED,
    "interpretation": [_UNRECOGNISED],
    "referenceRange": [_UNRECOGNISED],
    "dataAbsentReason": {},
    "modifierExtension": [{}],
    "category": [{"coding": [{"code": "survey"}]}],
    "performer": [{"type": "Patient"}],
    "asserter": {"type": "Patient"},
    "participant": [{"actor": {"type": "Patient"}}],
    "derivedFrom": [{"type": "QuestionnaireResponse"}],
    "related": [{"target": {"type": "QuestionnaireResponse"}}],
}
# Members without which a resource says no more than with them, or is dated or placed less exactly.
_DISPENSABLE_NAMES = """
    id bodySite bodyStructure specimen extension contained onsetDateTime onsetPeriod onsetAge onsetRange
    onsetString abatementDateTime abatementPeriod abatementAge abatementRange abatementBoolean
    recordedDate assertedDate effectiveDateTime effectiveInstant effectivePeriod effectiveTiming
    issued performedDateTime performedPeriod occurrenceDateTime occurrencePeriod authoredOn
    dateAsserted effectiveDosePeriod dosageInstruction dosage dispenseRequest priority orderDetail
    relationship date birthDate gender active form doseForm
"""
_DISPENSABLE = frozenset(_DISPENSABLE_NAMES.split())
_VALUE = "value"


class Decoded(msgspec.Struct, Generic[T], frozen=True):
    """A resource; None where it is invalid, for that reason. faults: (member, reason) of what is left out."""

    resource: T | None
    reason: str = ""
    faults: tuple[tuple[str, str], ...] = ()


def work_out_shapes() -> None:
    """Let msgspec work out the types of every Struct.

    It does so where one is first decoded, and two threads that do so at once crash the process.
    """
    kinds: list[type[msgspec.Struct]] = [msgspec.Struct]
    while kinds:
        for kind in kinds.pop().__subclasses__():
            kinds.append(kind)
            if kind.__module__.startswith("fhir_mappings."):
                # Some hold values that no JSON has: never decoded.
                with suppress(TypeError):
                    msgspec.json.Decoder(kind)


@cache
def decoder_of(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def repaired(raw: msgspec.Raw, shape: type[S], error: Exception) -> Decoded[S]:
    """The resource, which raised that, without members that do not fit where it does not rest on them."""
    reason = _structural(error)
    return _repaired(bytes(raw), decoder_of(shape), reason) or Decoded(None, reason)


def is_modified(resource: Any) -> bool:
    """Whether a modifier extension leaves open what it says; the mapping decides for findings."""
    extension = getattr(resource, "modifierExtension", None)
    return isinstance(extension, msgspec.Raw) and bytes(extension).strip(b"[] \t\r\n") not in (b"", b"null")


def _structural(error: Exception) -> str:
    if is_not_utf_8(error):
        return "not valid UTF-8"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).replace("`", "")


def _repaired(raw: bytes, decoder: msgspec.json.Decoder[T], reason: str) -> Decoded[T] | None:
    """The resource without the members that do not fit; None where it rests on one of them."""
    content: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for _ in range(_MAX_FAULTS):
        match = _MEMBER.search(reason)
        if match is None:
            return None
        member, inside = match.groups()
        fault = reason[: match.start()]
        try:
            # Raw members: no number or text of a member that is not read can fail here.
            content = content or msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
            if member in faults or not _mended(content, member, inside, fault, faults):
                return None
            resource = decoder.decode(msgspec.json.encode(content))
        except UNDECODABLE as error:
            reason = _structural(error)
        else:
            return Decoded(resource, "", tuple(faults.items()))
    return None


def _mended(content: dict[str, Any], member: str, inside: str, fault: str, faults: dict[str, str]) -> bool:
    """Whether the member could be made to fit, or something put in its place."""
    if member == "id" and fault.endswith("got int"):
        content[member] = bytes(content[member]).decode()
        return True
    if not inside and member != "code":
        # Versions of FHIR differ in what is a list: nothing of it is lost.
        if "got object" in fault and "array" in fault:
            content[member] = [content[member]]
            return True
        if "got array" in fault and "object" in fault:
            items = msgspec.json.decode(content[member], type=list[msgspec.Raw])
            if len(items) == 1:
                content[member] = items[0]
                return True
    faults[member] = fault
    if member in _IN_ITS_PLACE:
        content[member] = _IN_ITS_PLACE[member]
    elif member in _DISPENSABLE:
        del content[member]
    elif member.startswith(_VALUE):
        # A code without a value would be present.
        del content[member]
        content[_VALUE] = {}
    else:
        return False
    return True
