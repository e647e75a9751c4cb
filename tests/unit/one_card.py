"""The one card of a record, and the records of the table's examples."""

from __future__ import annotations

from typing import Any

from fhir_mappings.record import Record
from service.cards import Call, cards_of
from service.decision import Decision, decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import record_of_example

KNOWLEDGE = load_knowledge()
CALL = Call("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "https://cds.example", "Patient/p", "e1")

ABSENT = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}
# Only those whose gate is open.
RECORDS: list[Record] = [
    record
    for row in KNOWLEDGE.table.rows
    for example in row.examples
    if decide(record := record_of_example(example.given), KNOWLEDGE.table).open
]
GRAVE = {"weakness": "examined", "atrophy": "examined", "onset_days_ago": 100, "sites": ["hand"]}


def decided(record: Record) -> Decision:
    return decide(record, KNOWLEDGE.table)


def card(record: Record, call: Call = CALL) -> dict[str, Any]:
    (only,) = cards_of(decided(record), KNOWLEDGE, call)
    return only
