"""Search of the table for the settings of unknown findings under which an answer moves a row.

A search depends on the facts that the conditions read, never on the record. Patients with the same facts
share it, so the latest searches are kept: facts and rows, never a name, a date or a reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import compress, product
from threading import RLock
from typing import Any

from service.decision.outcome import Demand, Outcome, demands_of, highest, read_last
from service.decision.table import ABSENT, EXAMINED, FALSE, UNKNOWN, Facts, Row, Table, Term, variables

MOST_OTHER_GROUPS = 2
# Little is recorded of most patients, so few sets of facts occur.
SEARCHES_KEPT = 256
# (group, answer) each: what is assumed of other groups.
Assumed = tuple[tuple[str, str], ...]
Setting = frozenset[tuple[str, str]]
# What is assumed of other groups, and the facts that it sets.
Assumption = tuple[Assumed, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Group:
    """Something that can be asked: a finding, or the features that one answer in words settles.

    answers: what each answer says and the facts it sets; for a finding "present", then "absent".
    variables: all facts that it sets.
    """

    id: str
    answers: tuple[tuple[str, Mapping[str, str]], ...]
    in_words: bool
    variables: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", frozenset(name for _, sets in self.answers for name in sets))


@dataclass(frozen=True, eq=False)
class FiredRows:
    """The rows that fire together. facts: with those that are read last.

    Within one search, two settings with the same rows and the same facts that actions depend on share one.
    """

    table: Table
    rows: tuple[Row, ...]
    facts: Facts

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(row.id for row in self.rows)

    @cached_property
    def level(self) -> str:
        """The highest level of the rows."""
        return highest([row.level for row in self.rows])

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """What the rows ask for."""
        return demands_of(self.table, self.rows, self.facts)


@dataclass(frozen=True, slots=True)
class Context:
    """A setting in which the answers of a group move a row. fired: the rows after each answer.

    first: the place in the table of the first row that moves.
    """

    assumed: Assumed
    setting: Setting
    fired: tuple[FiredRows, ...]
    first: int


class Rules:
    """The table's conditions, arranged by the facts that they read."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.ordinary = tuple(row for row in table.rows if not row.last)
        self.index = {row.id: index for index, row in enumerate(table.rows)}
        # Fact -> the ordinary rows that read it. Rows read last read facts that are computed from these.
        self.readers: dict[str, set[int]] = {}
        # For each ordinary row the facts that it wants not to be true.
        self.negated: list[set[str]] = [set() for _ in self.ordinary]
        for place, row in enumerate(self.ordinary):
            for literal in (literal for term in row.terms for literal in term):
                self.readers.setdefault(literal.variable, set()).add(place)
                if not literal.positive:
                    self.negated[place].add(literal.variable)
        whens = [asked.when for row in table.rows for asked in row.actions if asked.when is not None]
        shaping = {name for when in whens for name in variables(when)} | {"child-age", *table.signs}
        shaping |= {f"{name}-abnormal" for action in table.actions.values() for name in action.analytes}
        # The facts that an action depends on, beside the rows that ask for it.
        self.shaping = tuple(sorted(shaping))
        answered = {name for words in table.words for answer in words.answers for name in answer.sets}
        read = {x.variable for row in table.rows for term in row.terms for x in term}
        self.variables = tuple(sorted(shaping | answered | read | {asked.id for asked in table.asked}))


