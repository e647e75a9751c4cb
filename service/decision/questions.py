"""Which unknown findings would still change the advice, read off the table's conditions.

A question's group is one finding, or the features that one answer in words settles. For every term of a
row that reads the group, the other unknown groups of that term are set so that the term can become true
(two of them at most), the rest stays unknown, and the answers are compared; then once more with an answer
that ends a row which asks for the same already (an eyelid ends twitching that has lasted).
Which rows move is found once for all patients with the same facts (service/decision/question_search.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.decision.on_file import FiledTests
from service.decision.outcome import RANK, Outcome, highest, outcome_of_rows
from service.decision.question_search import Assumed, Context, FiredRows, Group, Setting, search_of
from service.decision.table import LEVELS, Facts

Reach = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """An answer to a question and where it leads."""

    says: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answers lead to different advice.

    together: the other unknowns (group, what was assumed) under which the answers differ; empty = on its
    own. reach: the highest level, the most actions that depend on the answer and the first row
    it can change, in any setting, as numbers that sort the most important question first.
    """

    id: str
    in_words: bool
    answers: tuple[AnswerOutcome, ...]
    together: Assumed
    reach: Reach

    @property
    def level(self) -> str:
        """The highest level that an answer can lead to."""
        return LEVELS[-self.reach[0]]

    @property
    def present(self) -> AnswerOutcome:
        """The answer that leads highest (for a finding: its presence)."""
        return max(self.answers, key=_weight) if self.in_words else self.answers[0]

    @property
    def absent(self) -> AnswerOutcome:
        """The answer that leads lowest (for a finding: its absence)."""
        return min(self.answers, key=_weight) if self.in_words else self.answers[-1]


def foremost(questions: Sequence[Question], at_most: int) -> tuple[Question, ...]:
    """The questions of a card: the first in order, one of them clickable if any question is.

    Answers in words cannot be clicked, and could fill the card.
    """
    first = tuple(questions[:at_most])
    if len(first) == at_most and all(question.in_words for question in first):
        clicked = [question for question in questions[at_most:] if not question.in_words]
        return (*first[:-1], *clicked[:1]) if clicked else first
    return first


def _weight(answer: AnswerOutcome) -> tuple[int, int, int]:
    level, wanted = answer.outcome.key
    return RANK[level], len(wanted), sum(action.urgent for action in wanted)


class Inquiry:
    """The questions of one record."""

    def __init__(self, on_file: FiledTests, facts: Facts) -> None:
        self.on_file = on_file
        self.table = on_file.table
        self.facts = facts
        self.search = search_of(self.table, facts)
        self.groups = self.search.groups
        # Settings share outcomes; with nothing on file or ordered, so do records of the same facts.
        self._outcomes = self.search.outcomes if on_file.is_empty else {}

    def outcome_with(self, settings: Mapping[str, str]) -> Outcome:
        """The outcome with those facts set and the rest as recorded."""
        with self.search.lock:
            return self._outcome(self.search.fired(settings))

    def questions(self) -> tuple[Question, ...]:
        """All questions, in the order in which they are worth asking."""
        with self.search.lock:
            if not self.on_file.is_empty:
                return self._questions()
            if self.search.questions is None:
                self.search.questions = self._questions()
            questions: tuple[Question, ...] = self.search.questions
            return questions

    def span(self, level: str) -> tuple[str, str]:
        """The lowest and the highest level over everything unknown, asked or not. level: the present one."""
        low = high = level
        with self.search.lock:
            for calm, grave in self.search.spans():
                if RANK[low] > RANK["info"]:
                    low = min(low, self._level(calm), key=RANK.__getitem__)
                if RANK[high] < RANK["critical"]:
                    high = max(high, self._level(grave), key=RANK.__getitem__)
                if RANK[low] <= RANK["info"] and high == "critical":
                    break
        return low, high

    def _level(self, fired: FiredRows) -> str:
        # Only a warning can be lowered by tests that are done.
        return self._outcome(fired).level if fired.level == "warning" else fired.level

    def _outcome(self, fired: FiredRows) -> Outcome:
        outcome = self._outcomes.get(fired)
        if outcome is None:
            outcome = outcome_of_rows(self.on_file, fired.rows, fired.facts, fired.demands)
            self._outcomes[fired] = outcome
        return outcome

    def _questions(self) -> tuple[Question, ...]:
        questions = [question for group in self.groups if (question := self._question(group))]
        return tuple(sorted(questions, key=lambda q: (q.reach, q.in_words, q.id)))

    def _question(self, group: Group) -> Question | None:
        """The question about that group, or None where no answer changes anything.

        It is ranked by everything it can lead to, and shown in the smallest setting in which it matters.
        """
        shown: tuple[tuple[int, Reach], Context] | None = None
        reaches: list[Reach] = []
        for contexts in self.search.contexts(group):
            decided: list[Setting] = []
            for context in contexts:
                # Assumptions that the row does not need would lend it their own level and actions.
                if any(smaller < context.setting for smaller in decided):
                    continue
                outcomes = [self._outcome(fired) for fired in context.fired]
                if len({outcome.key for outcome in outcomes}) < 2:
                    continue
                decided.append(context.setting)
                level = highest([outcome.level for outcome in outcomes])
                reach = -RANK[level], -_changed_actions(outcomes), context.first
                reaches.append(reach)
                rank = len(context.assumed), reach
                if shown is None or rank < shown[0]:
                    shown = rank, context
        if shown is None:
            return None
        context = shown[1]
        answers = tuple(
            AnswerOutcome(says, self._outcome(fired))
            for (says, _), fired in zip(group.answers, context.fired, strict=True)
        )
        return Question(group.id, group.in_words, answers, context.assumed, min(reaches))


def _changed_actions(outcomes: Sequence[Outcome]) -> int:
    """How many actions are recommended after one answer and not, or not so urgently, after another."""
    sets = [{(r.id, r.urgent) for r in outcome.recommendations} for outcome in outcomes]
    return len({action for some in sets for action, _ in set().union(*sets) - some})
