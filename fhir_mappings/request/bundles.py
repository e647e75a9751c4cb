"""Body bytes -> a request whose entries are still raw: one msgspec pass, nothing read that is not needed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.request.json_body import BodyProblem, Name, UnreadableBody, decoded, members_of, value_of
from fhir_mappings.request.pages import Fetched, next_of
from fhir_mappings.resources.fhir_version import in_r4
from fhir_mappings.resources.notes import Notes
from fhir_mappings.resources.preview import UNREADABLE, Head, Look, first_look
from fhir_mappings.resources.submission import FETCHED, Entry, Submission

NULL = msgspec.Raw(b"null")

# Which prefetch key a resource type answers, for a bundle that has no keys of its own.
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

# Not resources of a list, but something about it.
_SPECIAL = frozenset(("Bundle", "OperationOutcome"))
# Bundles in bundles are read, no deeper than any real one.
_DEEPEST = 3
# Of the links of a Bundle one tells of a next page; of very many none is looked at.
_MOST_LINKS = 100
# Each raw entry takes 64 bytes of memory: of longer Bundles one must be longer than a number or null.
_LONG = 2_000_000
_FEWEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class HookCall:
    """A CDS Hooks request. members: all but prefetch, as plain JSON. prefetch: None if it was not sent.

    context: its members once more, still raw; none where it is not an object.
    """

    members: dict[str, Any]
    prefetch: dict[str, msgspec.Raw] | None
    context: Mapping[str, msgspec.Raw]


class _Entry(msgspec.Struct, gc=False):
    fullUrl: str | None = None
    resource: msgspec.Raw = NULL


class _Bundle(msgspec.Struct):
    """A Bundle whose every entry is an object: nearly all are."""

    resourceType: str | None = None
    entry: list[_Entry] | None = None
    link: list[msgspec.Raw] | None = None


class _LooseBundle(msgspec.Struct):
    """A Bundle whose entries may be anything: read one by one, so that one bad entry loses no other."""

    entry: list[msgspec.Raw] | None = None
    link: list[msgspec.Raw] | None = None


class _Link(msgspec.Struct):
    relation: str | None = None


class _Kind(msgspec.Struct, gc=False):
    resourceType: str | None = None


# A call whose members are objects, lists, texts or nothing: no other is known.
_Call = dict[Name, dict[Name, msgspec.Raw] | list[msgspec.Raw] | str | bool | None]
_bundle = msgspec.json.Decoder(_Bundle)


def decode_bundle(body: bytes) -> Submission:
    """A posted Bundle of any type, or raises UnreadableBody (400 not JSON, 422 not a Bundle)."""
    bundle = _whole(body)
    name = bundle.resourceType if bundle else decoded(body, _Kind, "").resourceType
    if name is None:
        raise UnreadableBody(
            (BodyProblem("required", "The body has no resourceType: post a FHIR Bundle.", "resourceType"),),
            422,
        )
    if name != "Bundle":
        raise UnreadableBody(
            (
                BodyProblem(
                    "invalid",
                    "The body is a single resource, not a Bundle: post it as an entry of a Bundle of type"
                    " collection, together with its Patient.",
                    "resourceType",
                ),
            ),
            422,
        )
    reading = _Reading()
    reading.bundle(bundle or _loose(body, "Bundle"), "Bundle", None)
    seen = set(map(in_r4, reading.kinds))
    not_seen = [
        key
        for name, keys in KEYS_OF_TYPE.items()
        for key in keys
        if name not in seen or key in reading.partly
    ]
    return Submission(
        entries=tuple(reading.entries),
        not_seen=tuple(not_seen),
        not_understood=reading.notes.all(),
    )


def decode_call(body: bytes) -> HookCall:
    """A CDS Hooks request, its prefetch still raw, or raises UnreadableBody."""
    plain = _plain_call(body)
    if plain is not None:
        return plain
    members = members_of(body, "")
    prefetch: dict[str, msgspec.Raw] | None = None
    raw = members.pop("prefetch", NULL)
    if not _is_null(raw):
        prefetch = members_of(raw, "prefetch")
    content = {name: value_of(bytes(value), name) for name, value in members.items()}
    context = content.get("context")
    raw_context = members["context"] if isinstance(context, dict) else msgspec.Raw(b"{}")
    return HookCall(content, prefetch, decoded(bytes(raw_context), dict[str, msgspec.Raw], "context"))


def _plain_call(body: bytes) -> HookCall | None:
    """The same in one pass; None where anything is not as it should be: then it is read member by member."""
    try:
        named = decoded(body, _Call, "")
        values = {key.name: value for key, value in named.items()}
        prefetch = values.pop("prefetch", None)
        context = values.get("context", {})
        whole = len(values) + ("prefetch" in {key.name for key in named}) == len(named)
        if not whole or not isinstance(prefetch, dict | None) or not isinstance(context, dict):
            return None
        content = {name: _plain(value, name) for name, value in values.items()}
        return HookCall(content, None if prefetch is None else _unnamed(prefetch), _unnamed(context))
    except UnreadableBody:
        return None


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        return {name: value_of(bytes(raw), place) for name, raw in _unnamed(value).items()}
    if isinstance(value, list):
        return [value_of(bytes(raw), place) for raw in value]
    return value


def _unnamed(named: Mapping[Name, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    members = {key.name: raw for key, raw in named.items()}
    if len(members) < len(named):
        raise UnreadableBody(())
    return members


def submission_of_prefetch(
    prefetch: Mapping[str, msgspec.Raw] | None,
    patient_id: str | None,
    keys: Collection[str] = PREFETCH_KEYS,
    fetched: Mapping[str, Fetched] | None = None,
) -> Submission:
    """The prefetch of a hook call, and what was fetched where it was not whole.

    keys: those that the hook asks for.
    A key that is missing, or holds an OperationOutcome or a resource of another kind, was not seen; null or a
    Bundle without matches is an empty list that was; a Bundle with a `next` link was seen only in part. What
    was fetched makes a key seen where its last page was had.
    """
    entries: list[Entry] = []
    notes: list[Note] = []
    not_seen = []
    for key in PREFETCH_KEYS:
        reading = _Reading()
        fetched_notes: tuple[Note, ...] = ()
        raw = (prefetch or {}).get(key)
        seen = raw is not None and reading.list_of(raw, key)
        had = (fetched or {}).get(key)
        if had is not None and not seen:
            more = _Reading()
            read = [more.page(page.raw, key, number) for number, page in enumerate(had.pages)]
            seen = had.whole and all(read)
            reading.entries += more.entries
            fetched_notes = more.notes.all()
        entries += reading.entries
        notes += (*reading.notes.all(), *fetched_notes)
        if not seen and key in keys:
            not_seen.append(key)
    bare = patient_id.removeprefix("Patient/") if patient_id else None
    return Submission(
        entries=tuple(entries),
        not_seen=tuple(not_seen),
        patient_id=bare,
        not_understood=tuple(notes),
    )


def lists_to_fetch(prefetch: Mapping[str, msgspec.Raw] | None, keys: Iterable[str]) -> dict[str, str | None]:
    """The keys whose list was not sent whole -> the URL of its next page.

    None where no page tells what is lacking: the whole list is to be fetched.
    """
    lacking: dict[str, str | None] = {}
    for key in keys:
        raw = (prefetch or {}).get(key)
        reading = _Reading()
        if raw is None or not reading.list_of(raw, key):
            lacking[key] = None if reading.failed else reading.next_url
    return lacking


def entries_of(raw: msgspec.Raw, place: str, key: str) -> tuple[tuple[Entry, ...], tuple[Note, ...]]:
    """The entries of one Bundle, and what could not be read of them. UnreadableBody where it is none."""
    reading = _Reading()
    reading.bundle(_whole(raw) or _loose(raw, place), place, key)
    return tuple(reading.entries), reading.notes.all()


def _is_null(raw: msgspec.Raw) -> bool:
    # Of a long one no copy is made to see that it is not.
    return len(raw) == 4 and bytes(raw) == b"null"


def _whole(raw: bytes | msgspec.Raw) -> _Bundle | None:
    """The Bundle in one pass; None where anything in it is not as it should be: then it is read loosely."""
    try:
        return _bundle.decode(raw)
    except UNREADABLE:
        return None


def _loose(raw: bytes | msgspec.Raw, place: str) -> _LooseBundle:
    """The Bundle, each entry still raw. UnreadableBody also where they are so many that memory runs out."""
    if len(raw) > _LONG and bytes(raw).count(b",") * _FEWEST_BYTES > len(raw):
        said = "It holds millions of entries that are no resources."
        raise UnreadableBody((BodyProblem("too-costly", said, f"{place}.entry"),))
    bundle: _LooseBundle = decoded(raw, _LooseBundle, place)
    return bundle


def _answers(kinds: Iterable[str], key: str) -> bool:
    """Whether a resource of one of those types belongs in the list of that key."""
    return any(key in KEYS_OF_TYPE.get(in_r4(kind), ()) for kind in kinds)


class _Reading:
    """Collects the entries of bundles, and what could not be read of them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.notes = Notes()
        self.kinds: set[str] = set()
        self.partly: set[str] = set()
        # Of the outermost bundle; and whether more than later pages is lacking.
        self.next_url: str | None = None
        self.failed = False

    def list_of(self, raw: msgspec.Raw, key: str) -> bool:
        """Reads one prefetch value; whether the list was wholly seen."""
        if _is_null(raw):
            return True
        return self._list(raw, f"prefetch.{key}", key) and not self.partly

    def page(self, raw: msgspec.Raw, key: str, number: int) -> bool:
        """Reads one page that was fetched; whether it was wholly seen, its `next` link aside."""
        return self._list(raw, f"{FETCHED}{key}.page[{number}]", key) and not self.failed

    def _list(self, raw: msgspec.Raw, place: str, key: str) -> bool:
        whole = _whole(raw)
        name = whole.resourceType if whole and whole.resourceType else self.type_of(raw, place)
        if name is None or name == "OperationOutcome":
            return False
        if name != "Bundle":
            if not _answers([name], key):
                self.notes.add(Note(place, f"is no resource of {key}", "resourceType"))
                return False
            self.entries.append(Entry(raw, place, head=first_look(raw)))
            return True
        try:
            bundle = whole or _loose(raw, place)
        except UnreadableBody as error:
            self.notes.add(Note(place, str(error)))
            return False
        self.bundle(bundle, place, key)
        if self.kinds and not _answers(self.kinds, key):
            self.notes.add(Note(place, f"holds no resource of {key}", "entry.resource"))
            self.failed = True
            return False
        return True

    def bundle(self, bundle: _Bundle | _LooseBundle, place: str, key: str | None, depth: int = 0) -> None:
        """Every resource of the bundle, nested bundles too."""
        links = bundle.link or []
        if len(links) > _MOST_LINKS or any(map(self._is_next, links)):
            self.partly |= {key} if key else set(PREFETCH_KEYS)
            if depth:
                self.failed = True
            else:
                self.next_url = next_of(links[:_MOST_LINKS]) or ""
        entries: Iterable[_Entry | msgspec.Raw] = bundle.entry or ()
        for number, written in enumerate(entries):
            entry = (
                written if isinstance(written, _Entry) else self._entry(written, f"{place}.entry[{number}]")
            )
            if entry is None or _is_null(entry.resource):
                continue
            head = first_look(entry.resource)
            kind = head and head.kind
            if not kind or kind in _SPECIAL:
                self._special(entry, head, f"{place}.entry[{number}].resource", key, depth)
                continue
            self.kinds.add(kind)
            self.entries.append(Entry(entry.resource, place, number, entry.fullUrl, head))

    def _special(
        self, entry: _Entry, head: Look | Head | None, where: str, key: str | None, depth: int
    ) -> None:
        """An entry that holds no resource like any other; one that cannot be read is named."""
        if self.notes.counts(entry.resource):
            return
        # Perhaps its type can be read alone.
        kind = (head and head.kind) or self.type_of(entry.resource, where)
        if kind is None:
            return
        if kind == "OperationOutcome":
            # The server could not answer this part of the search.
            self.failed = True
            if key:
                self.partly.add(key)
            return
        self.kinds.add(kind)
        if kind == "Bundle" and depth < _DEEPEST:
            try:
                inner = _whole(entry.resource) or _loose(entry.resource, where)
            except UnreadableBody as error:
                self.notes.add(Note(where, str(error)))
                return
            self.bundle(inner, where, key, depth + 1)
            return
        self.entries.append(Entry(entry.resource, where, None, entry.fullUrl, head))

    def _entry(self, raw: msgspec.Raw, place: str) -> _Entry | None:
        """One entry of a Bundle that is read loosely."""
        if self.notes.counts(raw):
            return None
        try:
            entry: _Entry = decoded(raw, _Entry, place)
        except UnreadableBody as error:
            self.notes.add(Note(place, str(error)))
            return None
        return entry

    def type_of(self, raw: msgspec.Raw, place: str) -> str | None:
        """The resourceType, or None (noted) where there is none."""
        try:
            name = decoded(raw, _Kind, place).resourceType
        except UnreadableBody as error:
            self.notes.add(Note(place, str(error), "resourceType"))
            return None
        if not isinstance(name, str) or not name:
            self.notes.add(Note(place, "has no resourceType", "resourceType"))
            return None
        return name

    @staticmethod
    def _is_next(raw: msgspec.Raw) -> bool:
        try:
            return bool(decoded(raw, _Link, "link").relation == "next")
        except UnreadableBody:
            return False
