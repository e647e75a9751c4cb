"""Bundles, prefetch lists and pages of a FHIR server -> entries whose resources are still raw."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.request.bundle_entries import CUT, PREFETCH_KEYS, EntryReader, next_url_of
from fhir_mappings.request.bundle_shapes import SearchPage, bundle_of
from fhir_mappings.request.json_body import BodyProblem, InvalidBody, decoded
from fhir_mappings.resources.budget import budget
from fhir_mappings.resources.fhir_version import in_r4
from fhir_mappings.resources.preview import Head, ResourceType
from fhir_mappings.resources.shapes import UNDECODABLE
from fhir_mappings.resources.submission import KEYS_OF_TYPE, NEVER_MISSED, Entry, Submission

__all__ = [
    "PREFETCH_KEYS",
    "Fetched",
    "NoPage",
    "Page",
    "decode_bundle",
    "entries_of",
    "lists_to_fetch",
    "resource_page",
    "search_page",
    "submission_of_prefetch",
]


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


def decode_bundle(body: bytes) -> Submission:
    """Decode a posted Bundle of any type.

    Raises:
        InvalidBody: 400 where it is not JSON, 422 where it is not a Bundle.
        OverBudget: it has too many objects or entries.
    """
    budget().check_objects(body)
    try:
        bundle = bundle_of(body, "Bundle")
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
        if kind == "Parameters":
            problem = "The body is Parameters, which go to $apply: post the Bundle in them."
        raise InvalidBody((BodyProblem("invalid", problem, "resourceType"),), 422)
    reader = EntryReader(budget())
    reader.bundle(bundle, msgspec.Raw(body), "Bundle", None)
    if reader.is_cut and reader.next_url is None:
        reader.lacking.add(Note("Bundle", CUT, "total"))
        reader.partly.update(PREFETCH_KEYS)
    supplied = set(map(in_r4, reader.kinds))
    not_seen = tuple(
        key
        for kind, keys in KEYS_OF_TYPE.items()
        for key in keys
        if key not in NEVER_MISSED and (kind not in supplied or key in reader.partly)
    )
    return Submission(tuple(reader.entries), not_seen, not_understood=reader.all_notes())


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
    not_seen, held, limits = [], 0, budget()
    for key in PREFETCH_KEYS:
        reader = EntryReader(limits)
        raw = (prefetch or {}).get(key)
        supplied = raw is not None and reader.list_of(raw, key)
        entries += reader.entries
        held += reader.held
        pages = (fetched or {}).get(key)
        sent, notes_of_key = reader, reader.notes.all()
        if pages is not None and not supplied:
            reader = EntryReader(limits)
            read = [reader.page(page.raw, key, number) for number, page in enumerate(pages.pages)]
            if sent.entries:
                # The pages carry on from the one that was sent, or begin anew.
                both = (*sent.entries, *reader.entries)
                reader.matches = len({(entry.kind, entry.id or entry.expression) for entry in both})
            supplied = pages.whole and all(read) and not reader.is_cut
            entries += reader.entries
            held += reader.held
            notes_of_key += reader.notes.all()
        notes += notes_of_key if supplied else (*notes_of_key, *sent.lacking.all())
        if not supplied and key in keys and key not in NEVER_MISSED:
            not_seen.append(key)
    limits.check("entries", held)
    bare_id = patient_id.removeprefix("Patient/") if patient_id else None
    return Submission(tuple(entries), tuple(not_seen), bare_id, tuple(notes))


def lists_to_fetch(prefetch: Mapping[str, msgspec.Raw] | None, keys: Iterable[str]) -> dict[str, str | None]:
    """Keys whose list was not supplied whole -> URL of the next page; None: fetch the whole list."""
    lacking: dict[str, str | None] = {}
    for key in keys:
        raw = (prefetch or {}).get(key)
        reader = EntryReader(budget())
        if raw is None or not reader.list_of(raw, key):
            lacking[key] = None if reader.failed else reader.next_url
    return lacking


def entries_of(raw: msgspec.Raw, place: str, key: str) -> tuple[Sequence[Entry], Sequence[Note]]:
    """The entries of a Bundle, and notes on invalid ones. Raises InvalidBody where it is no Bundle."""
    reader = EntryReader(budget())
    reader.bundle(bundle_of(raw, place), raw, place, key)
    return reader.entries, reader.all_notes()


def resource_page(body: bytes, kind: str, resource_id: str) -> Page:
    """The answer to a read. Raises NoPage: not-json, wrong-resource, another-id."""
    body = body.removeprefix(BOM_UTF8)
    head = _of_server(body, Head)
    if head.kind != kind:
        raise NoPage("wrong-resource")
    if head.id != resource_id:
        raise NoPage("another-id")
    return Page(msgspec.Raw(body))


def search_page(body: bytes) -> Page:
    """One page of the answer to a search. Raises NoPage: not-json, wrong-resource."""
    body = body.removeprefix(BOM_UTF8)
    bundle = _of_server(body, SearchPage)
    # A Bundle of another type may hold errors instead of matches, and would read as an empty list.
    if bundle.resourceType != "Bundle" or bundle.type != "searchset":
        raise NoPage("wrong-resource")
    return Page(msgspec.Raw(body), next_url_of(bundle.link or ()), len(bundle.entry or ()))


def _of_server(body: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        raise NoPage("wrong-resource") from None
    except UNDECODABLE:
        raise NoPage("not-json") from None
