"""What is recommended, missing and withheld for a patient; for the tests of section 4."""

from __future__ import annotations

from typing import Any

from fhir_mappings.record import Order, Record
from service.decision import Decision, Recommendation, Withheld, decide
from service.knowledge import load_knowledge
from tests.knowledge.patients import days_ago, record_of_example, result

TABLE = load_knowledge().table
ELECTROLYTES = ("sodium", "potassium", "calcium", "magnesium")
NORMAL = {"weakness": "absent", "atrophy": "absent", "sensory-loss": "absent"}


def patient(**given: Any) -> Record:
    return record_of_example({name.replace("__", "-"): said for name, said in given.items()})


def made(record: Record, action: str) -> Recommendation | None:
    return next((r for r in decide(record, TABLE).recommendations if r.id == action), None)


def recommended(record: Record) -> dict[str, str]:
    """recommendation id -> urgency."""
    return {r.id: r.urgency for r in decide(record, TABLE).recommendations}


def missing(record: Record, action: str = "electrolytes") -> tuple[str, ...]:
    found = made(record, action)
    return () if found is None else found.analytes


def withheld(decision: Decision) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(w.id, w.why, w.tests) for w in decision.withheld}


def of(decision: Decision, action: str) -> Withheld:
    (found,) = [w for w in decision.withheld if w.id == action]
    return found


def in_range(days: int) -> tuple[Any, ...]:
    return tuple(result(a, "in-range", days) for a in (*ELECTROLYTES, "tsh"))


def an_order(test: str, days: int | None, priority: str | None = None) -> Order:
    return Order(
        frozenset({test}), None if days is None else days_ago(days), priority, reference="ServiceRequest/1"
    )
