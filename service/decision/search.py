"""What the table alone makes of a set of facts: which rows fire, and under which answers one moves.

Nothing here is read off a record, only the few dozen facts that the conditions read. Patients of whom the
same is known share it, so the latest searches are remembered: facts and rows, never a name, a date or a
reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress, count, product
from threading import RLock
from typing import Any

from service.decision.outcome import Demand, Outcome, demands_of, highest, read_last
from service.decision.table import (
    ABSENT,
    EXAMINED,
    FALSE,
    UNKNOWN,
    AskedFinding,
    Facts,
    Row,
    Table,
    Term,
    variables,
)

AT_MOST_OTHERS = 2
# A worker sees few sets of facts: what is recorded of a twitch is mostly little.
REMEMBERED = 256
Settings = tuple[tuple[str, str], ...]
Setting = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Group:
    """Something that can be asked. answers: what each answer says and the facts it sets.

    For a finding the answers are "present" and "absent", in that order. variables: all facts that it sets.
    """

    id: str
    answers: tuple[tuple[str, Mapping[str, str]], ...]
    in_words: bool
    variables: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "variables", frozenset(name for _, sets in self.answers for name in sets))


@dataclass(frozen=True, slots=True)
class Situation:
    """The rows that fire together. facts: with those that are read last. level: the highest of the rows.

    number: its own within one search; two settings with the same rows, and the same facts of those that shape
    actions, are one situation.
    """

    number: int
    rows: tuple[Row, ...]
    ids: frozenset[str]
    facts: Facts
    level: str


@dataclass(frozen=True, slots=True)
class Context:
    """A setting in which the answers of a group move a row: one situation for each answer.

    first: the place in the table of the first row that moves.
    """

    assumed: Settings
    setting: Setting
    situations: tuple[Situation, ...]
    first: int


class Rules:
    """The table's conditions, arranged by the facts that they read. Made once for each table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.ordinary = tuple(row for row in table.rows if not row.last)
        self.index = {row.id: index for index, row in enumerate(table.rows)}
        # Those that the rows read last read are computed from the other rows.
        literals = [(place, x) for place, row in enumerate(self.ordinary) for term in row.terms for x in term]
        places: dict[str, set[int]] = {}
        for place, literal in literals:
            places.setdefault(literal.variable, set()).add(place)
        self.places: Mapping[str, frozenset[int]] = {name: frozenset(found) for name, found in places.items()}
        # The rows read last share no action with the others: they hide nothing.
        self.negative = [
            (row, frozenset(x.variable for term in row.terms for x in term if not x.positive))
            for row in self.ordinary
        ]
        whens = [asked.when for row in table.rows for asked in row.actions if asked.when is not None]
        shaping = {name for when in whens for name in variables(when)} | {"child-age", *table.signs}
        shaping |= {f"{name}-abnormal" for action in table.actions.values() for name in action.analytes}
        # The facts that an action hangs on, beside the rows that ask for it.
        self.shaping = tuple(sorted(shaping))
        answered = {name for words in table.words for answer in words.answers for name in answer.sets}
        read = {x.variable for row in table.rows for term in row.terms for x in term}
        self.variables = tuple(sorted(shaping | answered | read | {asked.id for asked in table.asked}))


