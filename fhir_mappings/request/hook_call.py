"""A CDS Hooks request: its members, its prefetch, and the draft orders and new problems of its context."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from fhir_mappings.request.bundles import entries_of
from fhir_mappings.request.json_body import (
    BodyProblem,
    InvalidBody,
    Name,
    decoded,
    unique_members,
    value_of,
)
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.submission import Entry, Submission

# Places of what a context holds begin so.
_CONTEXT = "context."
_NOTHING = msgspec.Raw(b"{}")
_Member = dict[Name, msgspec.Raw] | list[msgspec.Raw] | str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class HookCall:
    """A CDS Hooks request.

    members: all but prefetch, as plain JSON. prefetch: None if it was not sent.
    context: its members once more, still raw; none where it is not an object.
    """

    members: dict[str, Any]
    prefetch: dict[str, msgspec.Raw] | None
    context: Mapping[str, msgspec.Raw]


def decode_call(body: bytes) -> HookCall:
    """Decode a CDS Hooks request; its prefetch stays raw.

    Raises:
        InvalidBody: it is not an object, or an object in it has two members of one name.
    """
    try:
        named = decoded(body, dict[Name, _Member], "")
    except InvalidBody:
        # Name the member at fault.
        for name, raw in decoded(body, dict[Name, msgspec.Raw], "").items():
            decoded(raw, _Member, name.text)
        raise
    members = unique_members(named, "")
    prefetch = members.pop("prefetch", None)
    if prefetch is not None:
        if not isinstance(prefetch, dict):
            raise InvalidBody((BodyProblem("structure", "The prefetch is not an object.", "prefetch"),))
        prefetch = unique_members(prefetch, "prefetch")
    context = members.get("context")
    raw_context = unique_members(context, "context") if isinstance(context, dict) else {}
    return HookCall({name: _plain(value, name) for name, value in members.items()}, prefetch, raw_context)


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        return {name: value_of(raw, place) for name, raw in unique_members(value, place).items()}
    if isinstance(value, list):
        return [value_of(raw, place) for raw in value]
    return value


def with_context(
    submission: Submission,
    context: Mapping[str, msgspec.Raw],
    bundles: Mapping[str, bool],
    selections: Iterable[str] | None = None,
) -> Submission:
    """The submission with the entries of the Bundles of the context. An invalid entry is noted.

    Args:
        bundles: member of the context -> whether its entries are draft orders.
        selections: references to what the user has selected; None: to everything.

    Raises:
        InvalidBody: such a member is no Bundle.
    """
    selected = None if selections is None else frozenset(_spellings(selections))
    entries, notes = list(submission.entries), list(submission.not_understood)
    for member, draft in bundles.items():
        place = f"{_CONTEXT}{member}"
        added, added_notes = entries_of(context.get(member, _NOTHING), place, member)
        entries += [
            msgspec.structs.replace(
                entry, draft=draft, selected=selected is None or _is_among(entry, selected)
            )
            for entry in added
        ]
        notes += added_notes
    return replace(submission, entries=tuple(entries), not_understood=tuple(notes))


def without_context(submission: Submission) -> Submission:
    """The submission without the resources of the context, also where a list holds them too."""
    listed = [entry for entry in submission.entries if not entry.expression.startswith(_CONTEXT)]
    of_context = [entry for entry in submission.entries if entry.expression.startswith(_CONTEXT)]
    names = {name for entry in of_context for name in entry.names}
    kept = tuple(entry for entry in listed if names.isdisjoint(entry.names))
    notes = tuple(note for note in submission.not_understood if not note.reference.startswith(_CONTEXT))
    return replace(submission, entries=kept, not_understood=notes)


def _is_among(entry: Entry, selected: Collection[str]) -> bool:
    """Whether a selection names the entry; some clients leave out the type."""
    return any(name in selected or name.split("/")[-1] in selected for name in entry.names)


def _spellings(selections: Iterable[str]) -> Iterator[str]:
    """The selections as written, and an absolute one also without its server."""
    for selection in selections:
        name = plain(selection)
        yield name
        if "://" in name:
            yield "/".join(name.split("/")[-2:])
