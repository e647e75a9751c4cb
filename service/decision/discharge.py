"""What is still open when an encounter ends: results that nobody has yet, questions that nobody asked."""

from __future__ import annotations

from fhir_mappings.record import Record
from service.decision import Decision
from service.decision.facts import facts_of
from service.decision.on_file import Standing, without_draft_orders
from service.decision.outcome import RANK, Withheld, withheld_by_order
from service.decision.questions import Question
from service.decision.table import EXAMINED, REPORTED, Table


def pending_orders(record: Record, table: Table) -> tuple[Withheld, ...]:
    """What is ordered and young enough to be waited for, whether or not a row asks for it."""
    signed = without_draft_orders(record)
    standing = Standing(signed, table, facts_of(signed, table))
    pending = []
    for action in table.actions.values():
        for test in action.analytes or action.studies or (action.id,):
            order = standing.order_for({test, action.id}, action) if action.ordered_days else None
            if order is not None:
                pending.append(withheld_by_order(action.id, (test,), order))
    return tuple(pending)


def unanswered(decision: Decision, table: Table) -> tuple[Question, ...]:
    """The questions that are worth a card of their own at the end of an encounter.

    A sign that nobody looked for; what is not known of the twitch itself and could raise the level; and,
    beside a sign, whatever leads to critical. A symptom alone is not: hardly any record says of each that
    it is absent, and a card at every discharge is read by nobody. The work-up asks for all of them.
    """
    examined = {asked.id for asked in table.asked if asked.present == EXAMINED} | set(table.signs)
    has_sign = any(decision.facts.get(sign) in (EXAMINED, REPORTED) for sign in table.signs)

    def counts(question: Question) -> bool:
        if question.in_words:
            return RANK[question.level] > RANK[decision.level]
        return question.id in examined or (has_sign and question.level == "critical")

    return tuple(question for question in decision.questions if counts(question))
