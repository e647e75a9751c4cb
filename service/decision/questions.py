"""Which unknown findings would still change the advice, read off the table's conditions.

A question's group is one finding, or the features that one answer in words settles. For every term of a
row that reads the group, the other unknown groups of that term are set so that the term can become true
(two of them at most), the rest stays unknown, and the answers are compared; then once more with an answer
that lets go a row which asks for the same already (an eyelid lets go of twitching that has lasted).
Which rows move is found once for all patients of whom the same is known (service/decision/search.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.decision.on_file import Standing
from service.decision.outcome import RANK, Key, Outcome, highest, shaped
from service.decision.search import Context, Group, Setting, Settings, Situation, groups, search_of
from service.decision.table import LEVELS, Facts

__all__ = ["AnswerOutcome", "Asked", "Group", "Inquiry", "Question", "foremost", "groups"]


Reach = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    says: str
    outcome: Outcome


class Asked(NamedTuple):
    """What is told of a question: nothing of a record, so that it may be remembered."""

    id: str
    in_words: bool
    answers: tuple[tuple[str, Key], ...]
    together: Settings

    @property
    def present(self) -> Key:
        """Where the answer leads that leads highest (for a finding: its presence)."""
        keys = [key for _, key in self.answers]
        return max(keys, key=_weight) if self.in_words else keys[0]

    @property
    def absent(self) -> Key:
        """Where the answer leads that leads lowest (for a finding: its absence)."""
        keys = [key for _, key in self.answers]
        return min(keys, key=_weight) if self.in_words else keys[-1]


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
    reach: Reach

    @property
    def level(self) -> str:
        """The highest level that an answer can lead to."""
        return LEVELS[-self.reach[0]]

    @property
    def present(self) -> AnswerOutcome:
        """The answer that leads highest (for a finding: its presence)."""
        if not self.in_words:
            return self.answers[0]
        return max(self.answers, key=_weight_of)

    @property
    def absent(self) -> AnswerOutcome:
        """The answer that leads lowest (for a finding: its absence)."""
        return min(self.answers, key=_weight_of) if self.in_words else self.answers[-1]

    @property
    def asked(self) -> Asked:
        answers = tuple((answer.says, answer.outcome.key) for answer in self.answers)
        return Asked(self.id, self.in_words, answers, self.together)


def foremost(questions: Sequence[Question], at_most: int) -> tuple[Question, ...]:
    """The questions of a card: the first in order, of which a click can answer one if it can any.

    Else what nobody puts into words would keep from the card all that a click could settle.
    """
    first = tuple(questions[:at_most])
    if len(first) == at_most and all(question.in_words for question in first):
        clicked = [question for question in questions[at_most:] if not question.in_words]
        return (*first[:-1], *clicked[:1]) if clicked else first
    return first


def _weight_of(answer: AnswerOutcome) -> tuple[int, int, int]:
    return _weight(answer.outcome.key)


def _weight(key: Key) -> tuple[int, int, int]:
    level, wanted = key
    return RANK[level], len(wanted), sum(one.urgent for one in wanted)


class Inquiry:
    """The questions of one record. Outcomes are remembered, since many settings share them."""

    def __init__(self, standing: Standing, facts: Facts) -> None:
        self.standing = standing
        self.table = standing.table
        self.facts = facts
        self.search = search_of(self.table, facts)
        self.groups = self.search.groups
        # Where nothing is on file or ordered, all that follows is the same for every such record.
        self._outcomes: dict[int, Outcome] = {}
        if standing.blank:
            self._outcomes = self.search.unshaped

    def outcome_with(self, settings: Mapping[str, str]) -> Outcome:
        """The outcome with those facts set and the rest as recorded."""
        return self._outcome(self.search.situation(settings))

    def _outcome(self, situation: Situation) -> Outcome:
        found = self._outcomes.get(situation.number)
        if found is None:
            demands = self.search.demands(situation)
            found = shaped(self.standing, situation.rows, situation.facts, demands)
            self._outcomes[situation.number] = found
        return found

    def questions(self) -> tuple[Question, ...]:
        """All questions, in the order in which they are worth asking."""
        if not self.standing.blank:
            return self._questions()
        if self.search.unshaped_questions is None:
            self.search.unshaped_questions = self._questions()
        known: tuple[Question, ...] = self.search.unshaped_questions
        return known

    def _questions(self) -> tuple[Question, ...]:
        found = [question for group in self.groups if (question := self.question(group))]
        return tuple(sorted(found, key=lambda q: (q.reach, q.in_words, q.id)))

    def question(self, group: Group) -> Question | None:
        """The question about that group, or None where no answer changes anything.

        It is ranked by everything it can lead to, and told by the smallest setting in which it matters.
        """
        told: tuple[tuple[int, Reach], Context] | None = None
        reach: Reach | None = None
        for contexts in self.search.contexts(group):
            decided: list[Setting] = []
            for context in contexts:
                # More answers than are needed for the row would lend it their own level and actions.
                if decided and any(smaller < context.setting for smaller in decided):
                    continue
                outcomes = [self._outcome(situation) for situation in context.situations]
                if len({outcome.key for outcome in outcomes}) < 2:
                    continue
                decided.append(context.setting)
                level = highest([outcome.level for outcome in outcomes])
                here = -RANK[level], -_changed_actions(outcomes), context.first
                reach = here if reach is None else min(reach, here)
                rank = len(context.assumed), here
                if told is None or rank < told[0]:
                    told = rank, context
        if told is None or reach is None:
            return None
        context = told[1]
        answered = tuple(
            AnswerOutcome(says, self._outcome(situation))
            for (says, _), situation in zip(group.answers, context.situations, strict=True)
        )
        return Question(group.id, group.in_words, answered, context.assumed, reach)

    def span(self, level: str) -> tuple[str, str]:
        """The lowest and the highest level over everything unknown, asked or not."""
        low = high = level
        for calm, grave in self.search.spans():
            if RANK[low] > RANK["info"]:
                low = min(low, self._level(calm), key=RANK.__getitem__)
            if RANK[high] < RANK["critical"]:
                high = max(high, self._level(grave), key=RANK.__getitem__)
            if RANK[low] <= RANK["info"] and high == "critical":
                break
        return low, high

    def _level(self, situation: Situation) -> str:
        # Only a warning can be lowered by tests that are done.
        return self._outcome(situation).level if situation.level == "warning" else situation.level


def _changed_actions(outcomes: Sequence[Outcome]) -> int:
    """How many actions are recommended after one answer and not, or not so urgently, after another."""
    sets = [{(r.id, r.urgent) for r in outcome.recommendations} for outcome in outcomes]
    return len({action for one in sets for action, _ in set().union(*sets) - one})
