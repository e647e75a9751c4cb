"""What is wrong with the knowledge files: file, place and reason, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. file: relative to the knowledge folder; place: the row or member at fault."""

    file: str
    place: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.place, self.reason) if part)


class KnowledgeError(ValueError):
    """The knowledge is broken; the service does not start with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
