"""The entries of Bundles, one after another, and what they say of the lists that they come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.request.bundle_shapes import (
    Bundle,
    BundleEntry,
    Entries,
    EntryMember,
    Link,
    PreviewedEntry,
    Search,
    bundle_of,
    failed_status,
    is_answered,
    is_deletion,
    is_subsetted,
    may_hold_subsetted,
    misnamed,
    type_named_by,
)
from fhir_mappings.request.json_body import InvalidBody, decoded
from fhir_mappings.resources.budget import Budget
from fhir_mappings.resources.fhir_version import NAMES_IN_R4, in_r4
from fhir_mappings.resources.preview import ResourceType, part_of, preview_of
from fhir_mappings.resources.shapes import NOT_THERE, UNDECODABLE
from fhir_mappings.resources.submission import FETCHED, KEYS_OF_TYPE, Entry, Items, Notes

PREFETCH_KEYS = tuple(key for keys in KEYS_OF_TYPE.values() for key in keys)
# By the names of the types in any version.
_TYPES_OF_KEY = {
    key: frozenset(kind for kind in (*KEYS_OF_TYPE, *NAMES_IN_R4) if key in KEYS_OF_TYPE.get(in_r4(kind), ()))
    for key in PREFETCH_KEYS
}

# Entries about a list, not of it.
_SPECIAL = frozenset(("Bundle", "OperationOutcome"))
CUT = "holds fewer entries than its total"
IN_SUMMARY = "holds resources of which some members alone were sent (tag SUBSETTED): send them whole"
_MAX_DEPTH = 3
# A Bundle with more than these costs memory and time, and is no record.
_MAX_LINKS = 100
_MAX_LINK_BYTES = 100_000
_ENTRIES = (BundleEntry, PreviewedEntry)
_JSON_TYPES = {int: "int", float: "float", str: "str", bool: "bool", tuple: "array"}


class _FullUrl(msgspec.Struct):
    fullUrl: str | None = None


_url = msgspec.json.Decoder(str | None)


def next_url_of(links: Iterable[Link]) -> str | None:
    """The URL of the next page; "" where it, or that a link is one, cannot be read; None without one."""
    for link in links:
        if not isinstance(link.relation, str):
            return ""
        if link.relation.strip().lower() == "next":
            return link.url if isinstance(link.url, str) else ""
    return None


def _next_url_in(raw: msgspec.Raw, place: str) -> str | None:
    """`next_url_of` raw links; "" where they are too many. Raises InvalidBody where they are no list."""
    if len(memoryview(raw)) > _MAX_LINK_BYTES:
        return ""
    links: list[msgspec.Raw] = decoded(raw, list[msgspec.Raw] | None, f"{place}.link") or []
    return next_url_of(_valid_links(links)) if len(links) <= _MAX_LINKS else ""


def _valid_links(links: Iterable[msgspec.Raw]) -> Iterator[Link]:
    for raw in links:
        with suppress(*UNDECODABLE):
            yield msgspec.json.decode(raw, type=Link)


def _total_of(raw: msgspec.Raw) -> int:
    """The number of matches that the server states; 0 where it states none."""
    try:
        total = msgspec.json.decode(raw)
        if isinstance(total, str):
            total = float(total)
        return int(min(total, 1e9)) if isinstance(total, (int, float)) and total is not True else 0
    except (*UNDECODABLE, ValueError, OverflowError):
        return 0


def _mode_of(search: msgspec.Raw) -> Any:
    """Its search mode: match, include or outcome."""
    return (part_of(search, Search) or Search()).mode


def _full_url_problem(raw: msgspec.Raw, place: str) -> str:
    """The problem of an invalid fullUrl, decoded as a member so that its name is in the words."""
    try:
        decoded(msgspec.Raw(b'{"fullUrl": %b}' % bytes(raw)), _FullUrl, place)
    except InvalidBody as error:
        return str(error)
    return ""


def _is_cut(total: int, matches: int, outcomes: int) -> bool:
    """Whether fewer entries came than the total: of matches; some servers count outcomes beside them too."""
    return total > (matches and matches + outcomes)


class EntryReader(msgspec.Struct):
    """Collects entries of Bundles, and notes on those that are invalid.

    lacking: notes on entries that do not hold their resource. partly: keys of lists of which a part is
    lacking. failed: more than later pages is lacking. next_url, total, matches, outcomes: of the outermost
    Bundles, counted where a total is stated. held: entries of any kind.
    """

    limits: Budget
    entries: list[Entry] = []
    notes: Notes = msgspec.field(default_factory=Notes)
    lacking: Notes = msgspec.field(default_factory=Notes)
    kinds: set[str] = set()
    partly: set[str] = set()
    next_url: str | None = None
    failed: bool = False
    total: int = 0
    matches: int = 0
    outcomes: int = 0
    held: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether fewer entries came than the server says that it found."""
        return _is_cut(self.total, self.matches, self.outcomes)

    def all_notes(self) -> tuple[Note, ...]:
        return *self.notes.all(), *self.lacking.all()

    def list_of(self, raw: msgspec.Raw, key: str) -> bool:
        """Read one prefetch value. Returns whether the list is whole."""
        if raw == NOT_THERE:
            return True
        whole = self._list(raw, f"prefetch.{key}", key) and not self.partly
        if whole and self.total and self.is_cut:
            self.failed = True
        return whole and not self.failed

    def page(self, raw: msgspec.Raw, key: str, number: int) -> bool:
        """Read one fetched page. Returns whether it is whole, its `next` link aside."""
        return self._list(raw, f"{FETCHED}{key}.page[{number}]", key) and not self.failed

    def _list(self, raw: msgspec.Raw, place: str, key: str) -> bool:
        try:
            bundle = bundle_of(raw, place)
            kind, problem = bundle.resourceType or self._type_of(raw, place), ""
        except InvalidBody as error:
            # Another resource may have members of these names.
            kind, problem = self._type_of(raw, place), str(error)
        if kind is None or kind == "OperationOutcome":
            return False
        if kind != "Bundle":
            if kind not in _TYPES_OF_KEY[key]:
                why = misnamed(kind) or f"is no resource of {key}"
                self.notes.add(Note(place, why, "resourceType"))
                return False
            self.entries.append(Entry(raw, place, preview=preview_of(raw)))
            return True
        if problem:
            self.notes.add(Note(place, problem))
            return False
        try:
            self.bundle(bundle, raw, place, key)
        except InvalidBody as error:
            self.notes.add(Note(place, str(error)))
            return False
        if self.kinds and self.kinds.isdisjoint(_TYPES_OF_KEY[key]):
            self.notes.add(Note(place, f"holds no resource of {key}", "entry.resource"))
            self.failed = True
            return False
        return True

    def bundle(self, bundle: Bundle, raw: msgspec.Raw, place: str, key: str | None, depth: int = 0) -> None:
        """Read every entry, those of nested Bundles too. Raises InvalidBody, and OverBudget."""
        entries = bundle.entry or ()
        next_url = None if bundle.link is NOT_THERE else _next_url_in(bundle.link, place)
        if not entries and bundle.entries != NOT_THERE:
            self.notes.add(Note(place, "its entries are in the member entries, not entry; they were read"))
            entries = decoded(bundle.entries, Entries, f"{place}.entries") or ()
        self.held += len(entries)
        if self.held > self.limits.entries:
            self.limits.check("entries", self.held)
        if next_url is not None:
            self.partly |= {key} if key else set(PREFETCH_KEYS)
            if depth:
                self.failed = True
            else:
                self.next_url = next_url or ""
        bare: list[msgspec.Raw] | None = None
        items, kinds, read = Items(raw), self.kinds, self.entries
        first = len(read)
        for number, entry in enumerate(entries):
            if isinstance(entry, PreviewedEntry):
                preview = entry.resource
                kinds.add(preview.kind)
                read.append(Entry(items, place, number, entry.fullUrl, preview))
                continue
            if not isinstance(entry, BundleEntry):
                if not self.notes.counted():
                    name = _JSON_TYPES.get(type(entry), "null")
                    problem = f"Not the expected shape: Expected object, got {name}."
                    self.notes.add(Note(f"{place}.entry[{number}]", problem))
                continue
            if entry.resource == NOT_THERE and entry.resourceType != NOT_THERE:
                if bare is None:
                    members = decoded(raw, EntryMember, place)
                    bare = members.entry or members.entries or []
                    problem = "it is a resource where an entry is expected; it was read"
                    self.notes.add(Note(f"{place}.entry[{number}]", problem))
                entry.resource = bare[number]
            self._entry(entry, place, number, key, depth)
        if may_hold_subsetted(raw):
            self._note_summaries([entry for entry in read[first:] if entry.place == place], place, key)
        total = 0 if bundle.total is NOT_THERE else _total_of(bundle.total)
        if not total:
            return
        modes = []
        for entry in entries:
            if isinstance(entry, _ENTRIES) and (search := entry.search):
                modes.append(search.mode if isinstance(search, Search) else _mode_of(search))
        outcomes = modes.count("outcome")
        matches = len(entries) - modes.count("include") - outcomes
        if not depth:
            self.total = max(self.total, total)
            self.matches, self.outcomes = self.matches + matches, self.outcomes + outcomes
        elif _is_cut(total, matches, outcomes) and next_url is None:
            self._lack(key)
            self.lacking.add(Note(place, CUT, "total"))

    def _note_summaries(self, entries: Iterable[Entry], place: str, key: str | None) -> None:
        """What ended a disease or was found beside a result may be among the members that were left out."""
        kinds = {in_r4(entry.kind) for entry in entries if is_subsetted(entry.raw)}
        if not kinds:
            return
        if key:
            self._lack(key)
        else:
            self.partly.update(*(KEYS_OF_TYPE.get(kind, ()) for kind in kinds))
        self.lacking.add(Note(place, IN_SUMMARY))

    def _lack(self, key: str | None) -> None:
        """Note that a part is lacking: of this list, or of any list of a Bundle that has no keys."""
        self.failed = True
        self.partly |= {key} if key else set(PREFETCH_KEYS)

    def _entry(self, entry: BundleEntry, place: str, number: int, key: str | None, depth: int) -> None:
        try:
            full_url = None if entry.fullUrl is NOT_THERE else _url.decode(entry.fullUrl)
        except UNDECODABLE:
            self.notes.add(Note(f"{place}.entry[{number}]", _full_url_problem(entry.fullUrl, place)))
            return
        status = None if entry.response is NOT_THERE else failed_status(entry)
        if status is not None or entry.resource == NOT_THERE:
            self._lacking_entry(entry, place, number, status, key)
        if entry.resource == NOT_THERE:
            return
        preview = preview_of(entry.resource)
        kind = preview.kind if preview is not None else None
        if kind and kind not in _SPECIAL:
            self.kinds.add(kind)
            found = Entry(entry.resource, place, number, full_url, preview)
            self.entries.append(found)
            if (why := misnamed(kind)) and not self.notes.counted():
                self.notes.add(Note(found.expression, why, "resourceType"))
        else:
            found = Entry(entry.resource, f"{place}.entry[{number}].resource", None, full_url, preview)
            self._special(found, key, depth)

    def _lacking_entry(
        self, entry: BundleEntry, place: str, number: int, status: str | None, key: str | None
    ) -> None:
        """Note an entry without its resource, or one whose request failed."""
        if self.lacking.counted():
            self._lack(key)
            return
        if status is None and is_deletion(entry):
            return
        kind = type_named_by(entry)
        if key or kind is None:
            self._lack(key)
        else:
            self.partly.update(KEYS_OF_TYPE.get(in_r4(kind), ()))
        why = f"its request failed with status {status}" if status else "has no resource"
        self.lacking.add(Note(f"{place}.entry[{number}]", why))

    def _special(self, entry: Entry, key: str | None, depth: int) -> None:
        """Read an entry that is about the list, or note one that is invalid."""
        is_object = memoryview(entry.raw)[0] == ord("{")
        if not is_object and self.notes.counted():
            return
        # The type may be valid where the id is not.
        kind = entry.kind or self._type_of(entry.raw, entry.place)
        if kind is None:
            return
        if kind == "OperationOutcome":
            if not is_answered(entry.raw):
                # The server could not answer this part of the search.
                self._lack(key)
                if key is None:
                    self.lacking.add(Note(entry.place, "the server could not answer: an OperationOutcome"))
            return
        if kind == "Bundle" and depth == _MAX_DEPTH:
            self.kinds.add(kind)
            self.notes.add(Note(entry.place, "a Bundle nested too deeply to be read"))
            return
        if kind == "Bundle":
            try:
                bundle = bundle_of(entry.raw, entry.place)
                self.bundle(bundle, entry.raw, entry.place, key, depth + 1)
            except InvalidBody as error:
                self.notes.add(Note(entry.place, str(error)))
            return
        self.kinds.add(kind)
        self.entries.append(entry)

    def _type_of(self, raw: msgspec.Raw, place: str) -> str | None:
        """The resourceType, or None (noted) where it is missing or invalid."""
        try:
            kind: str | None = decoded(raw, ResourceType, place).kind
        except InvalidBody as error:
            self.notes.add(Note(place, str(error), "resourceType"))
            return None
        if not kind:
            self.notes.add(Note(place, "has no resourceType", "resourceType"))
            return None
        return kind
