"""What follows from a record, without the questions: they take most of the time of a decision."""

from __future__ import annotations

from fhir_mappings.record import Record
from service.decision.facts import facts_of
from service.decision.on_file import FiledTests
from service.decision.outcome import outcome_of as outcome
from service.decision.recommendations import Outcome
from service.knowledge import load_knowledge

TABLE = load_knowledge().table


def outcome_of(record: Record) -> Outcome:
    facts = facts_of(record, TABLE)
    return outcome(FiledTests(record, TABLE, facts), facts)


def rows_of(record: Record) -> set[str]:
    """The ids of the rows that hold."""
    return {row.id for row in outcome_of(record).rows}


def exactly(record: Record, rows: str) -> None:
    """These rows hold and no other."""
    assert rows_of(record) == set(rows.split())


def recommended(record: Record) -> list[str]:
    """The ids of what is recommended, in the order of the card."""
    return [r.id for r in outcome_of(record).recommendations]