class Search:
    """All that follows from some facts alone, computed when it is first needed.

    Threads share a search: hold `lock` while calling its methods.
    """

    def __init__(self, rules: Rules, facts: Facts) -> None:
        self.lock = RLock()
        self.rules = rules
        self.table = rules.table
        self.facts = facts
        self.groups = groups(self.table, facts)
        # What follows where nothing is on file or ordered depends on the facts alone, too.
        self.outcomes: dict[FiredRows, Outcome] = {}
        self.questions: Any = None
        self._owner = {name: group for group in self.groups for name in group.variables}
        self._held = [row.holds(facts) for row in rules.ordinary]
        self._after: dict[Setting, tuple[list[bool], FiredRows]] = {}
        self._fired: dict[Any, FiredRows] = {}
        self._ending_answers = tuple(self._endings())
        self._contexts: dict[str, tuple[tuple[Context, ...], ...]] = {}
        self._spans: list[tuple[FiredRows, FiredRows]] = []
        self._bounds_left = self._bounds()

    def fired(self, settings: Mapping[str, str]) -> FiredRows:
        """The rows that fire with those facts set and the rest as they are."""
        return self._with(settings)[1]

    def _with(self, settings: Mapping[str, str]) -> tuple[list[bool], FiredRows]:
        """For each ordinary row whether it fires with those facts set, and the rows that fire."""
        key = frozenset(settings.items())
        after = self._after.get(key)
        if after is None:
            facts = {**self.facts, **settings}
            held = self._held.copy()
            for place in {place for name in settings for place in self.rules.readers.get(name, ())}:
                held[place] = self.rules.ordinary[place].holds(facts)
            rows, read = read_last(self.table, list(compress(self.rules.ordinary, held)), facts)
            alike = tuple(row.id for row in rows), tuple(map(read.get, self.rules.shaping))
            after = held, self._fired.setdefault(alike, FiredRows(self.table, rows, read))
            self._after[key] = after
        return after

    def contexts(self, group: Group) -> tuple[tuple[Context, ...], ...]:
        """For every row that the group can move: the settings in which its answers do, the smallest first."""
        if group.id not in self._contexts:
            readers = {place for name in group.variables for place in self.rules.readers.get(name, ())}
            by_row = (self._contexts_of(group, self.rules.ordinary[place]) for place in sorted(readers))
            self._contexts[group.id] = tuple(contexts for contexts in by_row if contexts)
        return self._contexts[group.id]

    def _contexts_of(self, group: Group, row: Row) -> tuple[Context, ...]:
        contexts = []
        for setting, (assumed, sets) in self._settings(group, row):
            fired = tuple(self.fired({**sets, **chosen}) for _, chosen in group.answers)
            ids = [after.ids for after in fired]
            moved = frozenset.union(*ids) - frozenset.intersection(*ids)
            if row.id in moved:
                first = min(self.rules.index[name] for name in moved)
                contexts.append(Context(assumed, setting, fired, first))
        return tuple(contexts)

    def _settings(self, group: Group, row: Row) -> list[tuple[Setting, Assumption]]:
        """What can be assumed of other groups so that the group decides about the row, the smallest first."""
        settings: dict[Setting, Assumption] = {}
        for term in row.terms:
            if any(literal.variable in group.variables for literal in term):
                for assumption in self._assumptions(group, term):
                    for assumed, sets in (assumption, *self._with_ending(group, *assumption)):
                        settings.setdefault(frozenset(assumed), (assumed, sets))
        return sorted(settings.items(), key=lambda setting: len(setting[0]))

    def _assumptions(self, group: Group, term: Term) -> Iterator[Assumption]:
        """The answers of other groups under which the group alone decides whether the term is true."""
        others: dict[str, Group] = {}
        for literal in term:
            if literal.variable in group.variables or literal.true_in(self.facts):
                continue
            other = self._owner.get(literal.variable)
            if other is not None:
                others[other.id] = other
            # The record settles it; a fact that is computed from other rows is unknown here.
            elif self.facts.get(literal.variable, UNKNOWN) != UNKNOWN:
                return
        if len(others) > MOST_OTHER_GROUPS:
            return
        answers = [
            [
                (name, says, sets)
                for says, sets in other.answers
                if all(
                    literal.true_in({**self.facts, **sets})
                    for literal in term
                    if literal.variable in other.variables
                )
            ]
            for name, other in others.items()
        ]
        for choice in product(*answers):
            assumed = tuple((name, says) for name, says, _ in choice)
            yield assumed, {k: v for _, _, sets in choice for k, v in sets.items()}

    def _endings(self) -> Iterator[tuple[int, str, str, Mapping[str, str]]]:
        """(row, group, answer, facts it sets) of each answer that can end a row, which wants it not true."""
        for place, negated in enumerate(self.rules.negated):
            for group in self.groups:
                if negated.isdisjoint(group.variables):
                    continue
                for says, sets in group.answers:
                    if any(sets.get(name) not in (None, FALSE, ABSENT) for name in negated):
                        yield place, group.id, says, sets

    def _with_ending(self, group: Group, assumed: Assumed, sets: Mapping[str, str]) -> Iterator[Assumption]:
        """The same assumption with one more answer, that ends a row which holds under it."""
        if len(assumed) == MOST_OTHER_GROUPS or not self._ending_answers:
            return
        known = {group.id, *(name for name, _ in assumed)}
        held, _ = self._with(sets)
        for place, other, says, chosen in self._ending_answers:
            if other not in known and held[place]:
                yield (*assumed, (other, says)), {**sets, **chosen}

    def spans(self) -> Iterator[tuple[FiredRows, FiredRows]]:
        """Pairs that bound the level over everything unknown, asked or not: the calmest and the gravest."""
        yield from self._spans
        for low, high in self._bounds_left:
            self._spans.append((self.fired(low), self.fired(high)))
            yield self._spans[-1]

    def _bounds(self) -> Iterator[tuple[Mapping[str, str], Mapping[str, str]]]:
        """Findings only raise the level, so all absent and all present bound it.

        Answers in words are tried, and so is a finding that some row wants absent.
        """
        tried: list[tuple[Mapping[str, str], ...]] = [
            tuple(sets for _, sets in group.answers) for group in self.groups if group.in_words
        ]
        absent = {group.id: ABSENT for group in self.groups if not group.in_words}
        present = {asked.id: asked.present for asked in self.table.asked if asked.id in absent}
        for name, wanted_absent in self._unasked().items():
            if wanted_absent:
                tried.append(({name: ABSENT}, {name: EXAMINED}))
            else:
                absent[name], present[name] = ABSENT, EXAMINED
        for choice in product(*tried):
            sets = {k: v for answer in choice for k, v in answer.items()}
            yield {**absent, **sets}, {**present, **sets}

    def _unasked(self) -> dict[str, bool]:
        """Unknown findings that no question settles -> whether some row wants them absent.

        Medicines, whose facts have a blank in their names, are left out: alone they only inform.
        """
        unasked: dict[str, bool] = {}
        for literal in (x for row in self.rules.ordinary for term in row.terms for x in term):
            name = literal.variable
            if name not in self._owner and " " not in name and self.facts.get(name, UNKNOWN) == UNKNOWN:
                unasked[name] = unasked.get(name, False) or not literal.positive
        return unasked


