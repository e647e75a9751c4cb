"""What the context of a hook brings: drafts of orders, and new problems."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import msgspec
from msgspec.structs import replace as replaced

from fhir_mappings.request.bundles import entries_of
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.submission import Entry, Submission

# Where the places of what a context brings begin.
_CONTEXT = "context."
_NOTHING = msgspec.Raw(b"{}")


def with_context(
    submission: Submission,
    context: Mapping[str, msgspec.Raw],
    bundles: Mapping[str, bool],
    selections: Iterable[str] | None = None,
) -> Submission:
    """The submission and what the Bundles of the context hold. bundles: member -> whether they are drafts.

    selections: references to what the user is at; None: to everything. Raises UnreadableBody where such a
    member is no Bundle; an entry that cannot be read is named, and the rest is read.
    """
    selected = None if selections is None else frozenset(_spellings(selections))
    entries, notes = list(submission.entries), list(submission.not_understood)
    for member, draft in bundles.items():
        place = f"{_CONTEXT}{member}"
        found, unread = entries_of(context.get(member, _NOTHING), place, member)
        entries += [
            replaced(entry, draft=draft, selected=selected is None or _is_among(entry, selected))
            for entry in found
        ]
        notes += unread
    return replace(submission, entries=tuple(entries), not_understood=tuple(notes))


def without_context(submission: Submission) -> Submission:
    """The same without what the context brought, wherever it stands: a list may hold it already."""
    listed = [entry for entry in submission.entries if not entry.expression.startswith(_CONTEXT)]
    brought = [entry for entry in submission.entries if entry.expression.startswith(_CONTEXT)]
    names = {name for entry in brought for name in entry.names}
    kept = tuple(entry for entry in listed if names.isdisjoint(entry.names))
    notes = tuple(note for note in submission.not_understood if not note.reference.startswith(_CONTEXT))
    return replace(submission, entries=kept, not_understood=notes)


def _is_among(entry: Entry, selected: Collection[str]) -> bool:
    """Whether one of the selections names it; some clients leave out the type."""
    names = entry.names
    return any(name in selected or name.split("/")[-1] in selected for name in names)


def _spellings(selections: Iterable[str]) -> Iterator[str]:
    """The selections as written, and an absolute one without its server."""
    for selection in selections:
        name = plain(selection)
        yield name
        if "://" in name:
            yield "/".join(name.split("/")[-2:])
