"""States to hold the promises over: every one with few facts off a baseline, and many random ones."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from time import process_time

from fhir_mappings.terminology import Terminology
from service.decision.table import Table
from tools.proof.factors import Factor, Space, State, space_of
from tools.proof.promises import Decided, broken_promises, decided, lost_by_danger

_MOST_SHOWN = 20
_RANDOM_FACTS = (4, 12)


@dataclass(slots=True)
class Report:
    """states, steps: how many were held against the promises. violations: the first of them, in words."""

    states: int = 0
    steps: int = 0
    broken: int = 0
    seconds: float = 0.0
    factors: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, promise: str, where: str) -> None:
        self.broken += 1
        if len(self.violations) < _MOST_SHOWN:
            self.violations.append(f"{promise}: {where}")

    def lines(self) -> Iterator[str]:
        yield from (f"VIOLATED {violation}" for violation in self.violations)
        yield (
            f"{self.states:,} states of {self.factors} factors and {self.steps:,} steps"
            f" in {self.seconds:.0f} s of CPU: {self.broken} violations"
        )


def proved(
    table: Table, terminology: Terminology, *, facts: int, random_states: int, seed: int = 1
) -> Report:
    """Hold the promises over every state with up to so many facts off each baseline, and over random ones."""
    began = process_time()
    walk = _Walk(table, space_of(table, terminology))
    for baseline in ({}, walk.space.examined_absent):
        walk.around(baseline, facts)
    walk.at_random(random_states, random.Random(seed))
    walk.report.seconds = process_time() - began
    return walk.report


class _Walk:
    def __init__(self, table: Table, space: Space) -> None:
        self.table, self.space = table, space
        self.report = Report(factors=len(space.factors))
        # Decisions of the smaller states of a walk, which the larger ones are compared with.
        self.known: dict[frozenset[tuple[str, int]], Decided] = {}

    def around(self, baseline: State, facts: int) -> None:
        """Every state with up to so many factors off the baseline, and every step between two of them."""
        self.known = {}
        # An example of a state with no fact off.
        self._grid(baseline, ())
        for count in range(1, facts + 1):
            for factors in combinations(self.space.factors.values(), count):
                self._grid(baseline, factors, keep=count < facts)

    def _grid(self, baseline: State, factors: tuple[Factor, ...], *, keep: bool = True) -> None:
        """All values of those factors. States with a factor at its baseline were walked before."""
        at = [baseline.get(factor.name, 0) for factor in factors]
        found: dict[tuple[int, ...], Decided] = {}
        for values in product(*(range(len(factor.values)) for factor in factors)):
            off = frozenset((f.name, v) for f, v, base in zip(factors, values, at, strict=True) if v != base)
            decision = self.known.get(off) if len(off) < len(factors) or not factors else None
            if decision is None:
                state = {**baseline, **{f.name: v for f, v in zip(factors, values, strict=True)}}
                decision = self._hold(state)
                if keep:
                    self.known[off] = decision
            found[values] = decision
        for values, less in found.items():
            for place, factor in enumerate(factors):
                for step in factor.worse:
                    if values[place] != step[0]:
                        continue
                    worse = (*values[:place], step[1], *values[place + 1 :])
                    # Steps in which another factor is at its baseline belong to a smaller grid.
                    others = [
                        v == base for i, (v, base) in enumerate(zip(values, at, strict=True)) if i != place
                    ]
                    if not any(others):
                        self._compare(baseline, factors, worse, less, found[worse], factor, step)

    def _compare(
        self,
        baseline: State,
        factors: Iterable[Factor],
        values: tuple[int, ...],
        less: Decided,
        more: Decided,
        factor: Factor,
        step: tuple[int, int],
    ) -> None:
        self.report.steps += 1
        for loss in lost_by_danger(less, more, self.table):
            state = {**baseline, **{f.name: v for f, v in zip(factors, values, strict=True)}}
            was = factor.values[step[0]]
            self.report.add(f"{loss} when {factor.name} was {was}", self.space.says(state))

    def _hold(self, state: State) -> Decided:
        self.report.states += 1
        decision = decided(self.space.record(state), self.table)
        for broken in broken_promises(decision, self.table):
            self.report.add(broken, self.space.says(state))
        return decision

    def at_random(self, count: int, chance: random.Random) -> None:
        """Sparse random states, each with one step that is more dangerous."""
        factors = list(self.space.factors.values())
        for _ in range(count):
            some = chance.sample(factors, chance.randint(*_RANDOM_FACTS))
            state = {**chance.choice(({}, self.space.examined_absent))}
            state |= {factor.name: chance.randrange(len(factor.values)) for factor in some}
            less = self._hold(state)
            steps = [
                (factor, step) for factor in some for step in factor.worse if state[factor.name] == step[0]
            ]
            if steps:
                factor, step = chance.choice(sorted(steps, key=lambda pair: (pair[0].name, pair[1])))
                worse = {**state, factor.name: step[1]}
                more = decided(self.space.record(worse), self.table)
                self._compare(worse, (), (), less, more, factor, step)
