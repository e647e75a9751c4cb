"""What differs between two recordings: bytes of answers, and status and issues of errors."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

LONGEST_LINE = 300
# The ids of cards and suggestions, see docs/feedback.md: UUIDs of version 8 with the version of the knowledge
# (bits 114 to 125) and a signature of everything (the last 48 bits).
_CARD_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_VERSION_AND_SIGNATURE = 0xFFF << 114 | (1 << 48) - 1
_KNOWLEDGE_VERSION = re.compile(r'"knowledgeVersion": ?"([0-9a-f]+)"')


class NotComparable(ValueError):
    """The recordings are not of the same requests."""


@dataclass(frozen=True)
class Difference:
    """A request that is answered otherwise, and the lines that a reader compares."""

    id: str
    group: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    def lines(self) -> list[str]:
        """A unified diff."""
        diff = difflib.unified_diff(self.old, self.new, "old", "new", lineterm="")
        return list(diff) or ["the same JSON in other bytes: spacing or escapes differ"]

    def changed_lines(self) -> list[str]:
        """The removed and added lines of the diff, without their signs."""
        return [line[1:] for line in self.lines()[2:] if line[0] in "+-"]


def compare(old: Iterable[dict[str, Any]], new: Iterable[dict[str, Any]]) -> Iterator[Difference | None]:
    """For each request its difference, or None. Raises NotComparable."""
    nothing: dict[str, Any] = {}
    for before, after in zip_longest(old, new, fillvalue=nothing):
        if any(before.get(key) != after.get(key) for key in ("id", "path", "body", "settings")):
            raise NotComparable("record NEW with the requests of OLD: --requests OLD")
        if _compared(before) == _compared(after):
            yield None
        else:
            yield Difference(before["id"], before["group"], _shown(before), _shown(after))


def _compared(recorded: dict[str, Any]) -> tuple[Any, ...]:
    """Status, content type and what counts of the body."""
    body = recorded["answer"]
    counts = without_version(body) if recorded["status"] < 400 else _issues(body)
    return recorded["status"], recorded["type"], counts


def without_version(body: str) -> str:
    """The body without the version of the knowledge, which also stands in the ids of cards."""
    for version in set(_KNOWLEDGE_VERSION.findall(body)):
        body = body.replace(version, "(version)")
    return _CARD_ID.sub(_without_version, body)


def _without_version(found: re.Match[str]) -> str:
    bits = int(found[0].replace("-", ""), 16) & ~_VERSION_AND_SIGNATURE
    return f"(card id {bits:032x})"


def _issues(body: str) -> Any:
    """Severity, code and place of each issue; the body itself if it is no OperationOutcome."""
    try:
        outcome = json.loads(body)
        return [
            {key: issue[key] for key in ("severity", "code", "expression") if key in issue}
            for issue in outcome["issue"]
        ]
    except (ValueError, KeyError, TypeError):
        return body


def _shown(recorded: dict[str, Any]) -> tuple[str, ...]:
    status, kind, counts = _compared(recorded)
    if isinstance(counts, str):
        try:
            counts = json.loads(counts.encode("latin-1"))
        except ValueError:
            counts = [counts]
    text = json.dumps(counts, indent=1, ensure_ascii=False)
    # The detail of a card is one string of many lines.
    lines = [line for whole in text.splitlines() for line in whole.split("\\n")]
    return (f"{status} {kind}", *(line[:LONGEST_LINE] for line in lines))