class Search:
    """Everything about some facts that no record is needed for; worked out as far as somebody asks.

    Threads share it: one works something out while the others wait for it.
    """

    def __init__(self, rules: Rules, facts: Facts) -> None:
        self._lock = RLock()
        self.rules = rules
        self.table = rules.table
        self.facts = facts
        self.groups = groups(self.table, facts)
        self._owner = {name: group for group in self.groups for name in group.variables}
        self._held = [row.holds(facts) for row in rules.ordinary]
        self._seen: dict[Setting, tuple[list[bool], Situation]] = {}
        self._situations: dict[Any, Situation] = {}
        self._ends = tuple(self._endings())
        self._contexts: dict[str, tuple[tuple[Context, ...], ...]] = {}
        self._spans: list[tuple[Situation, Situation]] = []
        self._choices = self._bounds()
        self._demands: dict[int, tuple[Demand, ...]] = {}
        # What follows where nothing is on file or ordered: then no record is needed for that either.
        self.unshaped: dict[int, Outcome] = {}
        self.unshaped_questions: Any = None

    def situation(self, settings: Mapping[str, str]) -> Situation:
        """The situation with those facts set and the rest as they are."""
        with self._lock:
            return self._with(settings)[1]

    def _with(self, settings: Mapping[str, str]) -> tuple[list[bool], Situation]:
        key = frozenset(settings.items())
        found = self._seen.get(key)
        if found is None:
            facts = {**self.facts, **settings}
            held = self._held
            places = self.rules.places
            moved = {place for name in settings for place in places.get(name, ())}
            if moved:
                held = held.copy()
                for place in moved:
                    held[place] = self.rules.ordinary[place].holds(facts)
            found = self._seen[key] = held, self._situation(held, facts)
        return found

    def _situation(self, held: Iterable[bool], facts: Facts) -> Situation:
        rows, read = read_last(self.table, list(compress(self.rules.ordinary, held)), facts)
        ids = tuple(row.id for row in rows)
        key = ids, tuple(map(read.get, self.rules.shaping))
        found = self._situations.get(key)
        if found is None:
            level = highest([row.level for row in rows])
            found = Situation(len(self._situations), rows, frozenset(ids), read, level)
            self._situations[key] = found
        return found

    def demands(self, situation: Situation) -> tuple[Demand, ...]:
        """What the rows of that situation ask for."""
        found = self._demands.get(situation.number)
        if found is None:
            # Whichever thread is the last to set it, it is the same.
            found = demands_of(self.table, situation.rows, situation.facts)
            self._demands[situation.number] = found
        return found

    def contexts(self, group: Group) -> tuple[tuple[Context, ...], ...]:
        """For every row that the group can move: the settings in which its answers do, the smallest first."""
        with self._lock:
            return self._contexts.get(group.id) or self._contexts_by_row(group)

    def _contexts_by_row(self, group: Group) -> tuple[tuple[Context, ...], ...]:
        if group.id not in self._contexts:
            places = {place for name in group.variables for place in self.rules.places.get(name, ())}
            by_row = (self._contexts_of(group, self.rules.ordinary[place]) for place in sorted(places))
            self._contexts[group.id] = tuple(contexts for contexts in by_row if contexts)
        return self._contexts[group.id]

    def _contexts_of(self, group: Group, row: Row) -> tuple[Context, ...]:
        moving = []
        for setting, (assumed, sets) in self._settings(group, row):
            situations = tuple(self.situation({**sets, **chosen}) for _, chosen in group.answers)
            fired = [situation.ids for situation in situations]
            moved = frozenset.union(*fired) - frozenset.intersection(*fired)
            if row.id in moved:
                first = min(self.rules.index[name] for name in moved)
                moving.append(Context(assumed, setting, situations, first))
        return tuple(moving)

    def _settings(self, group: Group, row: Row) -> list[tuple[Setting, tuple[Settings, Mapping[str, str]]]]:
        """(what is assumed of other groups, the facts that sets) for that row, the smallest first."""
        found: dict[Setting, tuple[Settings, Mapping[str, str]]] = {}
        for term in row.terms:
            if any(literal.variable in group.variables for literal in term):
                for way in self._ways(group, term):
                    for assumed, sets in (way, *self._let_go(group, *way)):
                        found.setdefault(frozenset(assumed), (assumed, sets))
        return sorted(found.items(), key=lambda context: len(context[1][0]))

    def _endings(self) -> Iterator[tuple[int, str, str, Mapping[str, str]]]:
        """(row, group, what the answer says, the facts it sets) of answers that end an unknown's "not"."""
        for place, (_, negative) in enumerate(self.rules.negative):
            if not negative:
                continue
            for group in self.groups:
                if negative.isdisjoint(group.variables):
                    continue
                for says, sets in group.answers:
                    if any(sets.get(name) not in (None, FALSE, ABSENT) for name in negative):
                        yield place, group.id, says, sets

    def _let_go(
        self, group: Group, assumed: Settings, sets: Mapping[str, str]
    ) -> Iterator[tuple[Settings, Mapping[str, str]]]:
        """The same setting with one more answer, under which a row that holds in it holds no longer."""
        if len(assumed) == AT_MOST_OTHERS or not self._ends:
            return
        known = {name for name, _ in assumed}
        held, _ = self._with(sets)
        for place, other, says, chosen in self._ends:
            if other != group.id and other not in known and held[place]:
                yield (*assumed, (other, says)), {**sets, **chosen}

    def _ways(self, group: Group, term: Term) -> Iterator[tuple[Settings, Mapping[str, str]]]:
        others: dict[str, Group] = {}
        for literal in term:
            if literal.variable in group.variables or literal.true_in(self.facts):
                continue
            other = self._owner.get(literal.variable)
            if other is None:
                # Settled by the record (or computed from other rows): only the former can never be met.
                if self.facts.get(literal.variable, UNKNOWN) != UNKNOWN:
                    return
                continue
            others[other.id] = other
        if len(others) > AT_MOST_OTHERS:
            return
        needed: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
        for name, other in others.items():
            literals = [x for x in term if x.variable in other.variables]
            needed[name] = [
                (says, sets)
                for says, sets in other.answers
                if all(literal.true_in({**self.facts, **sets}) for literal in literals)
            ]
        for choice in product(*needed.values()):
            assumed = tuple((name, says) for name, (says, _) in zip(needed, choice, strict=True))
            yield assumed, {k: v for _, sets in choice for k, v in sets.items()}

    def spans(self) -> Iterator[tuple[Situation, Situation]]:
        """Pairs that bound the level over everything unknown, asked or not: the calmest and the gravest.

        Findings only raise the level, so all absent and all present bound it; answers in words are tried,
        and so is a finding that some row wants absent.
        """
        for place in count():
            with self._lock:
                if place == len(self._spans):
                    choice = next(self._choices, None)
                    if choice is None:
                        return
                    low, high = choice
                    self._spans.append((self.situation(low), self.situation(high)))
                pair = self._spans[place]
            yield pair

    def _bounds(self) -> Iterator[tuple[Mapping[str, str], Mapping[str, str]]]:
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

        Medicines are left out: alone they only inform.
        """
        found: dict[str, bool] = {}
        for row in self.rules.ordinary:
            for term in row.terms:
                for literal in term:
                    name = literal.variable
                    if name in self._owner or " " in name or self.facts.get(name, UNKNOWN) != UNKNOWN:
                        continue
                    found[name] = found.get(name, False) or not literal.positive
        return found


def groups(table: Table, facts: Facts) -> tuple[Group, ...]:
    """Everything that is unknown in those facts and can be asked."""
    found = [
        Group(asked.id, _yes_no(asked), in_words=False)
        for asked in table.asked
        if facts.get(asked.id, UNKNOWN) == UNKNOWN
    ]
    for words in table.words:
        answers: dict[Settings, tuple[str, Mapping[str, str]]] = {}
        for answer in words.answers:
            # An answer settles only what is not known already.
            sets = {k: v for k, v in answer.sets.items() if facts.get(k, UNKNOWN) == UNKNOWN}
            answers.setdefault(tuple(sorted(sets.items())), (answer.says, sets))
        if len(answers) > 1:
            found.append(Group(words.id, tuple(answers.values()), in_words=True))
    return tuple(found)


def _yes_no(asked: AskedFinding) -> tuple[tuple[str, Mapping[str, str]], ...]:
    return ("present", {asked.id: asked.present}), ("absent", {asked.id: ABSENT})


@lru_cache(maxsize=4)
def rules_of(table: Table) -> Rules:
    """The rules of that table. A service has one; one that tries knowledge out has two."""
    return Rules(table)


def search_of(table: Table, facts: Facts) -> Search:
    """The search over those of the facts that the table reads."""
    rules = rules_of(table)
    return _search(rules, tuple(map(facts.get, rules.variables)))


@lru_cache(maxsize=REMEMBERED)
def _search(rules: Rules, values: Sequence[str | None]) -> Search:
    known = zip(rules.variables, values, strict=True)
    return Search(rules, {name: value for name, value in known if value is not None})
