"""Orders whose results nobody has yet."""

from __future__ import annotations

from dataclasses import replace

from fhir_mappings.findings import Record
from service.decision.facts import facts_of
from service.decision.outcome import Withheld
from service.decision.standing import Standing
from service.decision.table import Table


def pending_orders(record: Record, table: Table) -> tuple[Withheld, ...]:
    """What is ordered and young enough to be waited for, whether or not a row asks for it."""
    signed = replace(record, orders=tuple(order for order in record.orders if not order.draft))
    standing = Standing(signed, table, facts_of(signed, table))
    found = []
    for action in table.actions.values():
        for test in action.analytes or action.studies or (action.id,):
            order = standing.order_for({test, action.id}, action) if action.ordered_days else None
            if order is not None:
                found.append(
                    Withheld(action.id, "ordered", (), (test,), order.day, order.reference, order.priority)
                )
    return tuple(found)
