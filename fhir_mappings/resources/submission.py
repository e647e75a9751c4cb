"""The entries of one request with their place, and notes on those that are invalid.

A submission comes from a Bundle or a prefetch. Its resources stay raw until the mapping needs them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.resources.budget import Budget, budget
from fhir_mappings.resources.fhir_version import in_r4
from fhir_mappings.resources.preview import Head, Preview, part_of
from fhir_mappings.resources.references import (
    NOT_A_PATIENT,
    OTHER_PATIENT,
    names_of,
    plain,
    why_of_another,
)
from fhir_mappings.resources.shapes import NOT_THERE, CodeableConcept

T = TypeVar("T")

# Places of what came from the caller's FHIR server begin so.
FETCHED = "fhirServer."
# The default of the budget.
MAX_NOTES = Budget().notes
_MAX_ID_LENGTH = 256
# Where a record of twitching may be: in a Bundle, in these lists, or among the new problems of a hook.
_TYPES_OF_FINDINGS = frozenset({"", "Condition", "Observation"})
_LISTS_OF_FINDINGS = frozenset({"conditions", "findings", "examinations"})
# Type -> the prefetch keys whose lists hold it, for a Bundle that has no keys of its own.
KEYS_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "Patient": ("patient",),
    "Condition": ("conditions",),
    "Observation": ("findings", "labs", "examinations"),
    "MedicationRequest": ("medications",),
    "MedicationStatement": ("medicationStatements",),
    "ServiceRequest": ("orders",),
    "Procedure": ("procedures",),
    "DiagnosticReport": ("reports",),
    "FamilyMemberHistory": ("familyHistory",),
    "QuestionnaireResponse": ("questionnaireResponses",),
}
# Prefetch keys of lists without which nothing is missing: few patients have a form that was filled in.
NEVER_MISSED = frozenset({"questionnaireResponses"})
_ELSEWHERE = frozenset({OTHER_PATIENT, NOT_A_PATIENT})
# Of these two resources with one id, of two servers, are no versions of one.
_OF_A_SERVER = frozenset({"Patient", "Medication"})


class _Item(msgspec.Struct, gc=False):
    resource: msgspec.Raw = NOT_THERE


class _Members(msgspec.Struct, gc=False):
    entry: list[_Item] | None = None


class Items(msgspec.Struct, gc=False):
    """The resources of one Bundle: split when one of them is asked for, of most only the preview is read."""

    bundle: msgspec.Raw
    items: list[_Item] = []

    def split(self) -> list[_Item]:
        self.items = msgspec.json.decode(self.bundle, type=_Members).entry or []
        return self.items


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One resource.

    source: the resource, or the list that holds it at `number`.
    place: of its Bundle, or its own where it is in none. number: in the Bundle.
    preview: None where not even type and id are valid. draft: a draft order of the hook's context, not yet
    part of the record. selected: among those that the user has selected. contained_as: the reference of one
    that another resource contains.
    """

    source: msgspec.Raw | Items
    place: str
    number: int | None = None
    full_url: str | None = None
    preview: Preview | Head | None = None
    draft: bool = False
    selected: bool = True
    contained_as: str = ""

    @property
    def raw(self) -> msgspec.Raw:
        """The resource as it was sent."""
        source = self.source
        if isinstance(source, Items):
            return (source.items or source.split())[self.number or 0].resource
        return source

    @property
    def expression(self) -> str:
        """Its place, such as "Bundle.entry[3].resource"."""
        return self.place if self.number is None else f"{self.place}.entry[{self.number}].resource"

    @property
    def kind(self) -> str:
        """Its type; "" where that is missing or invalid."""
        preview = self.preview
        return (preview.kind if preview is not None else None) or ""

    @property
    def id(self) -> str | None:
        """None also where it is far longer than FHIR's 64 characters: every note on it repeats it."""
        preview = self.preview
        name = preview.id if preview is not None else None
        return name if name is not None and len(name) <= _MAX_ID_LENGTH else None

    @property
    def names(self) -> tuple[str, ...]:
        """Every string by which another resource may refer to it."""
        return names_of(self.kind, self.id, self.full_url)

    @property
    def reference(self) -> str:
        preview = self.preview
        if preview is not None and preview.id and len(preview.id) <= _MAX_ID_LENGTH:
            return f"{preview.kind or ''}/{preview.id}"
        return self.contained_as or self.expression


@dataclass(frozen=True, slots=True)
class Submission:
    """All entries of one request.

    not_seen: prefetch keys of lists that were not supplied. patient_id: the bare id that the caller names;
    None where it is to be taken from the Bundle. not_understood: notes on entries that are not objects, or
    have no type.
    """

    entries: tuple[Entry, ...] = ()
    not_seen: tuple[str, ...] = ()
    patient_id: str | None = None
    not_understood: tuple[Note, ...] = ()


class Located(msgspec.Struct, Generic[T], frozen=True):
    """A decoded resource and its entry. reference: "Condition/abc", or its place where it has no id."""

    resource: T
    reference: str
    entry: Entry

    @property
    def expression(self) -> str:
        return self.entry.expression

    @property
    def draft(self) -> bool:
        return self.entry.draft

    @property
    def names(self) -> tuple[str, ...]:
        return self.entry.names

    @property
    def selected(self) -> bool:
        return self.entry.selected


