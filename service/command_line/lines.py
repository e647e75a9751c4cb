"""Where in a JSON text a resource or a member of it stands: the line that a note is about."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

# Null is something: it has a line.
_NOTHING = object()
_STEP = re.compile(r"([A-Za-z0-9_\-]+)|\[(\d+)\]")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one submission. text: the JSON as it came; document: the same, decoded."""

    text: str
    document: Mapping[str, Any]

    def lines(self, notes: Collection[tuple[str, str | None]]) -> dict[tuple[str, str | None], int]:
        """(reference, expression) -> its line, counted from 1; those that are not found are left out.

        reference: "Condition/abc", or "Bundle.entry[3].resource" where the resource has no id. expression: a
        FHIRPath from the resource's type on, such as "Condition.onset"; the deepest member of it that
        stands in the text counts, onsetString for onset.
        """
        resources = dict(self._resources())
        paths = {
            (reference, expression): self._within(path, expression)
            for reference, expression in notes
            if (path := resources.get(reference) or self._path(reference)) is not None
        }
        lines = lines_of(self.text, set(paths.values()))
        return {note: lines[path] for note, path in paths.items() if path in lines}

    def _resources(self) -> Iterator[tuple[str, Path]]:
        """Every resource with an id and its path, from the end of the text: of several the first counts."""
        waiting: list[tuple[Path, Any]] = [((), self.document)]
        while waiting:
            path, value = waiting.pop()
            if isinstance(value, dict):
                kind, name = value.get("resourceType"), value.get("id")
                if isinstance(kind, str) and isinstance(name, str) and path:
                    yield f"{kind}/{name}", path
                waiting += [((*path, key), inner) for key, inner in value.items()]
            elif isinstance(value, list):
                waiting += [((*path, at), inner) for at, inner in enumerate(value)]

    def _path(self, reference: str) -> Path | None:
        """The path of a place such as "Bundle.entry[3].resource" or "prefetch.labs.entry[0].resource"."""
        steps = tuple(_steps(reference.removeprefix("Bundle.")))
        return steps if steps and self._value(steps) is not _NOTHING else None

    def _value(self, path: Path) -> Any:
        value: Any = self.document
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return _NOTHING
        return value

    def _within(self, path: Path, expression: str | None) -> Path:
        value = self._value(path)
        steps = list(_steps(expression or ""))
        for step in steps[1:]:
            found: str | int | None = None
            if isinstance(value, dict) and isinstance(step, str):
                # FHIRPath names a choice without its type.
                end = len(step)
                typed = (key for key in value if key.startswith(step) and key[end : end + 1].isupper())
                found = step if step in value else next(typed, None)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                found = step
            if found is None:
                break
            path, value = (*path, found), value[found]
        return path


def _steps(expression: str) -> Iterator[str | int]:
    for name, number in _STEP.findall(expression):
        yield name or int(number)


def lines_of(text: str, wanted: Collection[Path]) -> dict[Path, int]:
    """The line on which the value of each of those paths begins. text: valid JSON."""
    found: dict[Path, int] = {}
    # Of each container that is open: its step within the one around it, the key or index that comes next, and
    # whether it is an object whose key was just read.
    path: list[str | int] = []
    objects: list[bool] = []
    key_next = False
    line, at = 1, 0

    def value_begins() -> None:
        place = tuple(path)
        if place in wanted and place not in found:
            found[place] = line

    for match in _PIECE.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        piece = match[0]
        if piece in "{[":
            value_begins()
            objects.append(piece == "{")
            path.append("" if piece == "{" else 0)
            key_next = piece == "{"
        elif piece in "}]":
            objects.pop()
            path.pop()
            key_next = False
        elif piece == ",":
            step = path[-1]
            if isinstance(step, int):
                path[-1] = step + 1
            key_next = objects[-1]
        elif piece == ":":
            key_next = False
        elif key_next:
            path[-1] = json.loads(piece)
            # A member's line is that of its name.
            value_begins()
        else:
            value_begins()
    return found
