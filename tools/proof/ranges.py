"""The range of the assessment: the lowest and highest level over everything that is unknown.

Completions are made from the values that the reading gave, and judged by the rows' truth tables. That
findings only raise a level is shown by the walk of single steps; so the lowest completion has them absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from service.decision.on_file import FiledTests
from service.decision.outcome import RANK, outcome
from service.decision.questions import Inquiry
from service.decision.table import ABSENT, FALSE, LEVELS, UNKNOWN, Table
from tools.proof.cases import base
from tools.proof.ledger import Ledger
from tools.proof.monotone import EXPLAINS
from tools.proof.reading import Axis
from tools.proof.rows import RowTable

PROMISE = "the range holds every completion"


def check_ranges(
    table: Table, truths: Sequence[RowTable], axes: Sequence[Axis], ledger: Ledger, *, whole: bool
) -> None:
    """Every group (with `whole` every pair that a row reads together), all its values, on two backgrounds."""
    ranges = _Ranges(table, truths, axes, ledger)
    for size in (1, 2) if whole else (1,):
        for chosen in ranges.together(size):
            ranges.walk(chosen)
    ledger.cover(
        PROMISE,
        f"each of {len(ranges.axes)} groups that can be unknown"
        + (", and each two that a row reads together" if whole else ""),
        ranges.asked,
        "beside all else unknown and all else absent" + ("" if whole else "; two at a time: --whole"),
    )


class _Ranges:
    def __init__(
        self, table: Table, truths: Sequence[RowTable], axes: Sequence[Axis], ledger: Ledger
    ) -> None:
        self.table = table
        self.ledger = ledger
        self.asked = 0
        self.record = base(conditions_seen=True)
        self.rows = [truth for truth in truths if not truth.row.last and truth.row.level != "info"]
        read = {name for truth in self.rows for name in truth.variables}
        # A group that is never unknown has nothing to complete: results, and medicines, which only inform.
        self.axes = [
            axis
            for axis in axes
            if read & set(axis.variables)
            and not axis.variables[0].startswith("drug ")
            and any(UNKNOWN in value for value in axis.values)
        ]
        self.known = {axis.id: [value for value in axis.values if UNKNOWN not in value] for axis in self.axes}
        self.absent = {
            name: value
            for axis in self.axes
            for name, value in zip(axis.variables, self._nothing(axis), strict=True)
        }
        self.owner = {name: axis for axis in self.axes for name in axis.variables}
        self.bounds: dict[tuple[str, tuple[str, ...]], tuple[bool, bool]] = {}

    def _nothing(self, axis: Axis) -> tuple[str, ...]:
        plain = [value for value in self.known[axis.id] if not set(value) - {ABSENT, FALSE}]
        return plain[0] if plain else self.known[axis.id][0]

    def together(self, size: int) -> Iterator[tuple[Axis, ...]]:
        found: dict[tuple[str, ...], tuple[Axis, ...]] = {}
        for truth in self.rows:
            own = [axis for axis in self.axes if set(axis.variables) & set(truth.variables)]
            for chosen in combinations(own, size):
                found.setdefault(tuple(axis.id for axis in chosen), chosen)
        yield from found.values()

    def walk(self, chosen: Sequence[Axis]) -> None:
        for values in product(*(axis.values for axis in chosen)):
            facts = {
                name: said
                for axis, value in zip(chosen, values, strict=True)
                for name, said in zip(axis.variables, value, strict=True)
            }
            for rest in ({}, self.absent):
                self.compare({**rest, **facts})

    def compare(self, facts: Mapping[str, str]) -> None:
        self.asked += 1
        known = {name: value for name, value in facts.items() if value != UNKNOWN}
        standing = FiledTests(self.record, self.table, known)
        now = outcome(standing, known).level
        found = Inquiry(standing, known).span(now)
        expected = self.lowest(known), self.highest(known)
        if found != expected:
            self.ledger.violate(PROMISE, "range", known, list(expected), list(found))
        if not RANK[found[0]] <= RANK[now] <= RANK[found[1]]:
            self.ledger.violate(PROMISE, "level", known, f"{now} within the range", list(found))

    def highest(self, known: Mapping[str, str]) -> str:
        """A row that some completion makes hold gives its level."""
        can = [truth.row.level for truth in self.rows if self.bound(truth, known)[1]]
        return max(can, key=RANK.__getitem__, default="info")

    def lowest(self, known: Mapping[str, str]) -> str:
        """The least of the completions with every finding absent, down to what no completion can lower."""
        must = [truth.row.level for truth in self.rows if self.bound(truth, known)[0]]
        floor = max(must, key=RANK.__getitem__, default="info")
        least = LEVELS[-1]
        for facts in self.completions(known):
            hold = [truth.row.level for truth in self.rows if truth.at(facts)]
            least = min(least, max(hold, key=RANK.__getitem__, default="info"), key=RANK.__getitem__)
            if least == floor:
                break
        return least

    def completions(self, known: Mapping[str, str]) -> Iterator[dict[str, str]]:
        free = []
        for axis in self.axes:
            fits = self.fitting(axis, known)
            lowest = [value for value in fits if not set(value) - {ABSENT, FALSE}]
            single = len(axis.variables) == 1 and axis.id not in EXPLAINS and bool(axis.steps)
            free.append([(axis, value) for value in (lowest[:1] if single and lowest else fits)])
        for chosen in product(*free):
            yield {
                name: said for axis, value in chosen for name, said in zip(axis.variables, value, strict=True)
            }

    def fitting(self, axis: Axis, known: Mapping[str, str]) -> list[tuple[str, ...]]:
        """The values of that axis that agree with what is known."""
        return [
            value
            for value in self.known[axis.id]
            if all(known.get(name, said) == said for name, said in zip(axis.variables, value, strict=True))
        ]

    def bound(self, truth: RowTable, known: Mapping[str, str]) -> tuple[bool, bool]:
        """Whether every completion, and whether some completion, makes that row hold."""
        key = (
            truth.row.id,
            tuple(
                known.get(name, UNKNOWN)
                for axis in self.axes
                if set(axis.variables) & set(truth.variables)
                for name in axis.variables
            ),
        )
        found = self.bounds.get(key)
        if found is None:
            own = [axis for axis in self.axes if set(axis.variables) & set(truth.variables)]
            left = truth
            for axis in own:
                # What is known alone is fixed first, so that few combinations are left.
                left = left.where({n: known[n] for n in axis.variables if n in known})
            said = {
                left.at(
                    {
                        n: s
                        for axis, v in zip(own, values, strict=True)
                        for n, s in zip(axis.variables, v, strict=True)
                    }
                )
                for values in product(*(self.distinct(axis, left, known) for axis in own))
            }
            found = self.bounds[key] = (said == {True}, True in said)
        return found

    def distinct(self, axis: Axis, truth: RowTable, known: Mapping[str, str]) -> list[tuple[str, ...]]:
        """The fitting values of that axis, one for each that the row tells apart."""
        kept: dict[tuple[str, ...], tuple[str, ...]] = {}
        for value in self.fitting(axis, known):
            seen = tuple(s for n, s in zip(axis.variables, value, strict=True) if n in truth.variables)
            kept.setdefault(seen, value)
        return list(kept.values())
