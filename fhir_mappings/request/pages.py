"""What a FHIR server answered to one prefetch template: pages that stay raw, or why one is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. next_url: of the page after it, as written; None: it is the last. resources: how many."""

    raw: msgspec.Raw
    next_url: str | None = None
    resources: int = 1


@dataclass(frozen=True, slots=True)
class Fetched:
    """The pages of one list, in their order. whole: the last of them was had."""

    pages: tuple[Page, ...] = ()
    whole: bool = False


class NoPage(ValueError):
    """An answer that is not what was asked for. kind: a word for the log, never a part of the answer."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _Head(msgspec.Struct):
    resourceType: str | None = None
    id: str | None = None


class _Searchset(msgspec.Struct):
    resourceType: str | None = None
    type: str | None = None
    entry: list[msgspec.Raw] | None = None
    link: list[msgspec.Raw] | None = None


class _Link(msgspec.Struct):
    relation: str | None = None
    url: str | None = None


def resource_page(body: bytes, kind: str, resource_id: str) -> Page:
    """The answer to a read. Raises NoPage: not-json, wrong-resource, another-id."""
    head = _decoded(body, _Head)
    if head.resourceType != kind:
        raise NoPage("wrong-resource")
    if head.id != resource_id:
        raise NoPage("another-id")
    return Page(msgspec.Raw(body))


def search_page(body: bytes) -> Page:
    """One page of the answer to a search. Raises NoPage: not-json, wrong-resource."""
    bundle = _decoded(body, _Searchset)
    # Another type of Bundle may hold refusals instead of matches, and would read as an empty list.
    if bundle.resourceType != "Bundle" or bundle.type != "searchset":
        raise NoPage("wrong-resource")
    return Page(msgspec.Raw(body), next_of(bundle.link), len(bundle.entry or ()))


def next_of(links: list[msgspec.Raw] | None) -> str | None:
    """The URL of the next page; "" where there is one but it is not said which; None where there is none."""
    for raw in links or ():
        try:
            link = msgspec.json.decode(bytes(raw), type=_Link)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return ""
        if link.relation == "next":
            return link.url or ""
    return None


def _decoded(body: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        raise NoPage("wrong-resource") from None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NoPage("not-json") from None
