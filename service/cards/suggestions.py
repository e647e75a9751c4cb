"""Suggestions: each creates an order, or records the answer to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fhir_mappings.to_fhir.actions import about, filled_answer, filled_order, usable
from fhir_mappings.to_fhir.in_version import in_version
from service.cards.card import Call
from service.cards.text import capital
from service.decision import Decision
from service.decision.questions import Question, foremost
from service.knowledge import Knowledge

# An order refers to a few records of the twitching, not to all of them.
_REASONS_LIMIT = 3


class Suggestions:
    """The CDS Hooks suggestions of one card: one per order, two per yes/no question that it shows.

    Resources are written in the record's version of FHIR.
    """

    def __init__(self, decision: Decision, knowledge: Knowledge, call: Call) -> None:
        self.decision = decision
        self.version = decision.record.version
        self.table = knowledge.table
        self.templates = knowledge.templates
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.call = call
        self.about = about(call.subject, call.encounter)
        self.reasons = usable(decision.record.twitch.references)[:_REASONS_LIMIT]

    def all(self) -> list[dict[str, Any]]:
        """The orders of what is recommended, and the answers to what is asked first."""
        asked = foremost(self.decision.questions, self.table.thresholds.at_most_questions)
        return [*self.orders(), *self.answers(asked)]

    def orders(self) -> Iterator[dict[str, Any]]:
        """One suggestion for each recommendation that can be ordered."""
        analytes = self.terminology.analytes
        for made in self.decision.recommendations:
            tests = made.analytes or self.table.actions[made.id].ordered_as[:1]
            place = f"actions.{made.id}"
            names = ", ".join(analytes[analyte].label for analyte in made.analytes if analyte in analytes)
            label = self.wording.maybe(f"{place}.paediatric") if made.paediatric else ""
            label = label or self.wording.maybe(f"{place}.order", analytes=names)
            yield from self.order(made.id, tests, label, urgent=made.urgent)

    def order(
        self, action: str, tests: Sequence[str], label: str, *, urgent: bool
    ) -> Iterator[dict[str, Any]]:
        """One suggestion that orders all those tests; none where none of them can be ordered."""
        orders = self.templates.orders
        resources = [
            filled_order(orders[test], about=self.about, reasons=self.reasons, urgent=urgent)
            for test in tests
            if test in orders
        ]
        if resources:
            yield self._suggestion(
                self.call.uuid("order", action),
                label,
                [(f"{label}: {resource['code']['text']}", resource) for resource in resources],
            )

    def answers(self, questions: Iterable[Question]) -> Iterator[dict[str, Any]]:
        """Two suggestions for each question that a click can answer."""
        day = self.decision.record.as_of
        for question in questions:
            template = self.templates.answers.get(question.id)
            if template is None:
                continue
            finding = capital(self.terminology.findings[question.id].label)
            for answer in ("present", "absent"):
                status = self.wording.say(f"status.{answer}")
                label = self.wording.say("question.label", finding=finding, answer=status)
                resource = filled_answer(template, about=self.about, day=day, present=answer == "present")
                uuid = self.call.uuid(f"answer-{answer}", question.id)
                yield self._suggestion(uuid, label, [(label, resource)])

    def _suggestion(
        self, uuid: str, label: str, creates: Sequence[tuple[str, dict[str, Any]]]
    ) -> dict[str, Any]:
        """A suggestion that creates each resource. creates: (description, resource) each."""
        return {
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
