"""What came back: every attempt with its time, counted at the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

# kinds of attempts
HOOK, FEEDBACK, REPLAY = "hook", "feedback", "replay"
# how one ended. UNAVAILABLE: 503, an OperationOutcome and Retry-After; REFUSED: 401
RIGHT, WRONG, UNAVAILABLE, REFUSED, FAILED = "right", "wrong", "503", "refused", "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """began, ended: on the monotonic clock. why: of a failure, for whoever reads the test."""

    kind: str
    outcome: str
    began: float
    ended: float
    why: str = ""


@dataclass
class Window:
    """While a fault lasts."""

    began: float
    ended: float = float("inf")

    def holds(self, attempt: Attempt) -> bool:
        """Whether they overlap."""
        return attempt.began <= self.ended and attempt.ended >= self.began


@dataclass(frozen=True, slots=True)
class Stored:
    """acknowledged: feedback items that were answered with 200; lost: of these not stored; twice: stored more
    than once; torn: stored without all their suggestions.
    """

    acknowledged: int
    lost: int
    twice: int
    torn: int


@dataclass
class Tally:
    """Of one scenario."""

    name: str
    attempts: list[Attempt] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    stored: Stored | None = None
    _adding: threading.Lock = field(default_factory=threading.Lock)

    def add(self, attempt: Attempt) -> None:
        with self._adding:
            self.attempts.append(attempt)

    @contextmanager
    def fault(self) -> Iterator[None]:
        """What is done inside may cost attempts that overlap it."""
        window = Window(monotonic())
        self.windows.append(window)
        try:
            yield
        finally:
            window.ended = monotonic()

    def of(self, kind: str) -> list[Attempt]:
        with self._adding:
            return [attempt for attempt in self.attempts if attempt.kind == kind]

    def counts(self, kind: str) -> Counter[str]:
        return Counter(attempt.outcome for attempt in self.of(kind))

    def bad(self, kind: str, *fine: str) -> list[Attempt]:
        """Those that ended otherwise than right or in one of these ways."""
        return [attempt for attempt in self.of(kind) if attempt.outcome not in (RIGHT, *fine)]

    def outside(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Those that no fault overlaps."""
        return [attempt for attempt in attempts if not any(window.holds(attempt) for window in self.windows)]

    def line(self) -> str:
        """All counts in words."""
        hook, feedback, replay = (self.counts(kind) for kind in (HOOK, FEEDBACK, REPLAY))
        parts = [
            f"{self.name}: {hook.total()} hook calls: {hook[RIGHT]} right, {hook[WRONG]} wrong,"
            f" {hook[FAILED]} failed, {hook[UNAVAILABLE]} answered 503, {hook[REFUSED]} refused"
        ]
        if feedback:
            parts.append(
                f"{feedback.total()} posts of feedback: {feedback[RIGHT]} acknowledged, {feedback[FAILED]}"
                f" failed, {feedback[UNAVAILABLE]} answered 503, {feedback[REFUSED]} refused"
            )
        if self.stored:
            parts.append(
                f"{self.stored.acknowledged} items acknowledged: {self.stored.lost} lost,"
                f" {self.stored.twice} twice, {self.stored.torn} torn"
            )
        if replay:
            parts.append(
                f"{replay.total()} tokens replayed: {replay[REFUSED]} refused, {replay[UNAVAILABLE]}"
                f" answered 503, {replay[FAILED]} failed, {replay[RIGHT] + replay[WRONG]} taken"
            )
        return "; ".join(parts)
