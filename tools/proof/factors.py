"""Which parts of the input space are independent, and every set of rows that can fire in each of them.

Two axes belong together where a row reads both; what no chain of rows joins is independent: that is read off
the operands. Within a factor the walk is exhaustive: it fixes one axis after another and keeps, of all inputs
so far, what they have settled: the rows that fired and, of each row still open, the truth table that is left.
Inputs with the same rest have the same future, so they go on as one, counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from service.decision.facts import LAST_FEATURES
from service.decision.table import FALSE, TRUE
from tools.proof.ledger import Ledger
from tools.proof.reading import Axis
from tools.proof.rows import RowTable


@dataclass(frozen=True, slots=True)
class Part:
    """A row without the features that are computed from the other rows, where those are as in `last`."""

    truth: RowTable
    last: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.last)
        return f"{self.truth.row.id}{f' where {given}' if given else ''}"

    def slice(self, fixed: Mapping[str, str]) -> bytes:
        return self.truth.slice({**fixed, **dict(self.last)})


@dataclass(frozen=True, slots=True)
class Classes:
    """An axis whose values are grouped: no part can tell the values of one class apart."""

    axis: Axis
    representatives: tuple[dict[str, str], ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    classes: tuple[Classes, ...]
    parts: tuple[Part, ...]

    @property
    def states(self) -> int:
        found = 1
        for one in self.classes:
            found *= sum(one.sizes)
        return found

    def __str__(self) -> str:
        rows = list(dict.fromkeys(part.truth.row.id for part in self.parts))
        shown = ", ".join(rows[:2]) + (f" and {len(rows) - 2} rows more" if len(rows) > 2 else "")
        return f"{shown} over {', '.join(one.axis.id for one in self.classes[:3])}" + (
            f" and {len(self.classes) - 3} groups more" if len(self.classes) > 3 else ""
        )


@dataclass(frozen=True, slots=True)
class Fired:
    """What the parts that hold tell, how many inputs lead to it, and one of them."""

    told: int
    states: int
    facts: dict[str, str]


def parts_of(truths: Iterable[RowTable]) -> tuple[Part, ...]:
    """Every row, and a row that is read last once for each value of the features computed from the others."""
    found = []
    for truth in truths:
        last = [name for name in truth.variables if name in LAST_FEATURES]
        for values in product((TRUE, FALSE), repeat=len(last)):
            found.append(Part(truth, tuple(zip(last, values, strict=True))))
    return tuple(found)


def factors(axes: Iterable[Axis], truths: Iterable[RowTable], ledger: Ledger) -> tuple[Factor, ...]:
    """The independent factors, the largest first."""
    parts = parts_of(truths)
    owner = {name: axis for axis in axes for name in axis.variables}
    joined: dict[str, str] = {}

    def root(axis: str) -> str:
        while joined.setdefault(axis, axis) != axis:
            axis = joined[axis]
        return axis

    reads: dict[int, list[Axis]] = {}
    for number, part in enumerate(parts):
        read = []
        for name in part.truth.variables:
            if name in owner:
                read.append(owner[name])
            elif name not in LAST_FEATURES:
                ledger.violate(
                    "operands", part.truth.row.id, {}, "facts that a group sets", f"{name}: none does"
                )
        reads[number] = list(dict.fromkeys(read))
        for axis in read:
            joined[root(axis.id)] = root(read[0].id)
    found = []
    for top in dict.fromkeys(root(axis) for axis in list(joined)):
        here = [
            part for number, part in enumerate(parts) if reads[number] and root(reads[number][0].id) == top
        ]
        within = dict.fromkeys(owner[name] for part in here for name in part.truth.variables if name in owner)
        found.append(Factor(tuple(_classes(axis, here) for axis in within), tuple(here)))
    return tuple(sorted(found, key=lambda factor: -factor.states))


def _classes(axis: Axis, parts: Sequence[Part]) -> Classes:
    reading = [part for part in parts if set(axis.variables) & set(part.truth.variables)]
    groups: dict[tuple[bytes, ...], list[dict[str, str]]] = {}
    for value in axis.values:
        facts = dict(zip(axis.variables, value, strict=True))
        told = tuple(
            part.slice({k: v for k, v in facts.items() if k in part.truth.variables}) for part in reading
        )
        groups.setdefault(told, []).append(facts)
    return Classes(
        axis, tuple(found[0] for found in groups.values()), tuple(len(found) for found in groups.values())
    )


def fired_sets(factor: Factor, told_by: Callable[[Part], int]) -> tuple[Fired, ...]:
    """One input for everything that can be told of the parts that hold, and how many inputs tell the same.

    told_by: what a part that holds tells, as bits; what several tell is their union.
    """
    order = _order(factor)
    reading = {
        part.name: [one for one in order if set(one.axis.variables) & set(part.truth.variables)]
        for part in factor.parts
    }
    tables = {
        part.name: _small(part.truth.where(dict(part.last)), reading[part.name]) for part in factor.parts
    }
    bits = {part.name: told_by(part) for part in factor.parts}
    names: list[str] = []
    states: dict[_Left, _Path] = {(0, ()): (1, ())}
    for one in order:
        begun = [name for name, read in reading.items() if read[0] is one]
        names += begun
        step = _Step(
            len(one.sizes),
            {place: bits[name] for place, name in enumerate(names) if one in reading[name]},
            frozenset(place for place, name in enumerate(names) if reading[name][-1] is one),
        )
        more = tuple(tables[name] for name in begun)
        then: dict[_Left, _Path] = {}
        for (told, left), (number, path) in states.items():
            for choice, (now, rest) in enumerate(step.choices(told, left + more)):
                key = (now, rest)
                size = number * one.sizes[choice]
                known = then.get(key)
                then[key] = (size, (path, choice)) if known is None else (known[0] + size, known[1])
        states = then
        names = [name for name in names if reading[name][-1] is not one]
    return tuple(Fired(told, number, _facts(order, path)) for (told, _), (number, path) in states.items())


_Left = tuple[int, tuple[bytes, ...]]
_Path = tuple[int, tuple[Any, ...]]


class _Step:
    """One axis fixed. reads: the bits of the open parts that read it; ends: those that read no later one."""

    def __init__(self, count: int, reads: Mapping[int, int], ends: frozenset[int]) -> None:
        self.count = count
        self.reads = reads
        self.ends = ends
        self.cuts: dict[bytes, tuple[bytes, ...]] = {}

    def choices(self, told: int, left: tuple[bytes, ...]) -> Iterator[tuple[int, tuple[bytes, ...]]]:
        columns = [self.cut(table) if place in self.reads else None for place, table in enumerate(left)]
        for choice in range(self.count):
            now = told
            rest = []
            for place, column in enumerate(columns):
                if column is None:
                    rest.append(left[place])
                elif place not in self.ends:
                    rest.append(column[choice])
                elif column[choice] == b"\1":
                    now |= self.reads[place]
            yield now, tuple(rest)

    def cut(self, table: bytes) -> tuple[bytes, ...]:
        found = self.cuts.get(table)
        if found is None:
            size = len(table) // self.count
            found = tuple(table[at : at + size] for at in range(0, len(table), size))
            self.cuts[table] = found
        return found


def _facts(order: Sequence[Classes], path: tuple[Any, ...]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for one in reversed(order):
        path, choice = path
        facts.update(one.representatives[choice])
    return facts


def _small(truth: RowTable, order: Sequence[Classes]) -> bytes:
    """The truth table over classes, the first axis of the order slowest."""
    if not order:
        return truth.holds
    return b"".join(_small(truth.where(value), order[1:]) for value in order[0].representatives)


def _order(factor: Factor) -> list[Classes]:
    """The axes in an order that leaves few inputs to tell apart, found by moving one at a time.

    What is counted is what the walk must keep at each step: the values of axes that an open part has read.
    """
    masks = [
        sum(1 << place for place, one in enumerate(factor.classes) if _reads(part, one))
        for part in factor.parts
    ]
    sizes = [len(one.sizes) for one in factor.classes]

    def cost(order: Sequence[int]) -> int:
        done = total = 0
        for place in order:
            done |= 1 << place
            kept = 0
            for mask in masks:
                if mask & done and mask & ~done:
                    kept |= mask & done
            total += prod(size for at, size in enumerate(sizes) if kept >> at & 1)
        return total

    best = sorted(range(len(sizes)), key=lambda place: -sum(mask >> place & 1 for mask in masks))
    least = cost(best)
    better = True
    while better:
        better = False
        for axis in range(len(sizes)):
            for place in range(len(sizes)):
                tried = [other for other in best if other != axis]
                tried.insert(place, axis)
                found = cost(tried)
                if found < least:
                    best, least, better = tried, found, True
    return [factor.classes[place] for place in best]


def _reads(part: Part, one: Classes) -> bool:
    return not set(one.axis.variables).isdisjoint(part.truth.variables)
