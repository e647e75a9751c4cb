"""Bundles, prefetch lists and pages of a FHIR server -> entries whose resources are still raw."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.request.json_body import (
    BodyProblem,
    InvalidBody,
    decoded,
)
from fhir_mappings.resources.fhir_version import in_r4
from fhir_mappings.resources.preview import Head, ResourceType, preview_of
from fhir_mappings.resources.shapes import NOT_THERE, UNDECODABLE
from fhir_mappings.resources.submission import FETCHED, Entry, Notes, Submission

# Type -> the prefetch keys whose lists hold it, for a Bundle that has no keys of its own.
KEYS_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "Patient": ("patient",),
    "Condition": ("conditions",),
    "Observation": ("findings", "labs"),
    "MedicationRequest": ("medications",),
    "MedicationStatement": ("medicationStatements",),
    "ServiceRequest": ("orders",),
    "Procedure": ("procedures",),
    "DiagnosticReport": ("reports",),
    "FamilyMemberHistory": ("familyHistory",),
}
PREFETCH_KEYS = tuple(key for keys in KEYS_OF_TYPE.values() for key in keys)

# Entries about a list, not of it.
_SPECIAL = frozenset(("Bundle", "OperationOutcome"))
_MAX_DEPTH = 3
# A Bundle with more than these costs memory and time, and is no record.
_MAX_LINKS = 100
_MAX_ENTRIES = 1_000_000
_JSON_TYPES = {int: "int", float: "float", str: "str", bool: "bool", tuple: "array"}


@dataclass(frozen=True, slots=True)
class Page:
    """A page from the caller's FHIR server. next_url: None on the last page. resources: their number."""

    raw: msgspec.Raw
    next_url: str | None = None
    resources: int = 1


@dataclass(frozen=True, slots=True)
class Fetched:
    """The pages of one list, in order. whole: the last page is among them."""

    pages: tuple[Page, ...] = ()
    whole: bool = False