class PatientError(ValueError):
    """A well-formed submission that is not about one patient.

    kind: "none" or "several". The message contains no id. notes: entries that are invalid besides.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.notes: Sequence[Note] = ()


def key_of(expression: str) -> str:
    """The prefetch key of "prefetch.conditions.entry[0].resource"; "" for a bundle's entry."""
    parts = expression.split(".")
    return parts[1] if f"{parts[0]}." in ("prefetch.", FETCHED) and len(parts) > 1 else ""


def keys_of(entry: Entry) -> tuple[str, ...]:
    """The prefetch keys of the lists that the entry came in; of a Bundle those of its type."""
    key = key_of(entry.expression)
    if key or not entry.expression.startswith("Bundle."):
        return (key,) if key else ()
    return KEYS_OF_TYPE.get(in_r4(entry.kind), ())


@dataclass(frozen=True, slots=True)
class InvalidEntry:
    """An invalid entry. kind: "" where not even its type is valid.

    codes: every code in it; None where they are invalid or there are none: it may be about anything.
    """

    kind: str
    note: Note
    codes: tuple[CodeableConcept, ...] | None = None
    subject: str | None = None

    @property
    def place(self) -> str:
        """Its place: "prefetch.conditions.entry[1].resource"."""
        expression = self.note.expression or ""
        # The note on an entry that is not an object has the place as its reference.
        return expression if "entry[" in expression else self.note.reference

    @property
    def may_be_a_finding(self) -> bool:
        """Whether the entry may have been a finding, by its type and place."""
        parts = self.place.split(".")
        if self.kind not in _TYPES_OF_FINDINGS:
            return False
        if parts[0] == "Bundle":
            return True
        return len(parts) > 1 and parts[1].split("[")[0] in _LISTS_OF_FINDINGS

    def is_of_another(self, names: Sequence[str]) -> bool:
        """Whether its subject is known to be somebody or something else than the patient of those names."""
        return self.subject is not None and why_of_another(self.subject, names) in _ELSEWHERE


class _Meta(msgspec.Struct, gc=False):
    lastUpdated: str | None = None
    versionId: str | None = None


class _Versioned(msgspec.Struct, gc=False):
    meta: _Meta | None = None


_Age = tuple[bool, str, str, bool, bytes]


def newest(entries: Sequence[Entry], one_server: bool = True) -> Mapping[str, Mapping[object, Entry]]:
    """Type -> the newest version of every resource, in order.

    Args:
        one_server: whether all of them are of one server, whatever their URLs.
    """
    kept: defaultdict[str, dict[object, Entry]] = defaultdict(dict)
    ambiguous = frozenset() if one_server else _of_several_servers(entries)
    # Of the versions kept so far: it contains all of the resource, so it is computed once.
    ages: dict[tuple[str | None, object], _Age] = {}
    for entry in entries:
        preview = entry.preview
        if preview is None:
            continue
        of_kind = kept[preview.kind or ""]
        # Without an id or URL it has no other version.
        name: object = preview.id or entry.full_url or (entry.expression,)
        if (preview.kind, name) in ambiguous:
            name = name, plain(entry.full_url or "")
        before = of_kind.setdefault(name, entry)
        # A copy is no newer than what was sent.
        sent = not (entry.draft or before.place.startswith(FETCHED))
        if before is entry or (sent and entry.raw == before.raw):
            continue
        key, age = (preview.kind, name), _age(entry)
        if key not in ages:
            ages[key] = _age(before)
        if age > ages[key]:
            of_kind[name], ages[key] = entry, age
    return kept


def _of_several_servers(entries: Iterable[Entry]) -> frozenset[tuple[str | None, object]]:
    """Type and id of each Patient and Medication that has several absolute URLs."""
    urls: defaultdict[tuple[str | None, object], set[str]] = defaultdict(set)
    for entry in entries:
        if entry.kind in _OF_A_SERVER and entry.preview is not None and "://" in (entry.full_url or ""):
            urls[entry.preview.kind, entry.preview.id].add(plain(entry.full_url or ""))
    return frozenset(name for name, found in urls.items() if len(found) > 1)


def _age(entry: Entry) -> _Age:
    """The greater of two versions is newer: a draft order replaces the order on file."""
    raw = entry.raw
    versioned = part_of(raw, _Versioned)
    meta = (versioned and versioned.meta) or _Meta()
    # Of equal versions the one in the request precedes the fetched one; then the bytes decide.
    sent = not entry.place.startswith(FETCHED)
    return entry.draft, meta.lastUpdated or "", (meta.versionId or "").zfill(12), sent, bytes(raw)


class Notes(msgspec.Struct):
    """Notes on one list: as many as the budget has, and one that counts the rest."""

    _notes: list[Note] = []
    _first: Note | None = None
    _more: int = 0

    def add(self, note: Note) -> None:
        if len(self._notes) < budget().notes:
            self._notes.append(note)
            return
        self._first = self._first or note
        self._more += 1

    def counted(self) -> bool:
        """Count another entry, if there are too many to note it: what is wrong with it takes time to find."""
        if self._more:
            self._more += 1
        return bool(self._more)

    def all(self) -> tuple[Note, ...]:
        rest = (_counting(self._first, self._more),) if self._first else ()
        return *self._notes, *rest


def at_most(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The first notes, as many as the budget has, and one that counts the rest."""
    most = budget().notes
    rest = notes[most:]
    if not rest:
        return tuple(notes)
    return *notes[:most], _counting(rest[0], sum(note.count for note in rest))


def _counting(note: Note, count: int) -> Note:
    return Note(note.reference, f"the first of {count} more that are only counted", note.expression, count)
