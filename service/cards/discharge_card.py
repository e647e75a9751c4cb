"""The discharge card: what is pending or unanswered at the end of an encounter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.cards.card import Situation
from service.cards.hook_card import HookCard
from service.cards.suggestions import Suggestions
from service.cards.text import Questions, action_name, capital, joined
from service.decision.discharge import pending_orders, to_do, unanswered
from service.decision.on_file import PRIORITIES
from service.decision.table import URGENT


def discharge_cards(situation: Situation) -> list[dict[str, Any]]:
    """The card, or none where nothing is pending or open."""
    if not situation.decision.open:
        return []
    card = _DischargeCard(situation)
    return [card.card()] if card.urgent or card.to_do or card.pending or card.unanswered else []


class _DischargeCard(HookCard):
    """Writes the card of one decision."""

    def __init__(self, situation: Situation) -> None:
        super().__init__(situation)
        self.questions = Questions(self.decision, self.knowledge)
        self.to_do = to_do(self.decision, self.table)
        self.pending = pending_orders(self.decision, self.table)
        self.unanswered = unanswered(self.decision)[: self.table.thresholds.at_most_questions]

    def card(self) -> dict[str, Any]:
        write = Suggestions(self.decision, self.knowledge, self.call)
        return self.framed(
            summary=self.summary(),
            level=self.decision.level,
            actions=self.actions(),
            notes=self.notes(),
            evidence=filter(None, [self.unseen()]),
            rows=self.decision.rows,
            suggestions=[*write.orders(), *write.answers(self.unanswered)],
        )

    def summary(self) -> Iterator[tuple[str, ...]]:
        """Its parts, each in forms from the fullest to the shortest."""
        say = self.say
        if self.pending:
            tests = self._pending_tests()
            yield say("open_ends.pending", tests=tests), say("open_ends.pending_some")
        if self.to_do:
            names = joined(action_name(made.id, made.urgency, self.wording) for made in self.to_do)
            yield say("open_ends.to_do", actions=names), say("open_ends.to_do_some", count=len(self.to_do))
        if self.unanswered:
            names = joined(self.questions.name(question) for question in self.unanswered)
            yield say("open_ends.ask", questions=names), say("open_ends.ask_some")
        yield (say("open_ends.head"),)

    def actions(self) -> Iterator[str]:
        """Who looks at each pending result, then what nobody has ordered, on one line each."""
        lines: dict[str, list[str]] = {}
        for order in self.pending:
            place = "pending_urgent_says" if order.priority in PRIORITIES[URGENT] else "pending_says"
            day = self.day(order.day) if order.day else ""
            line = self.say(f"open_ends.{place}", tests="{tests}", date=day)
            lines.setdefault(line, []).extend(self._tests(order.tests))
        for text, tests in lines.items():
            yield text.replace("{tests}", capital(joined(tests)))
        if self.to_do:
            names = joined(action_name(made.id, made.urgency, self.wording) for made in self.to_do)
            yield capital(self.say("open_ends.to_do", actions=names)) + "."

    def notes(self) -> Iterator[str]:
        """The questions on one line."""
        if self.unanswered:
            yield " ".join(self.questions.sentence(question) for question in self.unanswered)

    def _pending_tests(self) -> str:
        return joined(name for order in self.pending for name in self._tests(order.tests))

    def _tests(self, tests: frozenset[str]) -> list[str]:
        """The names of the tests of an order in an order that no id decides."""
        counted = {self.table.counts_as.get(test, test) for test in tests}
        return sorted((self.names([test]) for test in counted), key=str.lower)
