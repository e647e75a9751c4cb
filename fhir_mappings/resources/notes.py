"""Notes that are too many to be named one by one: the first, and one that counts the rest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fhir_mappings.record import Note

_BRACE = ord("{")
MOST_NOTES = 200


def at_most(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The first of the notes, and one that counts the rest."""
    rest = notes[MOST_NOTES:]
    if not rest:
        return tuple(notes)
    return *notes[:MOST_NOTES], _one_of(rest[0], sum(note.count for note in rest))


def _one_of(note: Note, count: int) -> Note:
    """The note as the first of so many that are not named one by one."""
    return Note(note.reference, f"the first of {count} more that are only counted", note.expression, count)


class Notes:
    """Collects the notes of one list."""

    def __init__(self) -> None:
        self._named: list[Note] = []
        # How many more there are, and the first of them.
        self._more = 0
        self._first: Note | None = None

    def add(self, note: Note) -> None:
        if len(self._named) < MOST_NOTES:
            self._named.append(note)
            return
        self._first = self._first or note
        self._more += 1

    def counts(self, raw: msgspec.Raw) -> bool:
        """Counts what is no object, after many others: how it is wrong takes time to find out."""
        if not self._more or memoryview(raw)[0] == _BRACE:
            return False
        self._more += 1
        return True

    def all(self) -> tuple[Note, ...]:
        """The first, and one note that counts the rest."""
        rest = (_one_of(self._first, self._more),) if self._first else ()
        return *self._named, *rest
