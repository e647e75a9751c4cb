"""Entries that could not be read: what they may have been about, as far as that much can be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.references import refers_to

_T = TypeVar("_T")

# Where a record of twitching can stand: in a bundle, in these lists, or among the new problems of a hook.
_KINDS = frozenset({"", "Condition", "Observation"})
_LISTS = frozenset({"conditions", "findings"})


@dataclass(frozen=True, slots=True)
class Unread:
    """One that could not be read. kind: "" where not even that could.

    codes: every code it carries; None where they cannot be read or there are none: it may be about anything.
    """

    kind: str
    note: Note
    codes: tuple[fhir.CodeableConcept, ...] | None = None
    subject: str | None = None

    @property
    def place(self) -> str:
        """Where it stands: "prefetch.conditions.entry[1].resource"."""
        expression = self.note.expression or ""
        # What was not even an object is named by its place, and then by the member at fault.
        return expression if "entry[" in expression else self.note.reference

    @property
    def may_be_a_finding(self) -> bool:
        """Whether a finding could have stood there."""
        parts = self.place.split(".")
        if self.kind not in _KINDS:
            return False
        if parts[0] == "Bundle":
            return True
        return len(parts) > 1 and parts[1].split("[")[0] in _LISTS

    def is_of_another(self, names: Iterable[str]) -> bool:
        """Whether it says that it is of somebody who has none of those names."""
        return self.subject is not None and not refers_to(self.subject, "Patient", names)


class _Kind(fhir.Struct):
    resourceType: str | None = None


class _Subject(fhir.Struct):
    subject: fhir.Reference | None = None


class _Part(fhir.Struct):
    code: fhir.CodeableConcept | None = None


class _Codes(_Part):
    component: list[_Part | None] | None = None


def unread_of(raw: bytes, note: Note) -> Unread:
    """As much as can be read of it, each part by itself."""
    kind, subject, codes = _peek(raw, _Kind), _peek(raw, _Subject), _peek(raw, _Codes)
    named = None if subject is None or subject.subject is None else subject.subject.reference
    return Unread((kind and kind.resourceType) or "", note, _codes_of(codes), named)


def _codes_of(peeked: _Codes | None) -> tuple[fhir.CodeableConcept, ...] | None:
    if peeked is None or peeked.code is None:
        return None
    parts = [part.code for part in peeked.component or () if part is not None]
    return (peeked.code, *(code for code in parts if code is not None))


def _peek(raw: bytes, shape: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
