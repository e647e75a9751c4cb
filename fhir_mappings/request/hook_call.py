"""A CDS Hooks request: its members, its prefetch, and the draft orders and new problems of its context."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from fhir_mappings.record import Note
from fhir_mappings.request.bundles import entries_of
from fhir_mappings.request.json_body import (
    BodyProblem,
    InvalidBody,
    Name,
    decoded,
    unique_members,
    value_of,
)
from fhir_mappings.resources.budget import budget
from fhir_mappings.resources.references import plain
from fhir_mappings.resources.submission import Entry, Notes, Submission

# Places of what a context holds begin so.
_CONTEXT = "context."
_NOTHING = msgspec.Raw(b"{}")
Prefetch = Mapping[str, msgspec.Raw]
_Member = dict[Name, msgspec.Raw] | list[msgspec.Raw] | str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class HookCall:
    """A CDS Hooks request.

    members: all but prefetch, as plain JSON. prefetch: None if it was not sent.
    context: its members once more, still raw; none where it is not an object.
    problems: what could not be read of it; the members at fault are left out.
    """

    members: dict[str, Any]
    prefetch: dict[str, msgspec.Raw] | None
    context: Mapping[str, msgspec.Raw]
    problems: tuple[BodyProblem, ...] = ()


def decode_call(body: bytes) -> HookCall:
    """Decode a CDS Hooks request; its prefetch stays raw. Two members of one name are a problem of it.

    Raises:
        InvalidBody: it is not an object.
        OverBudget: it has too many objects.
    """
    budget().check_objects(body)
    faults = _Faults()
    try:
        named = decoded(body, dict[Name, _Member], "")
    except InvalidBody:
        named = {}
        for name, raw in decoded(body, dict[Name, msgspec.Raw], "").items():
            with faults:
                named[name] = decoded(raw, _Member, str(name))
    with faults:
        unique_members(named, "")
    members = {str(name): value for name, value in named.items()}
    prefetch = members.pop("prefetch", None)
    raw_prefetch: dict[str, msgspec.Raw] | None = None
    with faults:
        if isinstance(prefetch, dict):
            raw_prefetch = unique_members(prefetch, "prefetch")
        elif prefetch is not None and prefetch != []:
            # PHP writes an object without members as an empty list.
            raise InvalidBody((BodyProblem("structure", "The prefetch is not an object.", "prefetch"),))
    context, raw_context = members.get("context"), {}
    with faults:
        raw_context = unique_members(context, "context") if isinstance(context, dict) else {}
    plain_members: dict[str, Any] = {}
    for member, value in members.items():
        with faults:
            plain_members[member] = _plain(value, member)
    return HookCall(plain_members, raw_prefetch, raw_context, tuple(dict.fromkeys(faults.problems)))


class _Faults(AbstractContextManager[None]):
    """Collects the problems of an InvalidBody that ends its block."""

    def __init__(self) -> None:
        self.problems: list[BodyProblem] = []

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, InvalidBody):
            self.problems += error.problems
            return True
        return False


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
        OverBudget: there are too many draft orders.
    """
    selected = None if selections is None else frozenset(_spellings(selections))
    entries, notes = list(submission.entries), list(submission.not_understood)
    faults, drafts = _Faults(), 0
    for member, draft in bundles.items():
        place = f"{_CONTEXT}{member}"
        added: Sequence[Entry] = ()
        added_notes: Sequence[Note] = ()
        with faults:
            added, added_notes = entries_of(context.get(member, _NOTHING), place, member)
        if draft:
            drafts += len(added)
            budget().check("drafts", drafts)
        entries += [
            msgspec.structs.replace(
                entry, draft=draft, selected=selected is None or _is_among(entry, selected)
            )
            for entry in added
        ]
        notes += added_notes
    if faults.problems:
        raise InvalidBody(tuple(faults.problems))
    return replace(submission, entries=tuple(entries), not_understood=tuple(notes))


def selections_of_nothing(
    context: Mapping[str, msgspec.Raw], bundles: Mapping[str, bool], selections: Iterable[str]
) -> tuple[Note, ...]:
    """Notes on selections that name no draft order: what they select gets no card."""
    notes, drafts = Notes(), with_context(Submission(), context, bundles).entries
    names = {name for entry in drafts if entry.draft for name in entry.names}
    names |= {name.split("/")[-1] for name in names}
    for number, selection in enumerate(selections):
        if names.isdisjoint(_spellings((selection,))):
            place = f"{_CONTEXT}selections[{number}]"
            notes.add(Note(place, "names no resource of context.draftOrders, so it selects nothing", place))
    return notes.all()


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
