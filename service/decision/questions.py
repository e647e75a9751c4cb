"""Which unknown findings would still change the advice, read off the table's conditions.

A question's group is one finding, or the features that one answer in words settles. For every term of a
row that reads the group, the other unknown groups of that term are set so that the term can become true
(two of them at most), the rest stays unknown, and the answers are compared; then once more with an answer
that lets go a row which asks for the same already (an eyelid lets go of twitching that has lasted).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from service.decision.outcome import RANK, Outcome, highest, level_of, outcome
from service.decision.standing import Standing
from service.decision.table import (
    ABSENT,
    EXAMINED,
    FALSE,
    LEVELS,
    UNKNOWN,
    AskedFinding,
    Facts,
    Row,
    Table,
    Term,
)

AT_MOST_OTHERS = 2
Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Something that can be asked. answers: what each answer says and the facts it sets.

    For a finding the answers are "present" and "absent", in that order.
    """

    id: str
    answers: tuple[tuple[str, Mapping[str, str]], ...]
    in_words: bool

    @property
    def variables(self) -> frozenset[str]:
        return frozenset(name for _, sets in self.answers for name in sets)


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    says: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answers lead to different advice.

    together: the other unknowns (group, what was assumed) under which the answers differ; empty = on its
    own. reach: the highest level, the most actions that hang on the answer and the first row
    it can change, in any setting, as numbers that sort the most important question first.
    """

    id: str
    in_words: bool
    answers: tuple[AnswerOutcome, ...]
    together: Settings
    reach: tuple[int, int, int]

    @property
    def level(self) -> str:
        """The highest level that an answer can lead to."""
        return LEVELS[-self.reach[0]]

    @property
    def present(self) -> AnswerOutcome:
        """The answer that leads highest (for a finding: its presence)."""
        if not self.in_words:
            return self.answers[0]
        return max(self.answers, key=_weight)

    @property
    def absent(self) -> AnswerOutcome:
        """The answer that leads lowest (for a finding: its absence)."""
        return min(self.answers, key=_weight) if self.in_words else self.answers[-1]


def foremost(questions: Sequence[Question], at_most: int) -> tuple[Question, ...]:
    """The questions of a card: the first in order, of which a click can answer one if it can any.

    Else what nobody puts into words would keep from the card all that a click could settle.
    """
    first = tuple(questions[:at_most])
    if len(first) == at_most and all(question.in_words for question in first):
        clicked = [question for question in questions[at_most:] if not question.in_words]
        return (*first[:-1], *clicked[:1]) if clicked else first
    return first


def _weight(answer: AnswerOutcome) -> tuple[int, int, int]:
    wanted = answer.outcome.recommendations
    return RANK[answer.outcome.level], len(wanted), sum(r.urgent for r in wanted)


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


class Inquiry:
    """The questions of one record. Outcomes are remembered, since many contexts share them."""

    def __init__(self, standing: Standing, facts: Facts) -> None:
        self.standing = standing
        self.table = standing.table
        self.facts = facts
        self.groups = groups(self.table, facts)
        self._owner = {name: group for group in self.groups for name in group.variables}
        self._index = {row.id: index for index, row in enumerate(self.table.rows)}
        self._seen: dict[Settings, Outcome] = {}
        self._ends = tuple(self._endings())

    def _endings(self) -> Iterator[tuple[Row, str, str, Mapping[str, str]]]:
        """(row, group, what the answer says, the facts it sets) of answers that end an unknown's "not".

        The rows read last share no action with the others: they hide nothing.
        """
        for row in self.table.rows:
            negative = (
                {x.variable for term in row.terms for x in term if not x.positive} if not row.last else ()
            )
            for group in self.groups:
                for says, sets in group.answers:
                    if any(sets.get(name) not in (None, FALSE, ABSENT) for name in negative):
                        yield row, group.id, says, sets

    def outcome_with(self, settings: Mapping[str, str]) -> Outcome:
        """The outcome with those facts set and the rest as recorded."""
        key = tuple(sorted(settings.items()))
        found = self._seen.get(key)
        if found is None:
            found = outcome(self.standing, {**self.facts, **settings})
            self._seen[key] = found
        return found

    def questions(self) -> tuple[Question, ...]:
        """All questions, in the order in which they are worth asking."""
        found = [question for group in self.groups if (question := self.question(group))]
        return tuple(sorted(found, key=lambda q: (q.reach, q.in_words, q.id)))

    def question(self, group: Group) -> Question | None:
        """The question about that group, or None where no answer changes anything.

        It is ranked by everything it can lead to, and told by the smallest setting in which it matters.
        """
        told: Question | None = None
        reach: tuple[int, int, int] | None = None
        for row in self.table.rows:
            if row.last:  # it follows from the others
                continue
            decided: list[frozenset[tuple[str, str]]] = []
            for assumed, sets in self._contexts(group, row):
                # More answers than are needed for the row would lend it their own level and actions.
                if any(smaller < frozenset(assumed) for smaller in decided):
                    continue
                answers = tuple(
                    AnswerOutcome(says, self.outcome_with({**sets, **chosen}))
                    for says, chosen in group.answers
                )
                moved = _moved_rows(answers)
                if row.id not in moved or len({answer.outcome.key for answer in answers}) < 2:
                    continue
                decided.append(frozenset(assumed))
                level = highest([answer.outcome.level for answer in answers])
                here = (-RANK[level], -_changed_actions(answers), min(self._index[name] for name in moved))
                reach = here if reach is None else min(reach, here)
                question = Question(group.id, group.in_words, answers, assumed, here)
                if told is None or (len(assumed), here) < (len(told.together), told.reach):
                    told = question
        return None if told is None or reach is None else replace(told, reach=reach)

    def _contexts(self, group: Group, row: Row) -> list[tuple[Settings, Mapping[str, str]]]:
        """(what is assumed of other groups, the facts that sets) for that row, the smallest first."""
        found: dict[frozenset[tuple[str, str]], tuple[Settings, Mapping[str, str]]] = {}
        for term in row.terms:
            if any(literal.variable in group.variables for literal in term):
                for way in self._ways(group, term):
                    for assumed, sets in (way, *self._let_go(group, *way)):
                        found.setdefault(frozenset(assumed), (assumed, sets))
        return sorted(found.values(), key=lambda context: len(context[0]))

    def _let_go(
        self, group: Group, assumed: Settings, sets: Mapping[str, str]
    ) -> Iterator[tuple[Settings, Mapping[str, str]]]:
        """The same setting with one more answer, under which a row that holds in it holds no longer."""
        if len(assumed) == AT_MOST_OTHERS:
            return
        known = {name for name, _ in assumed}
        for row, other, says, chosen in self._ends:
            if other != group.id and other not in known and row.holds({**self.facts, **sets}):
                yield (*assumed, (other, says)), {**sets, **chosen}

    def _ways(self, group: Group, term: Term) -> Iterator[tuple[Settings, Mapping[str, str]]]:
        others: dict[str, Group] = {}
        needed: dict[str, list[tuple[str, Mapping[str, str]]]] = {}
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

    def span(self, level: str) -> tuple[str, str]:
        """The lowest and the highest level over everything unknown, asked or not.

        Findings only raise the level, so all absent and all present bound it; answers in words are tried,
        and so is a finding that some row wants absent.
        """
        low = high = level
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
            if RANK[low] > RANK["info"]:
                low = min(low, self._level_with({**absent, **sets}), key=RANK.__getitem__)
            if RANK[high] < RANK["critical"]:
                high = max(high, self._level_with({**present, **sets}), key=RANK.__getitem__)
        return low, high

    def _unasked(self) -> dict[str, bool]:
        """Unknown findings that no question settles -> whether some row wants them absent.

        Medicines are left out: alone they only inform.
        """
        found: dict[str, bool] = {}
        for row in self.table.rows:
            for literal in () if row.last else (literal for term in row.terms for literal in term):
                name = literal.variable
                if name in self._owner or " " in name or self.facts.get(name, UNKNOWN) != UNKNOWN:
                    continue
                found[name] = found.get(name, False) or not literal.positive
        return found

    def _level_with(self, settings: Mapping[str, str]) -> str:
        facts = {**self.facts, **settings}
        rows, _ = level_of(self.table, facts)
        level = highest([row.level for row in rows])
        # Only a warning can be lowered by tests that are done.
        return outcome(self.standing, facts).level if level == "warning" else level


def _changed_actions(answers: Sequence[AnswerOutcome]) -> int:
    """How many actions are recommended after one answer and not, or not so urgently, after another."""
    sets = [{(r.id, r.urgent) for r in answer.outcome.recommendations} for answer in answers]
    return len({action for one in sets for action, _ in set().union(*sets) - one})


def _moved_rows(answers: Sequence[AnswerOutcome]) -> frozenset[str]:
    """The rows that fire after one answer and not after another."""
    fired = [frozenset(row.id for row in answer.outcome.rows) for answer in answers]
    return frozenset.union(*fired) - frozenset.intersection(*fired)
