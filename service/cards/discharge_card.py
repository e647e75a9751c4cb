"""The discharge card: what is pending, not done or not answered at the end of an encounter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from service.cards.card import Situation, framed
from service.cards.detail import Detail
from service.cards.suggestions import Suggestions
from service.cards.summary import fitting
from service.cards.text import Questions, action_name, capital, joined
from service.decision import Withheld
from service.decision.discharge import pending_orders, unanswered
from service.decision.on_file import URGENT_PRIORITIES
from service.decision.questions import foremost
from service.decision.table import ADVICE


def discharge_cards(situation: Situation) -> list[dict[str, Any]]:
    """The card, or none where nothing is pending or open."""
    if not situation.decision.open:
        return []
    card = _Card(situation)
    if not (card.to_do or card.pending or card.act_on or card.unanswered):
        return []
    return [card.card()]


class _Card:
    """Writes the card of one decision."""

    def __init__(self, situation: Situation) -> None:
        knowledge, decision = situation.knowledge, situation.decision
        self.situation = situation
        self.decision = decision
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.of = Detail(decision, knowledge)
        self.questions = Questions(decision, knowledge)
        self.to_do = [r for r in decision.recommendations if self.table.actions[r.id].kind != ADVICE]
        self.pending = pending_orders(decision.record, self.table)
        self.act_on = [w for w in decision.withheld if w.kind == "act-on"]
        self.unanswered = unanswered(decision, knowledge.table)

    def card(self) -> dict[str, Any]:
        knowledge, call = self.situation.knowledge, self.situation.call
        return framed(
            knowledge,
            call,
            summary=fitting(list(self.summary())),
            level=self.decision.level,
            detail=self.detail(),
            rows=self.decision.rows,
            suggestions=Suggestions(self.decision, knowledge, call).all(),
        )

    def summary(self) -> Iterator[tuple[str, ...]]:
        """Its parts, each in forms from the fullest to the shortest."""
        say = self.say
        yield (say("open_ends.head"),)
        if self.to_do:
            ranked = sorted(self.to_do, key=lambda r: not r.urgent)
            names = joined(action_name(r.id, r.urgent, self.wording) for r in ranked)
            brief = say("open_ends.to_do_some", count=len(self.to_do))
            yield say("open_ends.to_do", actions=names), brief
        if self.act_on:
            yield (say("open_ends.act_on", tests=self._tests(self.act_on)),)
        if self.pending:
            yield say("open_ends.pending", tests=self._tests(self.pending)), say("open_ends.pending_some")
        if self.unanswered:
            asked = foremost(self.unanswered, self.table.thresholds.at_most_questions)
            names = joined(self.questions.name(question) for question in asked)
            yield say("open_ends.ask", questions=names), say("open_ends.ask_some")

    def detail(self) -> str:
        of = self.of
        act_on = (
            f"- {of.withheld_text(withheld).replace('{test}', capital(self._tests([withheld])))}."
            for withheld in self.act_on
        )
        parts = [
            of.unseen(),
            of.statements(),
            of.section("open", [*of.recommended(), *act_on]),
            of.section("pending", self._pending_lines()),
            of.section("questions", [*self.questions.lines(), *self._unexamined()]),
            of.section("results", of.results()),
            of.safety_net(self.decision.level),
        ]
        return "\n\n".join(part for part in parts if part)

    def _pending_lines(self) -> Iterator[str]:
        lines: dict[str, list[Withheld]] = {}
        for withheld in self.pending:
            urgent = withheld.priority in URGENT_PRIORITIES
            place = "open_ends.pending_urgent_says" if urgent else "open_ends.pending_says"
            lines.setdefault(self.say(place, tests="{tests}", date=withheld.day), []).append(withheld)
        for text, pending in lines.items():
            yield f"- {text.replace('{tests}', capital(self._tests(pending)))}"

    def _unexamined(self) -> Iterator[str]:
        """Unknown signs that no question names."""
        asked = {question.id for question in self.decision.questions}
        names = [
            self.terminology.findings[sign].label for sign in self.decision.unknown_signs if sign not in asked
        ]
        if names:
            yield f"- {self.say('open_ends.unexamined', signs=joined(names))}"

    def _tests(self, withheld: Iterable[Withheld]) -> str:
        return self.of.names(test for tests in withheld for test in tests.tests)
