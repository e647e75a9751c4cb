"""Body bytes -> a request whose entries are still raw: one msgspec pass, nothing read that is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fhir_mappings.findings import Note
from fhir_mappings.located import Entry, Submission

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

# Bundles inside bundles are read, but no deeper than any real one.
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class BodyProblem:
    """One thing wrong with a body. code: a FHIR issue type; expression: the path at fault."""

    code: str
    diagnostics: str
    expression: str | None = None


class UnreadableBody(ValueError):
    """The body cannot be read. status: 400 for JSON, 422 for JSON that is not a Bundle."""

    def __init__(self, problems: tuple[BodyProblem, ...], status: int = 400) -> None:
        super().__init__("; ".join(problem.diagnostics for problem in problems))
        self.problems = problems
        self.status = status


@dataclass(frozen=True, slots=True)
class HookCall:
    """A CDS Hooks request. members: all but prefetch, as plain JSON. prefetch: None if it was not sent."""

    members: dict[str, Any]
    prefetch: dict[str, msgspec.Raw] | None


class _Bundle(msgspec.Struct):
    resourceType: msgspec.Raw = NULL
    type: msgspec.Raw = NULL
    entry: list[msgspec.Raw] | None = None
    link: list[msgspec.Raw] | None = None


class _Entry(msgspec.Struct):
    fullUrl: str | None = None
    resource: msgspec.Raw = NULL
    search: msgspec.Raw = NULL


class _Link(msgspec.Struct):
    relation: str | None = None


class _Head(msgspec.Struct):
    resourceType: str | None = None


def decode_bundle(body: bytes) -> Submission:
    """A posted Bundle of any type, or raises UnreadableBody (400 not JSON, 422 not a Bundle)."""
    head = _object(body, _Head, "")
    if head.resourceType is None:
        raise UnreadableBody(
            (BodyProblem("required", "The body has no resourceType: post a FHIR Bundle.", "resourceType"),),
            422,
        )
    if head.resourceType != "Bundle":
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
    reading.bundle(_object(body, _Bundle, "Bundle"), "Bundle", None)
    seen = set(reading.types)
    not_seen = [
        key
        for name, keys in KEYS_OF_TYPE.items()
        for key in keys
        if name not in seen or key in reading.partly
    ]
    return Submission(
        entries=tuple(reading.entries),
        not_seen=tuple(not_seen),
        not_understood=tuple(reading.notes),
    )


def decode_call(body: bytes) -> HookCall:
    """A CDS Hooks request, its prefetch still raw, or raises UnreadableBody."""
    members = _object(body, dict[str, msgspec.Raw], "")
    prefetch: dict[str, msgspec.Raw] | None = None
    raw = members.pop("prefetch", NULL)
    if bytes(raw) != b"null":
        prefetch = _object(bytes(raw), dict[str, msgspec.Raw], "prefetch")
    return HookCall({name: _object(bytes(value), Any, name) for name, value in members.items()}, prefetch)


def submission_of_prefetch(prefetch: Mapping[str, msgspec.Raw] | None, patient_id: str | None) -> Submission:
    """The prefetch of a hook call.

    A key that is missing, or holds an OperationOutcome, was not seen; null or a Bundle without matches is an
    empty list that was; a Bundle with a `next` link was seen only in part.
    """
    reading = _Reading()
    not_seen = []
    for key in PREFETCH_KEYS:
        raw = (prefetch or {}).get(key)
        if raw is None or not reading.list_of(raw, key):
            not_seen.append(key)
    bare = patient_id.removeprefix("Patient/") if patient_id else None
    return Submission(
        entries=tuple(reading.entries),
        not_seen=tuple(not_seen),
        patient_id=bare,
        not_understood=tuple(reading.notes),
    )


def drafts_of(context: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The draft resources of a hook's context, as entries of their own."""
    drafts = context.get("draftOrders")
    entries = drafts.get("entry") if isinstance(drafts, dict) else None
    return tuple(
        Entry(
            msgspec.Raw(msgspec.json.encode(entry["resource"])),
            f"context.draftOrders.entry[{index}].resource",
            draft=True,
        )
        for index, entry in enumerate(entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    )


def _object(body: bytes, shape: Any, place: str) -> Any:
    """The body as that shape; every way in which it can fail to be is an UnreadableBody."""
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError:
        problem = BodyProblem("too-costly", "The JSON is nested too deeply.", place or None)
    except UnicodeDecodeError:
        problem = BodyProblem("invalid", "The body is not valid UTF-8.", place or None)
    except msgspec.ValidationError as error:
        # msgspec names types and paths, never values.
        problem = BodyProblem("structure", f"Not the expected shape: {_words(error)}.", place or None)
    except msgspec.DecodeError as error:
        problem = BodyProblem("invalid", f"Not valid JSON: {_words(error)}.", place or None)
    raise UnreadableBody((problem,))


def _words(error: msgspec.MsgspecError) -> str:
    return str(error).replace("`", "")


class _Reading:
    """Collects the entries of bundles, and what could not be read of them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.notes: list[Note] = []
        self.types: set[str] = set()
        self.partly: set[str] = set()

    def list_of(self, raw: msgspec.Raw, key: str) -> bool:
        """Reads one prefetch value; whether the list was wholly seen."""
        place = f"prefetch.{key}"
        if bytes(raw) == b"null":
            return True
        name = self.type_of(raw, place)
        if name is None or name == "OperationOutcome":
            return False
        if name != "Bundle":
            self.entries.append(Entry(raw, place))
            return True
        try:
            bundle = _object(bytes(raw), _Bundle, place)
        except UnreadableBody as error:
            self.notes.append(Note(place, str(error)))
            return False
        whole = len(self.partly)
        self.bundle(bundle, place, key)
        return len(self.partly) == whole

    def bundle(self, bundle: _Bundle, place: str, key: str | None, depth: int = 0) -> None:
        """Every resource of the bundle, nested bundles too."""
        if any(self._is_next(link) for link in bundle.link or ()):
            self.partly |= {key} if key else set(PREFETCH_KEYS)
        for index, raw in enumerate(bundle.entry or ()):
            self.entry(raw, f"{place}.entry[{index}]", key, depth)

    def entry(self, raw: msgspec.Raw, place: str, key: str | None, depth: int) -> None:
        """One entry; one that cannot be read is named and the rest goes on."""
        try:
            entry = _object(bytes(raw), _Entry, place)
        except UnreadableBody as error:
            self.notes.append(Note(place, str(error)))
            return
        if bytes(entry.resource) == b"null":
            return
        where = f"{place}.resource"
        name = self.type_of(entry.resource, where)
        if name is None:
            return
        if name == "OperationOutcome":
            # The server could not answer this part of the search.
            if key:
                self.partly.add(key)
            return
        self.types.add(name)
        if name == "Bundle" and depth < _DEEPEST:
            try:
                inner = _object(bytes(entry.resource), _Bundle, where)
            except UnreadableBody as error:
                self.notes.append(Note(where, str(error)))
                return
            self.bundle(inner, where, key, depth + 1)
            return
        self.entries.append(Entry(entry.resource, where, entry.fullUrl))

    def type_of(self, raw: msgspec.Raw, place: str) -> str | None:
        """The resourceType, or None (noted) where there is none."""
        try:
            name = _object(bytes(raw), _Head, place).resourceType
        except UnreadableBody as error:
            self.notes.append(Note(place, str(error), "resourceType"))
            return None
        if not isinstance(name, str) or not name:
            self.notes.append(Note(place, "has no resourceType", "resourceType"))
            return None
        return name

    @staticmethod
    def _is_next(raw: msgspec.Raw) -> bool:
        try:
            return bool(_object(bytes(raw), _Link, "link").relation == "next")
        except UnreadableBody:
            return False
