"""What one click does: propose an order, or record the answer to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_mappings.to_fhir.actions import about, filled_answer, filled_order, usable
from service.cards.card_ids import CardIds, id_of
from service.cards.phrases import phrases_of
from service.decision import Decision
from service.decision.questions import Question, foremost
from service.knowledge import Knowledge

# An order names the twitch it is for, not every record of it.
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Call:
    """What a card takes from the call.

    hook_instance: what its uuids derive from, never chance. ids: sign them; by default they are unsigned, and
    feedback on them is refused. knowledge_version: what the uuids say about it, hexadecimal. about: the draft
    that the card is about, where a call has several cards.
    """

    hook_instance: str
    base_url: str
    subject: str | None = None
    encounter: str | None = None
    ids: CardIds = field(default_factory=CardIds)
    knowledge_version: str = ""
    about: str = ""

    def uuid(self, kind: str, name: str) -> str:
        """A uuid that the same call always gives the same thing.

        kind: see card_ids.KINDS. name: the leading row of a card, the action of an order, the finding of an
        answer: what feedback is counted under.
        """
        return id_of(self.ids, self.knowledge_version, self.hook_instance, kind, name, self.about)


class Suggestions:
    """Writes the CDS Hooks suggestions of one card: one per order, two per yes/no question that it shows."""

    def __init__(self, decision: Decision, knowledge: Knowledge, call: Call) -> None:
        self.decision = decision
        self.table = knowledge.table
        self.templates = knowledge.templates
        self.phrases = phrases_of(knowledge)
        self.call = call
        self.about = about(call.subject, call.encounter)
        self.reasons = usable(decision.record.twitch.references)[:_MOST_REASONS]

    def all(self) -> list[dict[str, Any]]:
        """The orders of what is recommended, and the answers to what is asked first."""
        asked = foremost(self.decision.questions, self.table.thresholds.at_most_questions)
        return [*self.orders(), *self.answers(asked)]

    def orders(self) -> Iterator[dict[str, Any]]:
        for made in self.decision.recommendations:
            tests = made.analytes or self.table.actions[made.id].studies[:1] or (made.id,)
            label = self.phrases.order(made.id, made.analytes, made.paediatric)
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
            yield {
                "label": label,
                "uuid": self.call.uuid("order", action),
                "actions": [
                    {
                        "type": "create",
                        "description": f"{label}: {resource['code']['text']}",
                        "resource": resource,
                    }
                    for resource in resources
                ],
            }

    def answers(self, questions: Iterable[Question]) -> Iterator[dict[str, Any]]:
        """Two suggestions for each question that a click can answer."""
        day = self.decision.record.as_of
        for question in questions:
            template = self.templates.answers.get(question.id)
            if template is None:
                continue
            for answer in ("present", "absent"):
                label = self.phrases.answer(question.id, answer)
                resource = filled_answer(template, about=self.about, day=day, present=answer == "present")
                yield {
                    "label": label,
                    "uuid": self.call.uuid(f"answer-{answer}", question.id),
                    "actions": [{"type": "create", "description": label, "resource": resource}],
                }
