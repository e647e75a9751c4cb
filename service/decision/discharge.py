"""What is pending or open when an encounter ends: ordered tests and unanswered questions."""

from __future__ import annotations

from fhir_mappings.record import Record
from service.decision import Decision
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests, without_draft_orders
from service.decision.outcome import RANK, Withheld, withheld_by_order
from service.decision.questions import Question
from service.decision.table import EXAMINED, REPORTED, Table


def pending_orders(record: Record, table: Table) -> tuple[Withheld, ...]:
    """What is ordered and young enough to be waited for, whether or not a row asks for it."""
    signed = without_draft_orders(record)
    on_file = FiledTests(signed, table, facts_of(signed, table))
    pending = []
    for action in table.actions.values():
        for test in action.analytes or action.studies or (action.id,):
            order = on_file.order_for({test, action.id}, action) if action.ordered_days else None
            if order is not None:
                pending.append(withheld_by_order(action.id, (test,), order))
    return tuple(pending)


def unanswered(decision: Decision, table: Table) -> tuple[Question, ...]:
    """The questions that are worth a card of their own at the end of an encounter.

    An unexamined sign; what is not known of the twitch itself and could raise the level; and, beside a sign,
    whatever leads to critical. A symptom alone is not: few records state that it is absent, and clinicians
    ignore a card that comes at every discharge. The work-up card asks for all of them.
    """
    examined = {asked.id for asked in table.asked if asked.present == EXAMINED} | set(table.signs)
    has_sign = any(decision.facts.get(sign) in (EXAMINED, REPORTED) for sign in table.signs)

    def counts(question: Question) -> bool:
        if question.in_words:
            return RANK[question.level] > RANK[decision.level]
        return question.id in examined or (has_sign and question.level == "critical")

    return tuple(question for question in decision.questions if counts(question))
