"""First step: what a record is read as. Every case of every group goes through the real `facts_of`.

What a group sets must be what section 1 says of its own case, whatever else is recorded: that is how the
groups are shown to be independent. The tuples of facts that were seen are the values of the walks to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fhir_mappings.record import Record
from service.decision.facts import LAST_FEATURES, facts_of
from service.decision.table import UNKNOWN, Table
from tools.proof.cases import (
    Case,
    Group,
    age,
    base,
    courses,
    drug,
    finding,
    onset,
    potassium_raisers,
    sites,
    worsening,
)
from tools.proof.ledger import Ledger
from tools.proof.result_cases import Electrolytes, other_results

PROMISE = "read as section 1 says"
Value = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """Variables that one group sets together, and every tuple of values that the reading gave them.

    steps: pairs of places in `values` of which the second is more dangerous.
    """

    id: str
    variables: tuple[str, ...]
    values: tuple[Value, ...]
    steps: tuple[tuple[int, int], ...]


def groups(table: Table, variables: frozenset[str], *, conditions_seen: bool) -> tuple[Group, ...]:
    """The groups whose facts the table reads, and those that its removals read."""
    limits = table.thresholds
    diagnoses = frozenset(table.diagnoses)
    disorders = frozenset(d.finding for d in table.disorders)
    features = [
        onset(table),
        sites(),
        courses(),
        worsening("weakness"),
        worsening("atrophy"),
        age(table),
        potassium_raisers(),
        Electrolytes(table, settled=conditions_seen).group(),
        other_results(table, "b12-result-low", table.b12_analytes, limits.low_b12_days, low=True),
        other_results(
            table, "thyroid-result-abnormal", table.thyroid_analytes, limits.thyroid_days, low=False
        ),
    ]
    owned = {name for group in features for name in group.variables}
    classes = {name.split(" ", 1)[1] for name in variables if name.startswith(("drug ", "current "))}
    plain = {name for name in variables if " " not in name} - owned - LAST_FEATURES
    names = (plain | diagnoses | {a.id for a in table.asked} | set(table.signs)) - disorders
    return (
        *features,
        *(finding(name, settled=conditions_seen and name in diagnoses) for name in sorted(names)),
        *(drug(name) for name in sorted(classes)),
    )


def read(table: Table, variables: frozenset[str], ledger: Ledger, *, whole: bool) -> tuple[Axis, ...]:
    """Walks all groups; returns an axis for each. variables: those that the table reads."""
    axes: dict[str, Axis] = {}
    for seen in (True, False):
        found = groups(table, variables, conditions_seen=seen)
        walk = _Walk(table, found, base(conditions_seen=seen), ledger)
        for group in found:
            if seen:
                axes[group.id] = walk.axis(group, variables, mixed=True)
            elif any(case.facts[name] == UNKNOWN for case in group.cases for name in case.facts):
                axes[group.id] = _joined(axes[group.id], walk.axis(group, variables, mixed=whole))
        ledger.cover(
            PROMISE,
            f"{len(found)} groups of the record{'' if seen else ', the list of conditions not seen'}",
            walk.states,
            "each case alone and beside a mixture of all other groups: no group's facts move another's"
            if seen or whole
            else "each case alone, of groups that can be unknown",
        )
        if whole and seen:
            walk.pairs()
            ledger.cover(
                PROMISE,
                "every pair of groups",
                walk.states,
                "each case beside every value of every other group",
            )
    return tuple(axes.values())


class _Walk:
    def __init__(self, table: Table, found: Sequence[Group], record: Record, ledger: Ledger) -> None:
        self.table = table
        self.groups = found
        self.ledger = ledger
        self.states = 0
        disorders = {disorder.finding for disorder in table.disorders}
        self.usual = {group.id: group.representatives(lambda name: name not in disorders) for group in found}
        # What is read of nothing at all is the background of a case that stands alone.
        self.empty = _Background(record, facts_of(record, table), {})

    def axis(self, group: Group, variables: frozenset[str], *, mixed: bool) -> Axis:
        """Every case of that group, alone and beside a mixture; every value of the others is in one."""
        others = [other for other in self.groups if other is not group]
        size = max(len(self.usual[other.id]) for other in others) if mixed else 0
        mixtures = [
            self.beside(self.usual[other.id][mix % len(self.usual[other.id])] for other in others)
            for mix in range(size)
        ]
        kept = tuple(name for name in group.variables if name in variables)
        read: list[Value] = []
        for index, case in enumerate(group.cases):
            facts = self.compare(case, self.empty)
            read.append(tuple(facts.get(name, UNKNOWN) for name in kept))
            if mixtures:
                self.compare(case, mixtures[index % size])
        for index in range(len(group.cases), size):
            self.compare(group.cases[index % len(group.cases)], mixtures[index])
        values = tuple(dict.fromkeys(read))
        place = {value: index for index, value in enumerate(values)}
        steps = ((place[read[low]], place[read[high]]) for low, high in group.steps)
        return Axis(group.id, kept, values, tuple(dict.fromkeys(s for s in steps if s[0] != s[1])))

    def pairs(self) -> None:
        self.states = 0
        for group in self.groups:
            for other in self.groups:
                if other is not group:
                    for background in [self.beside([case]) for case in self.usual[other.id]]:
                        for case in group.cases:
                            self.compare(case, background)

    def beside(self, cases: Iterable[Case]) -> _Background:
        record, facts = self.empty.record, dict(self.empty.facts)
        state: dict[str, object] = {}
        for case in cases:
            record = case.patch(record)
            facts.update(case.facts)
            state.update(case.state)
        return _Background(record, facts, state)

    def compare(self, case: Case, background: _Background) -> Mapping[str, str]:
        """Reads that case on that background and holds the facts against what both say."""
        self.states += 1
        state = {**case.state, **background.state}
        try:
            facts = facts_of(case.patch(background.record), self.table)
        except Exception as error:
            self.ledger.violate("total", "facts_of", state, "facts", repr(error))
            return {}
        expected = {**background.facts, **case.facts}
        if facts != expected:
            for name in facts.keys() | expected.keys():
                want, got = expected.get(name, UNKNOWN), facts.get(name, UNKNOWN)
                if want != got:
                    self.ledger.violate(PROMISE, name, state, want, got)
        return facts


@dataclass(frozen=True, slots=True)
class _Background:
    record: Record
    facts: Mapping[str, str]
    state: Mapping[str, object]


def _joined(one: Axis, other: Axis) -> Axis:
    values = tuple(dict.fromkeys((*one.values, *other.values)))
    steps = {
        (values.index(axis.values[low]), values.index(axis.values[high]))
        for axis in (one, other)
        for low, high in axis.steps
    }
    return Axis(one.id, one.variables, values, tuple(sorted(steps)))
