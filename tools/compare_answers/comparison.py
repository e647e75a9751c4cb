"""What differs between two recordings: bytes of answers, and status and issues of errors."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

# The ids of cards and suggestions, see docs/feedback.md: UUIDs of version 8 with the version of the knowledge
# (bits 118 to 125) and a signature of everything (the last 62 bits, and two before the variant).
_CARD_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_VERSION_AND_SIGNATURE = 0xFF << 118 | 3 << 64 | (1 << 62) - 1
_KNOWLEDGE_VERSION = re.compile(r'"knowledgeVersion": ?"([0-9a-f]+)"')


class NotComparable(ValueError):
    """The recordings are not of the same requests."""


@dataclass(frozen=True)
class Difference:
    """A request that is answered otherwise. old, new: the answers as lines, the first its status and type."""

    id: str
    group: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    def lines(self) -> list[str]:
        """A unified diff; another status or content type comes first."""
        head = [] if self.old[0] == self.new[0] else [f"-{self.old[0]}", f"+{self.new[0]}"]
        diff = list(difflib.unified_diff(self.old[1:], self.new[1:], lineterm=""))[2:]
        return head + diff or ["the same JSON in other bytes: spacing or escapes differ"]

    def changed_lines(self) -> list[str]:
        """The removed and added lines of the diff, without their signs."""
        return [line[1:] for line in self.lines() if line[0] in "+-"]


def knowledge_version(recording: Iterable[dict[str, Any]]) -> str | None:
    """The version of the knowledge that the answers name."""
    found = (_KNOWLEDGE_VERSION.search(recorded["answer"]) for recorded in recording)
    return next((version[1] for version in found if version), None)


def compare(
    old: Iterable[dict[str, Any]], new: Iterable[dict[str, Any]], versions: set[str | None] | None = None
) -> Iterator[Difference | None]:
    """For each request its difference, or None. Raises NotComparable.

    Args:
        versions: the versions of the knowledge of both recordings. Where they differ, so do the ids of cards:
            neither versions nor what follows from them is compared.
    """
    aside = versions if versions and len(versions) > 1 else set()
    nothing: dict[str, Any] = {}
    for before, after in zip_longest(old, new, fillvalue=nothing):
        if any(before.get(key) != after.get(key) for key in ("id", "path", "body", "settings")):
            raise NotComparable("record NEW with the requests of OLD: --requests OLD")
        compared = _compared(before, aside), _compared(after, aside)
        if compared[0] == compared[1]:
            yield None
        else:
            yield Difference(before["id"], before["group"], *map(_shown, compared))


def _compared(recorded: dict[str, Any], aside: set[str | None]) -> tuple[Any, ...]:
    """Status, content type and the compared part of the body."""
    body = recorded["answer"]
    if recorded["status"] >= 400:
        return recorded["status"], recorded["type"], _issues(body)
    if aside:
        for version in aside:
            body = body.replace(f'"{version}"', '"(version)"')
        body = _CARD_ID.sub(_without_version, body)
    return recorded["status"], recorded["type"], body


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


def _shown(compared: tuple[Any, ...]) -> tuple[str, ...]:
    status, kind, body = compared
    if isinstance(body, str):
        try:
            body = json.loads(body.encode("latin-1"))
        except ValueError:
            body = [body]
    text = json.dumps(body, indent=1, ensure_ascii=False)
    # The detail of a card is one string of many lines.
    lines = [line for whole in text.splitlines() for line in whole.split("\\n")]
    return (f"{status} {kind}", *lines)
