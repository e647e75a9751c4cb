"""Observations that reports and panels contain, completed by what their holder says of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.resources.preview import preview_of
from fhir_mappings.resources.shapes import NOT_THERE, UNDECODABLE
from fhir_mappings.resources.submission import Entry

_Members = dict[str, msgspec.Raw]
HOLDERS = ("DiagnosticReport", "Observation")
_OBSERVATION = b'"Observation"'
_MARK = b'"contained"'
_OF_ALL = ("subject", "status", "modifierExtension")
_DATES = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")
# A report that is no report has no results.
_VOID = (b'"entered-in-error"', b'"cancelled"')
_LONGEST_NAME = 64
# Each Observation gets a copy of what it inherits.
_MOST_INHERITED_BYTES = 2000
NOT_READ = "what it contains cannot be read"


def contained_observations(entries: Iterable[Entry], notes: list[Note]) -> Iterator[Entry]:
    """The Observations in these reports and panels; notes what cannot be read.

    One without a subject, status or date of its own has its holder's.
    """
    for entry in entries:
        # A preview that did not fit has no member to tell.
        if getattr(entry.preview, "contained", None) is not NOT_THERE and _MARK in bytes(entry.raw):
            try:
                holder = msgspec.json.decode(entry.raw, type=_Members)
                parts = msgspec.json.decode(holder.get("contained", b"[]"), type=list[_Members] | None)
            except UNDECODABLE:
                notes.append(Note(entry.reference, NOT_READ, f"{entry.kind}.contained"))
                continue
            inherited = (holder.get(member, b"") for member in (*_OF_ALL, *_DATES))
            if parts and sum(len(bytes(raw)) for raw in inherited) > _MOST_INHERITED_BYTES:
                notes.append(Note(entry.reference, NOT_READ, f"{entry.kind}.contained"))
                continue
            for number, members in enumerate(parts or ()):
                if bytes(members.get("resourceType", b"")) == _OBSERVATION:
                    yield _entry(entry, holder, number, members)


def _entry(holder: Entry, outer: _Members, number: int, members: _Members) -> Entry:
    name = bytes(members.pop("id", b"")).decode("utf-8", "replace").strip('"#') or str(number)
    inherited = [*_OF_ALL]
    if not any(member in members for member in _DATES):
        inherited += _DATES
    for member in inherited:
        if member in outer:
            members.setdefault(member, outer[member])
    if bytes(outer.get("status", b"")) in _VOID:
        members["status"] = outer["status"]
    raw = msgspec.Raw(msgspec.json.encode(members))
    return Entry(
        raw,
        f"{holder.expression}.contained[{number}]",
        preview=preview_of(raw),
        draft=holder.draft,
        selected=holder.selected,
        contained_as=f"{holder.reference}#{name[:_LONGEST_NAME]}",
    )
