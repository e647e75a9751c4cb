"""The discharge card: what is pending or unanswered at the end of an encounter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from service.cards.card import Situation
from service.cards.hook_card import HookCard, numbered
from service.cards.question_text import Questions
from service.cards.suggestions import Suggestions
from service.cards.text import action_name, capital, joined
from service.decision.discharge import pending_orders, to_do, unanswered
from service.decision.on_file import PRIORITIES
from service.decision.table import URGENT


def discharge_cards(situation: Situation) -> list[dict[str, Any]]:
    """The card, or none where nothing is pending or open."""
    if not situation.decision.open:
        return []
    card = _DischargeCard(situation)
    return [card.card()] if card.urgent or card.open_actions or card.pending or card.asked else []


class _DischargeCard(HookCard):
    """Writes the card of one decision."""

    def __init__(self, situation: Situation) -> None:
        super().__init__(situation)
        self.open_actions = to_do(self.decision, self.table)
        self.pending = pending_orders(self.decision, self.table)
        self.asked = unanswered(self.decision)[: self.table.thresholds.at_most_questions]
        self.questions = Questions(replace(self.decision, questions=self.asked), self.knowledge)

    def card(self) -> dict[str, Any]:
        made = replace(self.decision, recommendations=(*self.urgent, *self.open_actions))
        write = Suggestions(made, self.knowledge, self.call)
        return self.framed(
            summary=self.summary(),
            level=self.decision.level,
            actions=[numbered(self.actions())],
            notes=self.notes(),
            rows=self.decision.rows,
            suggestions=[*write.orders(), *write.answers(self.asked)],
        )

    def summary(self) -> Iterator[tuple[str, ...]]:
        """Its parts, each in forms from the fullest to the shortest."""
        say = self.say
        if self.pending:
            yield say("open_ends.pending", tests=self._pending_tests()), say("open_ends.pending_some")
        if self.open_actions:
            names = joined(action_name(made.id, made.urgency, self.wording) for made in self.open_actions)
            yield say("open_ends.to_do", actions=names), say("open_ends.to_do_some")
        if self.questions.on_card():
            # An examination that is missing is among the actions.
            asked = [q for q in self.asked if not (self.open_actions and self.questions.examines(q))]
            names = joined(self.questions.name(question) for question in asked)
            yield say("open_ends.ask", questions=names), say("open_ends.ask_some")

    def actions(self) -> Iterator[str]:
        """Who looks at each pending result, then what nothing orders yet."""
        lines: dict[str, list[str]] = {}
        for order in self.pending:
            place = "pending_urgent_says" if order.priority in PRIORITIES[URGENT] else "pending_says"
            line = self.say(f"open_ends.{place}", tests="{tests}", date=order.day)
            lines.setdefault(line, []).extend(self._tests(order.tests))
        for text, tests in lines.items():
            yield text.replace("{tests}", capital(joined(tests)))
        yield from (line.brief for line in self.written(self.open_actions).lines())

    def notes(self) -> Iterator[str]:
        """The questions on one line."""
        if asked := self.questions.on_card():
            yield self.say("lead.ask", questions=" ".join(capital(question) for question in asked))

    def _pending_tests(self) -> str:
        return joined(name for order in self.pending for name in self._tests(order.tests))

    def _tests(self, tests: frozenset[str]) -> list[str]:
        """The names of the tests of an order in an order that no id decides."""
        counted = {self.table.counts_as.get(test, test) for test in tests}
        return sorted((self.names([test]) for test in counted), key=str.lower)
