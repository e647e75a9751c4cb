"""The members of a Bundle that are read, and why a resource that they should hold is lacking."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from operator import attrgetter, is_
from typing import Any

import msgspec

from fhir_mappings.request.json_body import decoded
from fhir_mappings.resources.fhir_version import NAMES_IN_R4
from fhir_mappings.resources.preview import AnyPreview
from fhir_mappings.resources.select import KINDS
from fhir_mappings.resources.shapes import NOT_THERE, UNDECODABLE

_HARMLESS = frozenset(("information", "warning", "success"))
# Issue types (hl7.org/fhir/R4/codesystem-issue-type.html) of an answer that was refused or broken off: with
# any severity a part of it is lacking.
_REFUSED = ("security", "login", "expired", "forbidden", "too-costly", "not-supported")
_BROKEN_OFF = ("transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled")
_LACKING = frozenset(_REFUSED + _BROKEN_OFF)
_SUBSETTED = "SUBSETTED"
_MENTIONED = re.compile(_SUBSETTED.encode())
_FAILED_STATUS = re.compile(r"\s*(?:HTTP/[0-9.]{1,4}\s+)?([45][0-9]{2})(?![0-9])")
_LONGEST_STATUS = 20
_TYPE_IN_URL = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)(?:/[A-Za-z0-9.\-]+(?:/_history/[^/]*)?)?/?$", re.ASCII)
_MAX_URL_LENGTH = 2_000
_OF_DSTU2 = {"MedicationOrder": "a MedicationRequest", "DiagnosticOrder": "a ServiceRequest"}
_READ = (*KINDS, *NAMES_IN_R4, "Medication", "BodyStructure", "Bundle", "OperationOutcome")
_BY_SPELLING = {kind.lower(): kind for kind in _READ}
_LONGEST_TYPE = 64


class BundleEntry(msgspec.Struct, gc=False):
    """resourceType: of a resource that is no member of an entry, but stands in its place."""

    fullUrl: msgspec.Raw = NOT_THERE
    resource: msgspec.Raw = NOT_THERE
    resourceType: msgspec.Raw = NOT_THERE
    response: msgspec.Raw = NOT_THERE
    request: msgspec.Raw = NOT_THERE
    search: msgspec.Raw = NOT_THERE


# Entries that are not objects are decoded too, so that they do not invalidate the rest.
Entries = list[BundleEntry | int | float | str | bool | tuple[Any, ...] | None] | None


class Bundle(msgspec.Struct):
    """entries: the name that some clients give to `entry`."""

    resourceType: str | None = None
    entry: Entries = None
    entries: msgspec.Raw = NOT_THERE
    total: msgspec.Raw = NOT_THERE
    link: msgspec.Raw = NOT_THERE


class Search(msgspec.Struct, gc=False):
    mode: Any = None


class PreviewedEntry(msgspec.Struct, gc=False):
    """An entry that holds a resource, which is previewed in the same decode."""

    resource: AnyPreview
    fullUrl: str | None = None
    response: msgspec.Raw = NOT_THERE
    search: Search | None = None


class _PreviewedBundle(Bundle):
    entry: list[PreviewedEntry] | None = None  # type: ignore[assignment]


_response, _is_absent = attrgetter("response"), partial(is_, NOT_THERE)
_previewed = msgspec.json.Decoder(_PreviewedBundle)


def bundle_of(raw: bytes | msgspec.Raw, place: str) -> Bundle:
    """The Bundle: its entries previewed where all of them fit, else as they are. Raises InvalidBody."""
    try:
        bundle = _previewed.decode(raw)
        if all(map(_is_absent, map(_response, bundle.entry or ()))):
            return bundle
    except UNDECODABLE:
        pass
    whole: Bundle = decoded(raw, Bundle, place)
    return whole


class EntryMember(msgspec.Struct):
    """The member `entry` alone, its items still raw."""

    entry: list[msgspec.Raw] | None = None
    entries: list[msgspec.Raw] | None = None


class _Tag(msgspec.Struct):
    code: Any = None


class _Meta(msgspec.Struct):
    tag: list[_Tag | None] | _Tag | None = None


class _Tagged(msgspec.Struct):
    meta: _Meta | None = None


_tagged = msgspec.json.Decoder(_Tagged)


def may_hold_subsetted(raw: msgspec.Raw) -> bool:
    """Whether the word stands anywhere in it."""
    # Where it lies: a copy of a large list would count against the memory of a request.
    return _MENTIONED.search(memoryview(raw)) is not None


def is_subsetted(resource: msgspec.Raw) -> bool:
    """Whether a server says that it sent some of its members alone: hl7.org/fhir/R4/search.html#summary."""
    if not may_hold_subsetted(resource):
        return False
    with suppress(*UNDECODABLE):
        meta = _tagged.decode(resource).meta or _Meta()
        tags = meta.tag if isinstance(meta.tag, list) else [meta.tag]
        return any(tag is not None and str(tag.code).strip() == _SUBSETTED for tag in tags)
    return True


