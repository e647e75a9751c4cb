"""The lines of a JSON text on which places such as Bundle.entry[3].resource stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fhir_mappings.resources.shapes import UNDECODABLE

_STEP = re.compile(r"\w+|\[\d+\]", re.ASCII)


class Places:
    """The places of one JSON text. body: valid JSON."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        # Steps from the root -> the values below, by their step: offset and text.
        self._below: dict[tuple[str, ...], dict[str, tuple[int, bytes]]] = {}

    def line(self, path: str) -> int | None:
        """The line of a place, or of the closest one above it that exists; None where there is none.

        Args:
            path: A JSON path or a FHIRPath without functions. Bundle may stand for the root.
        """
        start, value = 0, self._body
        steps: tuple[str, ...] = ()
        for step in _STEP.findall(path.removeprefix("Bundle.")):
            if steps not in self._below:
                self._below[steps] = dict(_members(value, start))
            if step not in self._below[steps]:
                break
            start, value = self._below[steps][step]
            steps += (step,)
        return self._body.count(b"\n", 0, start) + 1 if steps else None


def _members(value: bytes, start: int) -> Iterator[tuple[str, tuple[int, bytes]]]:
    """The members of an object or the items of a list: step, (offset in the whole, text)."""
    cursor = 0
    for step, raw in _decoded(value):
        text = bytes(raw)
        # Raw values are the bytes of the text, in its order.
        found = value.find(text, cursor)
        if found < 0:
            # Two members of one name: the values are not in the order of the text.
            return
        cursor = found + len(text)
        yield step, (start + found, text)


def _decoded(value: bytes) -> list[tuple[str, msgspec.Raw]]:
    try:
        if value.lstrip()[:1] == b"[":
            items = msgspec.json.decode(value, type=list[msgspec.Raw])
            return [(f"[{number}]", raw) for number, raw in enumerate(items)]
        return list(msgspec.json.decode(value, type=dict[str, msgspec.Raw]).items())
    except UNDECODABLE:
        return []
