"""The kind of a JSON document (Bundle, hook request or resource) and the patient that a resource is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from fhir_mappings.request.json_body import InvalidBody, decoded
from fhir_mappings.resources.references import id_in, plain
from fhir_mappings.resources.shapes import UNDECODABLE

BUNDLE, CALL = "Bundle", "hook request"
_BUNDLE_START = b'{"resourceType":"Bundle","type":"collection","entry":[\n'
_READ = ["resourceType", "hook", "id", "subject", "patient", "for", "medicationReference", "medication"]


def kind_of(body: bytes) -> str:
    """BUNDLE, CALL, another resource type, or "" for another object. Raises InvalidBody for no object."""
    content = _content_of(body)
    if isinstance(content.get("hook"), str):
        return CALL
    kind = content.get("resourceType")
    return kind if isinstance(kind, str) else ""


def is_ndjson(body: bytes) -> bool:
    """Whether the first line is an object by itself, and more follow."""
    first, _, rest = body.lstrip().partition(b"\n")
    try:
        return bool(rest.strip()) and kind_of(first) is not None
    except InvalidBody:
        return False


def lines_of(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of an NDJSON body that are not blank, with their numbers."""
    return ((number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip())


def bundle_of(resources: Iterable[bytes]) -> bytes:
    """A Bundle with those resources, one a line."""
    return _BUNDLE_START + b",\n".join(b'{"resource":' + raw.strip() + b"}" for raw in resources) + b"]}"


def owner_of(body: bytes) -> str | None:
    """The id of the patient that a resource is, or is about; None where it names none."""
    content = _content_of(body)
    if content.get("resourceType") == "Patient":
        name = content.get("id")
        return name if isinstance(name, str) else None
    for member in ("subject", "patient", "for"):
        reference = _reference(content, member)
        if reference:
            return id_in(reference, "Patient")
    return None


def name_of(body: bytes) -> str:
    """Type and id, as in a reference."""
    content = _content_of(body)
    return f"{content.get('resourceType')}/{content.get('id')}"


def medicine_of(body: bytes) -> str | None:
    """Type and id of the Medication that a resource refers to; None where there is none outside of it."""
    content = _content_of(body)
    named, other = _reference(content, "medicationReference"), content.get("medication")
    reference = named or _reference(other, "reference")
    name = id_in(reference, "Medication") if reference else None
    return f"Medication/{name}" if name else None


def _content_of(body: bytes) -> dict[str, Any]:
    """The members that are read and valid, as plain JSON. Raises InvalidBody where it is no object."""
    content: dict[str, Any] = {}
    members = decoded(body, dict[str, msgspec.Raw], "")
    for name in members.keys() & _READ:
        with suppress(*UNDECODABLE):
            content[name] = msgspec.json.decode(members[name])
    return content


def _reference(content: Any, member: str) -> str | None:
    value = content.get(member) if isinstance(content, Mapping) else None
    name = value.get("reference") if isinstance(value, Mapping) else None
    return plain(name) if isinstance(name, str) and not name.startswith("#") else None