class NoPage(ValueError):
    """Not the answer that was asked for. kind: a word for the log, never a part of the answer."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _Entry(msgspec.Struct, gc=False):
    fullUrl: msgspec.Raw = NOT_THERE
    resource: msgspec.Raw = NOT_THERE


class _FullUrl(msgspec.Struct):
    fullUrl: str | None = None


_url = msgspec.json.Decoder(str | None)


class _Bundle(msgspec.Struct):
    """Entries that are not objects are decoded too, so that they do not invalidate the rest."""

    resourceType: str | None = None
    entry: list[_Entry | int | float | str | bool | tuple[Any, ...] | None] | None = None
    link: list[msgspec.Raw] | None = None


class _Link(msgspec.Struct):
    relation: Any = None
    url: Any = None


class _SearchPage(_Bundle):
    """An invalid link is an error: it might have been that of the next page."""

    type: str | None = None
    link: list[_Link] | None = None  # type: ignore[assignment]


def decode_bundle(body: bytes) -> Submission:
    """Decode a posted Bundle of any type.

    Raises:
        InvalidBody: 400 where it is not JSON, 422 where it is not a Bundle.
    """
    try:
        bundle = decoded(body, _Bundle, "Bundle")
        kind = bundle.resourceType
    except InvalidBody as error:
        # Another resource may have members of these names.
        kind = decoded(body, ResourceType, "").kind
        if kind == "Bundle":
            raise error
    if kind is None:
        problem = "The body has no resourceType: post a FHIR Bundle."
        raise InvalidBody((BodyProblem("required", problem, "resourceType"),), 422)
    if kind != "Bundle":
        problem = (
            "The body is a single resource, not a Bundle: post it as an entry of a Bundle of type"
            " collection, together with its Patient."
        )
        raise InvalidBody((BodyProblem("invalid", problem, "resourceType"),), 422)
    reader = _Reader()
    reader.bundle(bundle, "Bundle", None)
    supplied = set(map(in_r4, reader.kinds))
    not_seen = tuple(
        key
        for kind, keys in KEYS_OF_TYPE.items()
        for key in keys
        if kind not in supplied or key in reader.partly
    )
    return Submission(tuple(reader.entries), not_seen, not_understood=reader.notes.all())


def submission_of_prefetch(
    prefetch: Mapping[str, msgspec.Raw] | None,
    patient_id: str | None,
    keys: Collection[str] = PREFETCH_KEYS,
    fetched: Mapping[str, Fetched] | None = None,
) -> Submission:
    """The entries of a prefetch, and of what was fetched where a list was not supplied whole.

    A list is not supplied where its key is missing or holds an OperationOutcome or a resource of another
    type. null and a Bundle without entries are empty lists. A Bundle with a `next` link is a part.

    Args:
        keys: those that the hook asks for.
    """
    entries: list[Entry] = []
    notes: list[Note] = []
    not_seen = []
    for key in PREFETCH_KEYS:
        reader = _Reader()
        raw = (prefetch or {}).get(key)
        supplied = raw is not None and reader.list_of(raw, key)
        entries += reader.entries
        notes += reader.notes.all()
        pages = (fetched or {}).get(key)
        if pages is not None and not supplied:
            reader = _Reader()
            read = [reader.page(page.raw, key, number) for number, page in enumerate(pages.pages)]
            supplied = pages.whole and all(read)
            entries += reader.entries
            notes += reader.notes.all()
        if not supplied and key in keys:
            not_seen.append(key)
    bare_id = patient_id.removeprefix("Patient/") if patient_id else None
    return Submission(tuple(entries), tuple(not_seen), bare_id, tuple(notes))


def lists_to_fetch(prefetch: Mapping[str, msgspec.Raw] | None, keys: Iterable[str]) -> dict[str, str | None]:
    """Keys whose list was not supplied whole -> URL of the next page; None: fetch the whole list."""
    lacking: dict[str, str | None] = {}
    for key in keys:
        raw = (prefetch or {}).get(key)
        reader = _Reader()
        if raw is None or not reader.list_of(raw, key):
            lacking[key] = None if reader.failed else reader.next_url
    return lacking


def entries_of(raw: msgspec.Raw, place: str, key: str) -> tuple[Sequence[Entry], Sequence[Note]]:
    """The entries of a Bundle, and notes on invalid ones. Raises InvalidBody where it is no Bundle."""
    reader = _Reader()
    reader.bundle(decoded(raw, _Bundle, place), place, key)
    return reader.entries, reader.notes.all()


def resource_page(body: bytes, kind: str, resource_id: str) -> Page:
    """The answer to a read. Raises NoPage: not-json, wrong-resource, another-id."""
    head = _of_server(body, Head)
    if head.kind != kind:
        raise NoPage("wrong-resource")
    if head.id != resource_id:
        raise NoPage("another-id")
    return Page(msgspec.Raw(body))


def search_page(body: bytes) -> Page:
    """One page of the answer to a search. Raises NoPage: not-json, wrong-resource."""
    bundle = _of_server(body, _SearchPage)
    # A Bundle of another type may hold errors instead of matches, and would read as an empty list.
    if bundle.resourceType != "Bundle" or bundle.type != "searchset":
        raise NoPage("wrong-resource")
    return Page(msgspec.Raw(body), _next_url(bundle.link or ()), len(bundle.entry or ()))


def _of_server(body: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        raise NoPage("wrong-resource") from None
    except UNDECODABLE:
        raise NoPage("not-json") from None


def _next_url(links: Iterable[_Link]) -> str | None:
    """The URL of the next page; "" where it is not a string; None where there is no next page."""
    urls = (link.url if isinstance(link.url, str) else "" for link in links if link.relation == "next")
    return next(urls, None)


def _valid_links(links: Iterable[msgspec.Raw]) -> Iterator[_Link]:
    for raw in links:
        with suppress(*UNDECODABLE):
            yield msgspec.json.decode(raw, type=_Link)


def _full_url_problem(raw: msgspec.Raw, place: str) -> str:
    """The problem of an invalid fullUrl, decoded as a member so that its name is in the words."""
    try:
        decoded(b'{"fullUrl": %b}' % bytes(raw), _FullUrl, place)
    except InvalidBody as error:
        return str(error)
    return ""


def _belongs_to(kinds: Iterable[str], key: str) -> bool:
    """Whether a resource of one of those types belongs in the list of that key."""
    return any(key in KEYS_OF_TYPE.get(in_r4(kind), ()) for kind in kinds)


class _Reader:
    """Collects entries of Bundles, and notes on those that are invalid.

    partly: keys of lists of which a part is lacking. failed: more than later pages is lacking.
    next_url: of the outermost Bundle.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.notes = Notes()
        self.kinds: set[str] = set()
        self.partly: set[str] = set()
        self.next_url: str | None = None
        self.failed = False

    def list_of(self, raw: msgspec.Raw, key: str) -> bool:
        """Read one prefetch value. Returns whether the list is whole."""
        if raw == NOT_THERE:
            return True
        return self._list(raw, f"prefetch.{key}", key) and not self.partly

    def page(self, raw: msgspec.Raw, key: str, number: int) -> bool:
        """Read one fetched page. Returns whether it is whole, its `next` link aside."""
        return self._list(raw, f"{FETCHED}{key}.page[{number}]", key) and not self.failed

    def _list(self, raw: msgspec.Raw, place: str, key: str) -> bool:
        try:
            bundle = decoded(raw, _Bundle, place)
            kind, problem = bundle.resourceType or self._type_of(raw, place), ""
        except InvalidBody as error:
            # Another resource may have members of these names.
            kind, problem = self._type_of(raw, place), str(error)
        if kind is None or kind == "OperationOutcome":
            return False
        if kind != "Bundle":
            if not _belongs_to([kind], key):
                self.notes.add(Note(place, f"is no resource of {key}", "resourceType"))
                return False
            self.entries.append(Entry(raw, place, preview=preview_of(raw)))
            return True
        if problem:
            self.notes.add(Note(place, problem))
            return False
        try:
            self.bundle(bundle, place, key)
        except InvalidBody as error:
            self.notes.add(Note(place, str(error)))
            return False
        if self.kinds and not _belongs_to(self.kinds, key):
            self.notes.add(Note(place, f"holds no resource of {key}", "entry.resource"))
            self.failed = True
            return False
        return True

    def bundle(self, bundle: _Bundle, place: str, key: str | None, depth: int = 0) -> None:
        """Read every entry, those of nested Bundles too. Raises InvalidBody where there are too many."""
        entries, links = bundle.entry or (), bundle.link or ()
        if len(entries) > _MAX_ENTRIES:
            problem = "It holds millions of entries that are no resources."
            raise InvalidBody((BodyProblem("too-costly", problem, f"{place}.entry"),))
        next_url = _next_url(_valid_links(links[:_MAX_LINKS]))
        if len(links) > _MAX_LINKS or next_url is not None:
            self.partly |= {key} if key else set(PREFETCH_KEYS)
            if depth:
                self.failed = True
            else:
                self.next_url = next_url or ""
        for number, entry in enumerate(entries):
            if not isinstance(entry, _Entry):
                if not self.notes.counted():
                    name = _JSON_TYPES.get(type(entry), "null")
                    problem = f"Not the expected shape: Expected object, got {name}."
                    self.notes.add(Note(f"{place}.entry[{number}]", problem))
                continue
            try:
                full_url = None if entry.fullUrl is NOT_THERE else _url.decode(entry.fullUrl)
            except UNDECODABLE:
                self.notes.add(Note(f"{place}.entry[{number}]", _full_url_problem(entry.fullUrl, place)))
                continue
            if entry.resource == NOT_THERE:
                continue
            preview = preview_of(entry.resource)
            kind = preview.kind if preview is not None else None
            if kind and kind not in _SPECIAL:
                self.kinds.add(kind)
                self.entries.append(Entry(entry.resource, place, number, full_url, preview))
            else:
                found = Entry(entry.resource, f"{place}.entry[{number}].resource", None, full_url, preview)
                self._special(found, key, depth)

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
            # The server could not answer this part of the search.
            self.failed = True
            if key:
                self.partly.add(key)
            return
        self.kinds.add(kind)
        if kind == "Bundle" and depth == _MAX_DEPTH:
            self.notes.add(Note(entry.place, "a Bundle nested too deeply to be read"))
            return
        if kind == "Bundle":
            try:
                self.bundle(decoded(entry.raw, _Bundle, entry.place), entry.place, key, depth + 1)
            except InvalidBody as error:
                self.notes.add(Note(entry.place, str(error)))
            return
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
