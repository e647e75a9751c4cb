"""What one click does: propose an order, or record the answer to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_mappings.from_actions import fillable, filled_answer, filled_order
from fhir_mappings.terminology import Terminology
from service.card_ids import CardIds, id_of
from service.decision import Decision, Recommendation
from service.decision.questions import Question, foremost
from service.decision.table import Table
from service.knowledge.templates import Templates
from service.knowledge.wording import Wording

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


def suggestions_of(
    decision: Decision,
    table: Table,
    terminology: Terminology,
    wording: Wording,
    templates: Templates,
    call: Call,
) -> list[dict[str, Any]]:
    """CDS Hooks suggestions: one per order, two per yes/no question that the card shows."""
    orders = [
        suggestion
        for recommendation in decision.recommendations
        if (suggestion := _order(recommendation, decision, table, wording, templates, terminology, call))
    ]
    asked = foremost(decision.questions, table.thresholds.at_most_questions)
    return [*orders, *answers_to(asked, decision, terminology, wording, templates, call)]


def _order(
    recommendation: Recommendation,
    decision: Decision,
    table: Table,
    wording: Wording,
    templates: Templates,
    terminology: Terminology,
    call: Call,
) -> dict[str, Any] | None:
    action = table.actions[recommendation.id]
    names = ", ".join(
        terminology.analytes[a].label for a in recommendation.analytes if a in terminology.analytes
    )
    label = wording.maybe(f"actions.{action.id}.order", analytes=names)
    if recommendation.paediatric:
        label = wording.maybe(f"actions.{action.id}.paediatric") or label
    tests = recommendation.analytes or action.studies[:1] or (action.id,)
    uuid = call.uuid("order", action.id)
    return order_of(tests, label, uuid, decision, templates, call, urgent=recommendation.urgent)


def order_of(
    tests: Sequence[str],
    label: str,
    uuid: str,
    decision: Decision,
    templates: Templates,
    call: Call,
    *,
    urgent: bool,
) -> dict[str, Any] | None:
    """One suggestion that orders all those tests; None where none of them can be ordered."""
    resources = [
        filled_order(
            templates.orders[test],
            subject=call.subject,
            encounter=call.encounter,
            reasons=[r for r in decision.record.twitch.references if fillable(r)][:_MOST_REASONS],
            urgent=urgent,
        )
        for test in tests
        if test in templates.orders
    ]
    if not resources:
        return None
    return {
        "label": label,
        "uuid": uuid,
        "actions": [
            {"type": "create", "description": f"{label}: {resource['code']['text']}", "resource": resource}
            for resource in resources
        ],
    }


def answers_to(
    questions: Iterable[Question],
    decision: Decision,
    terminology: Terminology,
    wording: Wording,
    templates: Templates,
    call: Call,
) -> Iterator[dict[str, Any]]:
    """Two suggestions for each question that a click can answer."""
    for question in questions:
        template = templates.answers.get(question.id)
        if template is None:
            continue
        name = terminology.findings[question.id].label
        for answer in ("present", "absent"):
            label = wording.say(
                "question.label", finding=name[:1].upper() + name[1:], answer=wording.say(f"status.{answer}")
            )
            yield {
                "label": label,
                "uuid": call.uuid(f"answer-{answer}", question.id),
                "actions": [
                    {
                        "type": "create",
                        "description": label,
                        "resource": filled_answer(
                            template,
                            subject=call.subject,
                            encounter=call.encounter,
                            day=decision.record.as_of,
                            present=answer == "present",
                        ),
                    }
                ],
            }
