"""Where the two implementations differ on one record."""

from __future__ import annotations

from typing import Any

from fhir_mappings.record import Record
from service.decision import Decision, decide
from service.decision.table import Table
from tests.second_opinion.opinion import opinion
from tests.second_opinion.plain import plain


def first_opinion(decision: Decision) -> dict[str, Any]:
    """A decision of the service in the members of the second opinion."""
    return {
        "gate": decision.gate,
        "level": decision.level,
        "rows": [row.id for row in decision.rows],
        "recommendations": [
            {
                "id": made.id,
                "urgent": made.urgent,
                "because": list(made.because),
                "analytes": list(made.analytes),
                "paediatric": made.paediatric,
                "routine_order": plain(made.routine_order),
            }
            for made in decision.recommendations
        ],
        "withheld": _withheld(decision),
        "questions": [question.id for question in decision.questions],
        "advice": [advice.id for advice in decision.self_care],
        "range": list(decision.span),
    }


def _withheld(decision: Decision) -> list[dict[str, Any]]:
    """The service names each test of an action apart, with its date; here they stand together."""
    found: dict[tuple[str, str], list[str]] = {}
    for withheld in decision.withheld:
        found.setdefault((withheld.id, withheld.kind), []).extend(withheld.tests)
    return [{"id": name, "kind": kind, "tests": tests} for (name, kind), tests in sorted(found.items())]


def disagreements(record: Record, table: Table, *, questions: bool = True) -> list[str]:
    """One line for each member in which the two differ; none where they agree."""
    return differences(decide(record, table), questions=questions)


def differences(decision: Decision, *, questions: bool = True) -> list[str]:
    """The same for a decision that is made."""
    first, second = first_opinion(decision), opinion(decision.record, questions=questions)
    return [
        f"{member}: the service says {first[member]}, the second opinion {second[member]}"
        for member in second
        if second[member] is not None and first[member] != second[member]
    ]
