"""Suggestions: each creates an order, or records the answer to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fhir_mappings.record import Status
from fhir_mappings.to_fhir.actions import about, filled_answer, filled_order, requester_of, usable
from fhir_mappings.to_fhir.in_version import in_version
from service.cards.card import Call
from service.cards.detail import names_disease
from service.cards.question_text import Questions, asked_on_card
from service.cards.spans import recorded_how
from service.cards.text import capital, finding_name, test_label, twitch_for
from service.decision import Decision, Recommendation
from service.decision.questions import Question
from service.decision.table import REFERRAL, ROUTINE, Action
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
        self.reasons = usable(decision.record.twitch.references)[:_REASONS_LIMIT]

    def all(self) -> list[dict[str, Any]]:
        """The orders of what is recommended, and the answers to what the card asks."""
        return [*self.orders(), *self.answers(asked_on_card(self.decision))]

    def orders(self) -> Iterator[dict[str, Any]]:
        """One suggestion for each recommendation that can be ordered."""
        for made in self.decision.recommendations:
            action = self.table.actions[made.id]
            if not action.can_be_ordered:
                continue
            tests = made.analytes or action.ordered_as[:1]
            place = f"actions.{made.id}.order"
            names = ", ".join(test_label(test, self.terminology, self.wording) for test in made.analytes)
            places = [f"{place}_paediatric", place] if made.paediatric else [place]
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
            )
            for test in tests
            if test in orders
        ]
        if resources:
            if urgency != ROUTINE:
                label = self.say(f"suggestion.{urgency}", label=label)
            yield self._suggestion(
                self.call.uuid("order", action),
                label,
                [
                    (self.say("suggestion.create", label=label, text=resource["code"]["text"]), resource)
                    for resource in resources
                ],
                recommended=True,
            )

    def reason(self, action: Action) -> str:
        """Why a referral is made: the signs with their dates, how long, and what is to be excluded."""
        if action.order != REFERRAL:
            return ""
        record = self.decision.record
        texts = [twitch_for(record.twitch, record.as_of, self.wording)]
        for name in self.table.asked:
            finding = record.finding(name)
            if finding.status is Status.PRESENT:
                label = finding_name(name, self.terminology, self.wording)
                texts.append(f"{label} ({recorded_how(finding, record.as_of, self.wording)})")
        if names_disease(self.decision, self.knowledge):
            texts.append(self.say("exclude_disease.reason"))
        return "; ".join(texts)

    def answers(self, questions: Iterable[Question]) -> Iterator[dict[str, Any]]:
        """For each question that a click can answer: one suggestion per answer.

        Where signs are to be examined, one says that all of them are absent.
        """
        words = Questions(self.decision, self.knowledge)
        seen: set[str] = set()
        for question in questions:
            names = [n for n in question.findings if n in self.templates.answers and n not in seen]
            seen.update(names)
            if not names:
                continue
            if words.examines(question):
                # Of several findings its id is that of the question: one answer to all of them.
                asked = question.id if len(names) > 1 else names[0]
                yield self._answer(names, self.say("suggestion.normal"), present=False, asked=asked)
                for name in names:
                    yield self._answer([name], self._label(name, "present"), present=True)
                continue
            for name in names:
                yield self._answer([name], self._label(name, "present"), present=True)
                yield self._answer([name], self._label(name, "absent"), present=False)

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
