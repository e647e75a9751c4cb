"""What a JSON text is, before anything of it is read: a Bundle, a hook request or a resource; and whose."""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_mappings.request.json_body import UnreadableBody, decoded
from fhir_mappings.resources.references import plain

BUNDLE, CALL = "Bundle", "hook request"


class _Head(msgspec.Struct):
    resourceType: Any = None
    hook: Any = None


class _Owned(msgspec.Struct, rename={"for_": "for"}):
    resourceType: Any = None
    id: Any = None
    subject: Any = None
    patient: Any = None
    for_: Any = None
    medicationReference: Any = None
    medication: Any = None


def kind_of(body: bytes) -> str:
    """BUNDLE, CALL, another resource type, or "" for JSON that is none. Raises UnreadableBody for no JSON."""
    head = decoded(body, _Head, "")
    if isinstance(head.hook, str):
        return CALL
    return head.resourceType if isinstance(head.resourceType, str) else ""


def owner_of(body: bytes) -> str | None:
    """The id of the patient that a resource is about, or is; None where it names none."""
    owned = _owned(body)
    if owned.resourceType == "Patient":
        return owned.id if isinstance(owned.id, str) else None
    for reference in (owned.subject, owned.patient, owned.for_):
        name = _reference(reference)
        if name:
            return name.removeprefix("urn:uuid:").rsplit("/", 1)[-1]
    return None


def name_of(body: bytes) -> str:
    """Type and id, as a reference names it."""
    owned = _owned(body)
    return f"{owned.resourceType}/{owned.id}"


def medicine_of(body: bytes) -> str | None:
    """Type and id of the Medication that a resource refers to; None where none is, or it is contained."""
    owned = _owned(body)
    inner = owned.medication.get("reference") if isinstance(owned.medication, dict) else None
    name = _reference(owned.medicationReference) or _reference(inner)
    return "/".join(name.rsplit("/", 2)[-2:]) if name else None


def _owned(body: bytes) -> _Owned:
    try:
        found: _Owned = decoded(body, _Owned, "")
    except UnreadableBody:
        return _Owned()
    return found


def _reference(value: Any) -> str | None:
    name = value.get("reference") if isinstance(value, dict) else None
    return plain(name) if isinstance(name, str) and not name.startswith("#") else None
