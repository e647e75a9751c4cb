"""What was covered and what was found wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import process_time

AT_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Violation:
    """A counterexample. place: the row, action or group; state: the variables and their values."""

    promise: str
    place: str
    state: Mapping[str, object]
    expected: str
    found: str

    def __str__(self) -> str:
        state = ", ".join(f"{name}={value}" for name, value in self.state.items()) or "nothing recorded"
        return (
            f"{self.promise}: {self.place}\n    with {state}\n"
            f"    expected {self.expected}\n    found    {self.found}"
        )


@dataclass(frozen=True, slots=True)
class Covered:
    """One walk: its states, the CPU seconds it took, and why it stands alone or what it leaves."""

    promise: str
    factor: str
    states: int
    seconds: float
    why: str


@dataclass(slots=True)
class Ledger:
    """Collects walks and counterexamples; `total` counts each counterexample, `violations` keeps a few."""

    covered: list[Covered] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    total: int = 0
    _shown: dict[tuple[str, str], int] = field(default_factory=dict)
    _since: float = field(default_factory=process_time)

    @property
    def states(self) -> int:
        return sum(walk.states for walk in self.covered)

    def cover(self, promise: str, factor: str, states: int, why: str) -> None:
        """Note a walk that has ended; its time runs from the end of the one before."""
        now = process_time()
        self.covered.append(Covered(promise, factor, states, now - self._since, why))
        self._since = now

    def violate(
        self, promise: str, place: str, state: Mapping[str, object], expected: object, found: object
    ) -> None:
        self.total += 1
        seen = self._shown[promise, place] = self._shown.get((promise, place), 0) + 1
        if seen <= AT_MOST_SHOWN:
            self.violations.append(Violation(promise, place, dict(state), str(expected), str(found)))

    def check(
        self, right: bool, promise: str, place: str, state: Mapping[str, object], expected: str, found: object
    ) -> None:
        """Note a counterexample unless that is right."""
        if not right:
            self.violate(promise, place, state, expected, found)