def groups(table: Table, facts: Facts) -> tuple[Group, ...]:
    """Everything that is unknown in those facts and can be asked."""
    unknown = [
        Group(
            asked.id,
            (("present", {asked.id: asked.present}), ("absent", {asked.id: ABSENT})),
            in_words=False,
        )
        for asked in table.asked
        if facts.get(asked.id, UNKNOWN) == UNKNOWN
    ]
    for words in table.words:
        answers: dict[Assumed, tuple[str, Mapping[str, str]]] = {}
        for answer in words.answers:
            # An answer settles only what is not known already.
            sets = {k: v for k, v in answer.sets.items() if facts.get(k, UNKNOWN) == UNKNOWN}
            answers.setdefault(tuple(sorted(sets.items())), (answer.says, sets))
        if len(answers) > 1:
            unknown.append(Group(words.id, tuple(answers.values()), in_words=True))
    return tuple(unknown)


def search_of(table: Table, facts: Facts) -> Search:
    """The search over those of the facts that the table reads."""
    rules = _rules_of(table)
    return _search(rules, tuple(map(facts.get, rules.variables)))


@lru_cache(maxsize=4)
def _rules_of(table: Table) -> Rules:
    return Rules(table)


@lru_cache(maxsize=SEARCHES_KEPT)
def _search(rules: Rules, values: tuple[str | None, ...]) -> Search:
    known = zip(rules.variables, values, strict=True)
    return Search(rules, {name: value for name, value in known if value is not None})
