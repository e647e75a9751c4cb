"""The discharge card: what is pending or unanswered at the end of an encounter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from fhir_mappings.record import Order
from service.cards.card import Situation
from service.cards.hook_card import HookCard
from service.cards.parts import Part, sentence
from service.cards.question_text import Questions
from service.cards.suggestions import Suggestions
from service.cards.text import action_name, capital, counted, joined, short_result, together
from service.decision import Recommendation
from service.decision.discharge import pending_orders, to_do, unanswered
from service.decision.on_file import PRIORITIES
from service.decision.table import NOW, REFERRAL, URGENT

# As many tests are named, the fewer the longer the card.
_MOST_TESTS = (8, 4, 2, 1)
_KINDS_OF_ORDERS = (
    "pending_now",
    "referral_now",
    "pending_urgent",
    "referral_urgent",
    "pending",
    "referral",
)


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
            actions=self.actions(),
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
            names = joined(map(self._named, self.open_actions))
            yield say("open_ends.to_do", actions=names), say("open_ends.to_do_some")
        if self.questions.on_card():
            # An examination that is missing is among the actions.
            asked = [q for q in self.asked if not (self.open_actions and self.questions.examines(q))]
            names = joined(self.questions.name(question) for question in asked)
            yield say("open_ends.ask", questions=names), say("open_ends.ask_some")

    def _named(self, made: Recommendation) -> str:
        """EMG; act on potassium 3.1 (26 Nov)."""
        if not made.results:
            return action_name(made.id, made.urgency, self.wording)
        value = short_result(
            made.results[0], self.record.as_of, self.terminology, self.wording, capitals=False
        )
        return self.say("open_ends.act", result=value)

    def actions(self) -> Iterator[Part]:
        """Who looks at each pending result, then what nothing orders yet."""
        forms = [self._pending_lines(most) for most in _MOST_TESTS]
        if len(self.pending) > 1:
            forms.append(
                [self.say("open_ends.pending_all", tests=capital(self._tests_named(self.pending, 1)))]
            )
        yield Part([[sentence(line) for line in form] for form in forms], (9, 9, 9, 5), True)
        to_do = self.written(self.open_actions)
        lines = to_do.lines(first=not self.urgent)
        brief = [sentence(line.brief) for line in lines]
        shorter = [[sentence(to_do.briefly(lines))], [sentence(to_do.by_name())]] if len(lines) > 1 else []
        yield Part([brief, *shorter], (7, 1), True)

    def _pending_lines(self, most: int) -> list[str]:
        """One line for each kind and priority of orders, as many tests of each."""
        groups: dict[str, list[Order]] = {}
        for order in self.pending:
            groups.setdefault(self._place(order), []).append(order)
        lines: list[str] = []
        for kind in _KINDS_OF_ORDERS:
            orders = groups.get(kind, [])
            days = {order.day for order in orders}
            tests = self._names_of(orders)
            if len(days) == 1 and max(map(len, tests.values())) == 1:
                names = counted(list(tests), most, self.wording)
                since = self.say("open_ends.since", date=min(filter(None, days)))
            else:
                names, since = self._tests_named(orders, most), ""
            if orders:
                lines.append(self.say(f"open_ends.{kind}_says", tests=capital(names), since=since))
        return lines

    def _names_of(self, orders: Iterable[Order]) -> dict[str, list[date]]:
        """The tests by name, with the days of their orders; the newest first."""
        days: dict[str, list[date]] = {}
        for order in orders:
            for test in self._tests(order.tests):
                days.setdefault(test, []).append(order.day or date.min)
        named = sorted(days.items(), key=lambda item: (-max(item[1]).toordinal(), item[0].lower()))
        return dict(named)

    def _tests_named(self, orders: Iterable[Order], most: int) -> str:
        """Potassium (20 orders, newest 2026-06-14), sodium and TSH (since 2026-06-10) and 3 more."""
        tests = self._names_of(orders)
        alike: dict[tuple[date, int], list[str]] = {}
        for test, days in list(tests.items())[:most]:
            alike.setdefault((max(days), len(days)), []).append(test)
        parts = [
            self.say(
                "open_ends.orders" if count > 1 else "open_ends.order",
                tests=together(names, self.wording),
                count=count,
                date=day,
            )
            for (day, count), names in alike.items()
        ]
        rest = len(tests) - most
        return self.say("lead.more", names=joined(parts), count=rest) if rest > 0 else joined(parts)

    def _place(self, order: Order) -> str:
        """The words for an order by its kind and priority."""
        referred = any(
            action.order == REFERRAL and not order.tests.isdisjoint({action.id, *action.studies})
            for action in self.table.actions.values()
        )
        kind = "referral" if referred else "pending"
        if order.priority in PRIORITIES[NOW]:
            return f"{kind}_now"
        return f"{kind}_urgent" if order.priority in PRIORITIES[URGENT] else kind

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