class Link(msgspec.Struct):
    relation: Any = None
    url: Any = None


class SearchPage(Bundle):
    """An invalid link is an error: it might have been that of the next page."""

    type: str | None = None
    link: list[Link] | None = None  # type: ignore[assignment]


class _Issue(msgspec.Struct):
    severity: Any = None
    code: Any = None


class _Outcome(msgspec.Struct):
    issue: list[_Issue] | None = None


class _Response(msgspec.Struct):
    status: Any = None
    outcome: msgspec.Raw = NOT_THERE
    location: Any = None


class _Request(msgspec.Struct):
    method: Any = None
    url: Any = None


def is_answered(outcome: msgspec.Raw) -> bool:
    """Whether every issue of an OperationOutcome only informs: the search was answered."""
    issues = (_member(outcome, _Outcome) or _Outcome()).issue
    return bool(issues) and all(
        str(issue.severity).lower() in _HARMLESS and str(issue.code).lower() not in _LACKING
        for issue in issues or ()
    )


def failed_status(entry: BundleEntry) -> str | None:
    """The HTTP status of a request in a batch that failed; "error" where only its outcome says so."""
    response = _member(entry.response, _Response) or _Response()
    if match := _FAILED_STATUS.match(str(response.status)[:_LONGEST_STATUS]):
        return match[1]
    return None if response.outcome == NOT_THERE or is_answered(response.outcome) else "error"


def is_deletion(entry: BundleEntry) -> bool:
    request = _member(entry.request, _Request)
    return request is not None and request.method == "DELETE"


def type_named_by(entry: BundleEntry) -> str | None:
    """The type of the resource that an entry does not hold, from its URLs."""
    response = _member(entry.response, _Response) or _Response()
    request = _member(entry.request, _Request) or _Request()
    for url in (_member(entry.fullUrl, str), response.location, request.url):
        if isinstance(url, str) and len(url) <= _MAX_URL_LENGTH:
            match = _TYPE_IN_URL.search(url.partition("?")[0])
            if match:
                return match[1]
    return None


def _member(raw: msgspec.Raw, shape: Any) -> Any:
    """The member in that shape; None where it is missing or invalid."""
    with suppress(*UNDECODABLE):
        return msgspec.json.decode(raw, type=shape | None)
    return None


def misnamed(kind: str) -> str:
    """Why a resource of that type is not read although it is meant to be; "" for any other type."""
    if kind in _OF_DSTU2:
        return f"{kind} is a type of DSTU2, which is not read: send {_OF_DSTU2[kind]}"
    meant = _BY_SPELLING.get(kind[:_LONGEST_TYPE].strip().lower(), kind)
    return "" if meant == kind else f"its resourceType is misspelt, so it is not read: write {meant}"
