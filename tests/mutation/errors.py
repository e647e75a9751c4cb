"""One deliberate error, and the errors that can be made in any list or member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.mutation.conditions import Path

DROPPED = object()


@dataclass(frozen=True, slots=True)
class Mutant:
    """One error. place: where a reader looks for it; at that path of the file stands that value instead."""

    kind: str
    place: str
    says: str
    path: Path
    value: Any

    @property
    def name(self) -> str:
        return f"{self.place}: {self.kind}: {self.says}"

    def applied(self, content: Any) -> Any:
        """The content of the file with this error; what was given stays as it is."""
        return _replaced(content, self.path, self.value)


def _replaced(content: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(content, list):
        inner = [_replaced(part, rest, value) if i == step else part for i, part in enumerate(content)]
        return [part for part in inner if part is not DROPPED]
    inner = {**content, step: _replaced(content.get(step), rest, value)}
    return {key: part for key, part in inner.items() if part is not DROPPED}


def nudged(place: str, path: Path, value: int) -> Iterator[Mutant]:
    for other in (value - 1, value + 1):
        yield Mutant("threshold", place, f"{path[-1]} {other} for {value}", path, other)


def each_dropped(kind: str, place: str, path: Path, entries: Sequence[Any]) -> Iterator[Mutant]:
    for index, entry in enumerate(entries):
        yield Mutant(kind, place, f"no {title(entry)}", (*path, index), DROPPED)


def swapped(kind: str, place: str, path: Path, entries: Sequence[Any]) -> Iterator[Mutant]:
    for index, (one, two) in enumerate(pairwise(entries)):
        order = [*entries[:index], two, one, *entries[index + 2 :]]
        yield Mutant(kind, place, f"{title(two)} before {title(one)}", path, order)


def title(entry: Any) -> str:
    if isinstance(entry, dict):
        return str(entry.get("id") or entry.get("says"))
    return str(entry)


def toggled(kind: str, place: str, path: Path, content: Mapping[str, Any], value: Any) -> Mutant:
    """A member that stands there is dropped, else added."""
    member = str(path[-1])
    if member in content:
        return Mutant(kind, place, f"no {member}", path, DROPPED)
    return Mutant(kind, place, f"{member}: {value}", path, value)


def roles_changed(
    place: str, path: Path, bearer: Mapping[str, Any], bearers: Sequence[Mapping[str, Any]]
) -> Iterator[Mutant]:
    """Each role that is in use, where it is missing or too much."""
    own = bearer.get("roles", [])
    yield from each_dropped("role dropped", place, (*path, "roles"), own)
    for role in dict.fromkeys(role for other in bearers for role in other.get("roles", ())):
        if role not in own:
            yield Mutant("role added", place, f"{role} too", (*path, "roles"), [*own, role])


def each_name_dropped(kind: str, place: str, content: Mapping[str, Any]) -> Iterator[Mutant]:
    for name in content:
        yield Mutant(kind, place, f"no {name}", (place, name), DROPPED)
