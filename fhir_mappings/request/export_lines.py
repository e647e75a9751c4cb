"""Lines of a bulk export: type of the resource, its patient, and the Medication that it refers to."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec

import msgspec

from fhir_mappings.request.documents import medicine_of, owner_of
from fhir_mappings.request.json_body import BodyProblem, InvalidBody, decoded
from fhir_mappings.resources.preview import ResourceType
from fhir_mappings.resources.references import id_in, plain
from fhir_mappings.resources.select import KINDS
from fhir_mappings.resources.shapes import UNDECODABLE

# Types that are decided by, and those that such a resource refers to.
READ_TYPES = KINDS | {"Medication", "BodyStructure"}
_MODELS = ("fhir.resources.R4B", "fhir.resources", "fhir.resources.STU3")


class _Reference(msgspec.Struct, gc=False):
    reference: str | None = None


class _Owned(msgspec.Struct, gc=False):
    kind: str | None = msgspec.field(default=None, name="resourceType")
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None
    for_: _Reference | None = msgspec.field(default=None, name="for")
    medicationReference: _Reference | None = None
    medication: msgspec.Raw | None = None


_owned = msgspec.json.Decoder(_Owned)


class Line(msgspec.Struct, gc=False):
    """owner: id of the patient. medicine: as in "Medication/m1". All of them "" where the line has none."""

    kind: str
    owner: str = ""
    id: str = ""
    medicine: str = ""


def read_line(line: bytes) -> Line:
    """What a line says of itself. Raises InvalidBody if it is no JSON object in UTF-8."""
    if not line.isascii():
        try:
            line.decode()
        except UnicodeDecodeError:
            raise InvalidBody((BodyProblem("invalid", "The line is not valid UTF-8."),)) from None
    try:
        head = _owned.decode(line)
    except UNDECODABLE:
        return _leniently(line)
    if head.kind == "Patient":
        return Line("Patient", head.id or "", head.id or "")
    subject = head.subject or head.patient or head.for_
    reference = subject.reference if subject is not None else None
    medicine = ""
    if head.medicationReference is not None or head.medication is not None:
        medicine = medicine_of(line) or ""
    owner = _patient_in(reference) if reference else ""
    return Line(head.kind or "", owner, head.id or "", medicine)


def _leniently(line: bytes) -> Line:
    """The same where a member has another shape."""
    kind = decoded(line, ResourceType, "").kind or ""
    return Line(kind, owner_of(line) or "", "", medicine_of(line) or "")


@lru_cache(maxsize=4096)
def _patient_in(reference: str) -> str:
    """The id of a Patient; "" for a reference to something else."""
    bare = reference.removeprefix("Patient/")
    if bare != reference and bare.isascii() and bare.replace("-", "").isalnum():
        return bare
    return id_in(plain(reference), "Patient") or ""


@cache
def is_fhir_type(kind: str) -> bool:
    """Whether a version of FHIR has a resource of that type."""
    if not (kind.isascii() and kind.isalpha() and kind[0].isupper()):
        return False
    return any(find_spec(f"{models}.{kind.lower()}") is not None for models in _MODELS)
