"""Suggestions: each creates an order, or records the answer to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from fhir_mappings.record import Order, Status
from fhir_mappings.to_fhir.actions import (
    about,
    filled_answer,
    filled_order,
    replaceable,
    requester_of,
    usable,
)
from fhir_mappings.to_fhir.in_version import in_version
from service.cards.card import Call
from service.cards.detail import names_disease
from service.cards.question_text import Questions
from service.cards.spans import day_month, recorded_how
from service.cards.text import capital, finding_name, test_label, twitch_for
from service.decision import Decision, Recommendation
from service.decision.questions import Question
from service.decision.table import REFERRAL, ROUTINE, Action, ActionRole, AskedQuestion, Table
from service.knowledge import Knowledge

# An order refers to a few records of the twitching, not to all of them.
_REASONS_LIMIT = 3


class Suggestions:
    """The CDS Hooks suggestions of one card: one per order, some per question that it shows.

    Resources are written in the record's version of FHIR.
    """

    def __init__(self, decision: Decision, knowledge: Knowledge, call: Call) -> None:
        self.decision = decision
        self.knowledge = knowledge
        self.version = decision.record.version
        self.table = knowledge.table
        self.templates = knowledge.templates
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.call = call
        self.about = about(call.subject, call.encounter)
        self.requester = requester_of(call.user)
        self.questions = Questions(decision, knowledge)
        self.reasons = usable(decision.record.twitch.references, _REASONS_LIMIT)

    def all(self) -> list[dict[str, Any]]:
        """The orders of what is recommended, and the answers to what the card asks."""
        return [*self.orders(), *self.answers(self.questions.first)]

    def orders(self) -> Iterator[dict[str, Any]]:
        """One suggestion for each recommendation that can be ordered."""
        for made in self.decision.recommendations:
            yield from self.orders_of(made)

    def orders_of(self, made: Recommendation) -> Iterator[dict[str, Any]]:
        """The suggestion for that recommendation; none where it cannot be ordered."""
        action = self.table.actions[made.id]
        if not action.can_be_ordered:
            return
        tests = made.analytes or action.ordered_as[:1]
        place = f"actions.{made.id}.order"
        names = ", ".join([test_label(test, self.terminology, self.wording) for test in made.analytes])
        paediatric = [f"{place}_paediatric_{made.urgency}", f"{place}_paediatric"]
        places = [*paediatric, place] if made.paediatric else [place]
        label = self.wording.first(places, analytes=names)
        if label:
            yield from self.order(made.id, tests, label, urgency=made.urgency, made=made)

    def order(
        self,
        action: str,
        tests: Sequence[str],
        label: str,
        *,
        urgency: str = ROUTINE,
        made: Recommendation | None = None,
    ) -> Iterator[dict[str, Any]]:
        """One suggestion that orders all those tests; none where none of them can be ordered.

        made: the recommendation, if it is one: a referral says why in words.
        """
        orders = self.templates.orders
        named = self.table.actions[action]
        category = self.wording.maybe(f"order_category.{named.order}")
        text = self.reason(named) if made is not None else ""
        old = made.too_low if made is not None and self._replaces(made, tests) else None
        resources = [
            filled_order(
                orders[test],
                about=self.about,
                reasons=self.reasons,
                urgency=urgency,
                day=self.decision.record.as_of,
                category=category,
                requester=self.requester,
                text=text,
                replaces=old.reference if old is not None else "",
            )
            for test in tests
            if test in orders
        ]
        if resources:
            if urgency != ROUTINE:
                label = self.say(f"suggestion.{urgency}", label=label)
            if old is not None:
                label = self._replacing(label, old)
            yield self._suggestion(
                self.call.uuid("order", action),
                label,
                [
                    (self.say("suggestion.create", label=label, text=resource["code"]["text"]), resource)
                    for resource in resources
                ],
                recommended=True,
            )

    def _replaces(self, made: Recommendation, tests: Sequence[str]) -> bool:
        """Whether the new order takes the place of the one of too low a priority: all that it orders."""
        old, action = made.too_low, self.table.actions[made.id]
        if old is None or old.draft or not replaceable(old.reference, self.version):
            return False
        return old.tests <= {made.id, *action.studies, *tests}

    def _replacing(self, label: str, old: Order) -> str:
        priority = old.priority or ROUTINE
        if old.day is None:
            return self.say("suggestion.replaces_undated", label=label, priority=priority)
        date = day_month(old.day, self.decision.record.as_of, self.wording)
        return self.say("suggestion.replaces", label=label, priority=priority, date=date)

    def reason(self, action: Action) -> str:
        """Why a referral is made: the signs with their dates, how long, and what is to be excluded."""
        if action.order != REFERRAL:
            return ""
        record = self.decision.record
        texts = [twitch_for(record.twitch, record.as_of, self.wording)]
        for finding in filter(None, map(record.findings.get, self.table.asked)):
            if finding.status is Status.PRESENT:
                label = finding_name(finding.id, self.terminology, self.wording)
                texts.append(f"{label} ({recorded_how(finding, record.as_of, self.wording)})")
        if names_disease(self.decision, self.knowledge):
            texts.append(self.say("exclude_disease.reason"))
        return "; ".join(texts)

    def answers(self, questions: Iterable[Question]) -> Iterator[dict[str, Any]]:
        """What a click can answer: what is to be examined, then one suggestion per answer of each question.

        One says that all that is to be examined is absent.
        """
        questions = tuple(questions)
        examined = self._examined(questions)
        if examined:
            asked = _name_of_normal(examined, self.table)
            yield self._answer(examined, self.say("suggestion.normal"), present=False, asked=asked)
        for name in examined:
            yield self._answer([name], self._label(name, "present"), present=True)
        others = dict.fromkeys(name for question in questions for name in question.findings)
        for name in others:
            if name in self.templates.answers and name not in examined:
                yield self._answer([name], self._label(name, "present"), present=True)
                yield self._answer([name], self._label(name, "absent"), present=False)

    def _examined(self, questions: Iterable[Question]) -> list[str]:
        """The findings that the action of examining names, and the signs that questions ask to examine."""
        action = self.table.action_for(ActionRole.EXAMINATION).id
        named = [
            name for made in self.decision.recommendations if made.id == action for name in made.findings
        ]
        for question in questions:
            if self.questions.examines(question):
                named += question.findings
        order = dict.fromkeys([*self.table.asked_findings, *named])
        return [name for name in order if name in named and name in self.templates.answers]

    def _label(self, name: str, answer: str) -> str:
        finding = capital(finding_name(name, self.terminology, self.wording))
        return self.say(f"suggestion.{answer}", finding=finding)

    def _answer(self, names: Sequence[str], label: str, *, present: bool, asked: str = "") -> dict[str, Any]:
        """A suggestion that records those findings as present or absent. asked: what its id names."""
        answer = "present" if present else "absent"
        day = self.decision.record.as_of
        return self._suggestion(
            self.call.uuid(f"answer-{answer}", asked or names[0]),
            label,
            [
                (
                    self._label(name, answer),
                    filled_answer(self.templates.answers[name], about=self.about, day=day, present=present),
                )
                for name in names
            ],
        )

    def _suggestion(
        self,
        uuid: str,
        label: str,
        creates: Sequence[tuple[str, dict[str, Any]]],
        *,
        recommended: bool = False,
    ) -> dict[str, Any]:
        """A suggestion that creates each resource. creates: (description, resource) each."""
        suggestion: dict[str, Any] = {
            "label": label,
            "uuid": uuid,
            "actions": [
                {
                    "type": "create",
                    "description": description,
                    "resource": in_version(resource, self.version),
                }
                for description, resource in creates
            ],
        }
        # An answer is the clinician's to give: none is recommended.
        return {**suggestion, "isRecommended": True} if recommended else suggestion


def findings_of_normal(table: Table) -> Mapping[str, tuple[str, ...]]:
    """Each name that an id of "Examined: normal" can have, where it answers several -> what it answers."""
    question = _question_of_signs(table)
    action = table.action_for(ActionRole.EXAMINATION).id
    others = sorted(
        {
            name
            for row in table.rows
            for asked in row.actions
            if asked.id == action
            for name in asked.findings
            if name not in question.findings
        }
    )
    return {
        "+".join((question.id, *more)): (*question.findings, *more)
        for count in range(len(others) + 1)
        for more in combinations(others, count)
    }


def _question_of_signs(table: Table) -> AskedQuestion:
    """The question that asks to examine the signs on which "examination normal" rests."""
    signs = set(table.benign_signs)
    return next(question for question in table.questions if signs.intersection(question.findings))


def _name_of_normal(examined: Sequence[str], table: Table) -> str:
    """What an id names: a finding alone, else the question of the signs and what else was examined."""
    if len(examined) == 1:
        return examined[0]
    question = _question_of_signs(table)
    return "+".join((question.id, *sorted(name for name in examined if name not in question.findings)))
