"""Third step: every set of rows that can fire together, put to the real `outcome`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import prod

from service.decision.on_file import FiledTests
from service.decision.outcome import RANK, Outcome, outcome
from service.decision.table import ADVICE, FALSE, TRUE, Row, RowRole, Table
from tools.proof.cases import base
from tools.proof.factors import Factor, Fired, Part, fired_sets
from tools.proof.ledger import Ledger
from tools.proof.rows import RowTable

SET = "every set of fired rows decides as its rows say"


@dataclass(frozen=True, slots=True)
class Expected:
    """What sections 3 and 4.9 make of facts where nothing is on file. asks: action -> (urgent, rows)."""

    rows: tuple[Row, ...]
    level: str
    asks: Mapping[str, tuple[bool, tuple[str, ...]]]
    for_a_child: frozenset[str]


class Judge:
    """Puts facts to the real outcome and holds it against the truth tables of the rows."""

    def __init__(self, table: Table, truths: Sequence[RowTable], ledger: Ledger) -> None:
        self.table = table
        self.truths = truths
        self.ledger = ledger
        self.record = base(conditions_seen=True)
        self.backward = replace(table, rows=tuple(reversed(table.rows)))

    def expected(self, facts: Mapping[str, str]) -> Expected:
        fired = {truth.row.id for truth in self.truths if not truth.row.last and truth.at(facts)}
        rows = [row for row in self.table.rows if row.id in fired]
        critical = any(row.level == "critical" for row in rows)
        warns = any(row.level in ("warning", "critical") for row in rows)
        tests = any(self._is_test(action.id) for row in rows for action in row.actions)
        read = {
            **facts,
            "no-critical-row": FALSE if critical else TRUE,
            "no-test-and-no-warning": FALSE if warns or tests else TRUE,
        }
        fired |= {truth.row.id for truth in self.truths if truth.row.last and truth.at(read)}
        rows = [row for row in self.table.rows if row.id in fired]
        asks: dict[str, tuple[bool, tuple[str, ...]]] = {}
        for row in rows:
            for action in row.actions:
                if action.condition is None or action.condition(read):
                    urgent, because = asks.get(action.id, (False, ()))
                    asks[action.id] = urgent or action.urgent, (*because, row.id)
        child = facts.get("child-age") == TRUE
        return Expected(
            tuple(rows),
            max((row.level for row in rows), key=RANK.__getitem__, default="none"),
            asks,
            frozenset(a for a in asks if child and self.table.actions[a].withheld_from_child),
        )

    def _is_test(self, action: str) -> bool:
        return self.table.actions[action].kind in ("blood", "study")

    def judge(self, facts: Mapping[str, str], *, turned: bool = True) -> Expected:
        """Asks the real outcome about those facts; notes whatever is not as expected.

        turned: also with the facts and the rows of the table in another order.
        """
        expected = self.expected(facts)
        try:
            found = outcome(FiledTests(self.record, self.table, facts), facts)
        except Exception as error:
            self.ledger.violate("total", "outcome", facts, "an outcome", repr(error))
            return expected
        self._compare(facts, expected, found)
        self._promises(facts, found)
        if not turned:
            return expected
        other = dict(reversed(list(facts.items())))
        back = outcome(FiledTests(self.record, self.backward, other), other)
        if back.level != found.level or set(back.key[1]) != set(found.key[1]):
            self.ledger.violate("order-free", "outcome", facts, found.key, back.key)
        return expected

    def _compare(self, facts: Mapping[str, str], expected: Expected, found: Outcome) -> None:
        rows = tuple(row.id for row in expected.rows)
        fired = tuple(row.id for row in found.rows)
        if rows != fired:
            self.ledger.violate(SET, "rows", facts, rows, fired)
        if expected.level != found.level:
            self.ledger.violate(
                "the level is that of the highest row", "level", facts, expected.level, found.level
            )
        asked = {a: said for a, said in expected.asks.items() if a not in expected.for_a_child}
        said = {r.id: (r.urgent, r.because) for r in found.recommendations}
        if asked != said:
            self.ledger.violate(SET, "actions", facts, asked, said)
        if len(said) != len(found.recommendations):
            ids = sorted(r.id for r in found.recommendations)
            self.ledger.violate("nothing recommended twice", "actions", facts, sorted(said), ids)
        held = frozenset(w.id for w in found.withheld if w.kind == "child")
        if held != expected.for_a_child or len(found.withheld) != len(held):
            self.ledger.violate(
                "withheld from a child", "actions", facts, sorted(expected.for_a_child), sorted(held)
            )

    def _promises(self, facts: Mapping[str, str], found: Outcome) -> None:
        """Section 6, of the real outcome alone."""
        urgent = [r for r in found.recommendations if r.urgent]
        critical = {row.id for row in found.rows if row.level == "critical"}
        if (found.level == "critical") is not bool(critical):
            self.ledger.violate(
                "no critical without a stated reason", "level", facts, sorted(critical), found.level
            )
        for row in critical:
            if not any(row in r.because for r in urgent):
                self.ledger.violate(
                    "no critical without an urgent action", row, facts, "an urgent action for it", "none"
                )
        advice = [r.id for r in found.recommendations if self.table.actions[r.id].kind == ADVICE]
        if advice:
            signs = [sign for sign in self.table.signs if facts.get(sign) in ("examined", "reported")]
            if signs or critical:
                self.ledger.violate("no self-care beside a sign", advice[0], facts, "none", (signs, critical))
        if found.level not in ("info", "warning", "critical"):
            self.ledger.violate("an open gate has a level", "level", facts, "info or higher", found.level)
        calls = found.level in ("warning", "critical") or any(
            self._is_test(action.id) for row in found.rows for action in row.actions
        )
        said = any(RowRole.NOTHING in row.roles for row in found.rows)
        if said is calls:
            self.ledger.violate("nothing calls for tests, or something does", "level", facts, not calls, said)


def walk(judge: Judge, found: Sequence[Factor], *, whole: bool) -> None:
    """Every factor by itself, then the factors together."""
    ledger = judge.ledger
    told = _Told(judge.table)
    chosen: list[list[Fired]] = []
    for factor in found:
        # Told apart by level, actions and urgency; with --whole by the very rows that fire.
        merged = fired_sets(factor, told.of)
        chosen.append(list(merged))
        walked = fired_sets(factor, _by_name(factor)) if whole else merged
        for one in walked:
            expected = judge.judge(one.facts)
            if not whole:
                told.check(one, expected, factor, judge)
            elif one.told != _by_facts(factor, one.facts):
                ledger.violate(
                    "covered", str(factor), one.facts, bin(one.told), bin(_by_facts(factor, one.facts))
                )
        states = sum(one.states for one in walked)
        ledger.check(states == factor.states, "covered", str(factor), {}, str(factor.states), states)
        apart = "sets of fired rows" if whole else "sets of levels, actions and urgency"
        ledger.cover(
            SET,
            f"{factor}: {len(walked)} {apart}",
            states,
            "no row outside reads what its rows read" if len(found) > 1 else "all rows hang together",
        )
    together = prod(factor.states for factor in found)
    asked = 0
    for facts in _together(chosen, whole=whole):
        judge.judge(facts, turned=whole)
        asked += 1
    ledger.cover(
        SET,
        f"the {len(found)} factors together, which stand for {together:,} inputs",
        asked,
        "levels are the highest and actions the union, shown by every pair of factors"
        + (", and every combination of the small ones" if whole else "; every combination: --whole"),
    )


def _together(chosen: Sequence[Sequence[Fired]], *, whole: bool) -> Iterator[dict[str, str]]:
    large, *small = chosen
    for one, other in combinations(chosen, 2):
        for first, second in product(one, other):
            yield {**first.facts, **second.facts}
    if whole:
        # The largest factor by what it tells: its first set, and those that differ most from it.
        for first in (large[0], large[len(large) // 2], large[-1]):
            for rest in product(*small):
                yield {k: v for fired in (first, *rest) for k, v in fired.facts.items()}


class _Told:
    """What a part that holds tells: its level, and each action with its urgency."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.bits: dict[object, int] = {}

    def of(self, part: Part) -> int:
        row = part.truth.row
        told: list[object] = [row.level, *((a.id, a.urgent, a.paediatric) for a in row.actions)]
        if row.last:
            told.append(part.name)
        if "child-age" in part.truth.variables:
            told.append("child-age")
        return self.union(told)

    def union(self, told: Sequence[object]) -> int:
        found = 0
        for one in told:
            found |= 1 << self.bits.setdefault(one, len(self.bits))
        return found

    def check(self, one: Fired, expected: Expected, factor: Factor, judge: Judge) -> None:
        """What the walk told of an input is what the truth tables tell of it."""
        here = [part for part in factor.parts if not part.last and part.truth.row in expected.rows]
        told = self.union(())
        for part in here:
            told |= self.of(part)
        last = self.union([part.name for part in factor.parts if part.last])
        rest = ~(last | self._of_last(factor))
        judge.ledger.check(
            one.told & rest == told & rest, "covered", str(factor), one.facts, bin(one.told), bin(told)
        )

    def _of_last(self, factor: Factor) -> int:
        found = 0
        for part in factor.parts:
            if part.last:
                found |= self.of(part)
        return found


def _by_name(factor: Factor) -> Callable[[Part], int]:
    bits = {part.name: 1 << number for number, part in enumerate(factor.parts)}
    return lambda part: bits[part.name]


def _by_facts(factor: Factor, facts: Mapping[str, str]) -> int:
    return sum(
        1 << number for number, part in enumerate(factor.parts) if part.truth.at({**facts, **dict(part.last)})
    )
