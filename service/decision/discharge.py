"""What is pending or unanswered when an encounter ends: ordered tests and questions."""

from __future__ import annotations

from fhir_mappings.record import Order
from service.decision import Decision, Recommendation
from service.decision.questions import Question
from service.decision.recommendations import RANK
from service.decision.result_facts import days_between
from service.decision.table import ASK, ORDER, RESULT, ROUTINE, Table


def pending_orders(decision: Decision, table: Table) -> tuple[Order, ...]:
    """The open orders of the table's tests, young enough to be waited for, whether or not a row asks."""
    record = decision.record

    def awaited(order: Order) -> bool:
        return not order.draft and any(
            action.ordered_days is not None
            and order.day is not None
            and days_between(order.day, record.as_of) <= action.ordered_days
            and not order.tests.isdisjoint({action.id, *action.analytes, *action.studies})
            for action in table.actions.values()
        )

    return tuple(order for order in record.orders if awaited(order))


def to_do(decision: Decision, table: Table) -> tuple[Recommendation, ...]:
    """An examination that is missing, and the routine orders that nothing makes yet.

    At level info tests are offered, not needed: no reason to stop a discharge.
    """
    kinds = (ASK,) if decision.level == "info" else (ASK, ORDER, RESULT)
    return tuple(
        made
        for made in decision.recommendations
        if made.urgency == ROUTINE and table.actions[made.id].kind in kinds
    )


def unanswered(decision: Decision) -> tuple[Question, ...]:
    """The questions of a card, those in words only where an answer raises the level.

    Few records state the course of a twitch: a card at every discharge would be ignored. The work-up card
    asks for it.
    """

    def counts(question: Question) -> bool:
        highest = max(RANK[answer.outcome.level] for answer in question.answers)
        return not question.in_words or highest > RANK[decision.level]

    return tuple(question for question in decision.questions if question.on_card and counts(question))
