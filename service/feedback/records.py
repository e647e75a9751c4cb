"""One feedback on one card, as it is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """A suggestion that was accepted. name: the action or finding; None where the knowledge has no such."""

    suggestion: str
    kind: str
    code: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """card: its id in lower case. at: when the user acted, in UTC. version, code: what the id says.

    row: the leading row, "" for a card without one, None where the knowledge has no such.
    reason: (system, code). comment: what a clinician wrote; never logged, never shown, removed in time.
    """

    service: str
    card: str
    outcome: str
    at: datetime
    version: int
    code: int
    row: str | None
    accepted: tuple[Accepted, ...] = ()
    reason: tuple[str, str] | None = None
    comment: str | None = None

    @property
    def key(self) -> str:
        """The same for the same card, outcome, time and set of accepted suggestions."""
        suggestions = sorted({accepted.suggestion for accepted in self.accepted})
        parts = (self.service, self.card, self.outcome, self.at.isoformat(), *suggestions)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def week(self) -> str:
        """The ISO week in UTC: 2026-W07."""
        year, week, _ = self.at.isocalendar()
        return f"{year:04}-W{week:02}"
