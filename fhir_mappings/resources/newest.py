"""Which of several entries of one resource is kept: a list comes under two keys, a history has versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from fhir_mappings.resources.preview import UNREADABLE
from fhir_mappings.resources.submission import FETCHED, Entry


class _Meta(msgspec.Struct, frozen=True, gc=False):
    """What tells one version of a resource from another."""

    lastUpdated: str | None = None
    versionId: str | None = None


class _Versioned(msgspec.Struct, frozen=True, gc=False):
    meta: _Meta | None = None


_versioned = msgspec.json.Decoder(_Versioned)
_Age = tuple[bool, str, str, bool, bytes]


def newest(entries: Iterable[Entry]) -> Mapping[str, Mapping[object, Entry]]:
    """Type -> every resource of it once, in the order in which they came. entries: those with a head."""
    kept: defaultdict[str, dict[object, Entry]] = defaultdict(dict)
    # Of what has several versions: that of the kept one, which may be long, is worked out once.
    ages: dict[tuple[str | None, object], _Age] = {}
    for entry in entries:
        head = entry.head
        if head is None:
            continue
        of_kind = kept[head.kind or ""]
        # What has no name is like no other.
        name = head.id or entry.full_url or (entry.expression,)
        before = of_kind.setdefault(name, entry)
        if before is entry:
            continue
        key, age = (head.kind, name), _age(entry)
        if key not in ages:
            ages[key] = _age(before)
        if age > ages[key]:
            of_kind[name], ages[key] = entry, age
    return kept


def _age(entry: Entry) -> _Age:
    """What decides between two versions of one resource: the greater is kept."""
    try:
        meta = _versioned.decode(entry.raw).meta or _Meta()
    except UNREADABLE:
        meta = _Meta()
    # Contained in no version at all sorts first; of equal versions what was sent goes before what was
    # fetched, and then the bytes decide.
    # An order that is being signed again stands for the one on file.
    sent = not entry.expression.startswith(FETCHED)
    return entry.draft, meta.lastUpdated or "", (meta.versionId or "").zfill(12), sent, bytes(entry.raw)
