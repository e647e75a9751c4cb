"""Where the two implementations differ on one patient."""

from __future__ import annotations

from typing import Any

from fhir_mappings.record import Record
from service.decision import Decision, decide
from service.decision.table import Table
from tests.second_opinion.opinion import opinion
from tests.second_opinion.plain import plain


def first_opinion(decision: Decision) -> dict[str, Any]:
    """A decision of the service in the members of the second opinion."""
    withheld: dict[tuple[str, str], dict[str, Any]] = {}
    for one in decision.withheld:
        made = withheld.setdefault((one.id, one.why), {"id": one.id, "why": one.why, "tests": [], "calm": False})
        made["tests"] = sorted({*made["tests"], *one.tests})
        made["calm"] = made["calm"] or one.calm
    return {
        "gate": decision.gate,
        "level": decision.level,
        "rows": [row.id for row in decision.rows],
        "recommendations": [
            {
                "id": made.id,
                "urgency": made.urgency,
                "because": sorted(made.because),
                "analytes": list(made.analytes),
                "paediatric": made.paediatric,
                "consider": made.consider,
                "too_low": made.too_low and made.too_low.reference,
                "weeks": made.weeks,
                "results": sorted({(result.analyte, result.reference) for result in made.results}),
                "findings": sorted(made.findings),
                "drugs": sorted({drug.name for drug in made.drugs}),
                "in_hand": made.in_hand,
            }
            for made in sorted(decision.recommendations, key=lambda made: made.id)
        ],
        "withheld": [withheld[key] for key in sorted(withheld)],
        "questions": [{"id": question.id, "on_card": question.on_card} for question in decision.questions],
        "range": list(decision.span),
        "advice": [advice.id for advice in decision.self_care],
    }


def second_opinion(record: dict[str, Any], *, questions: bool) -> dict[str, Any]:
    """The second opinion without the order of what has none, and without what is only worded."""
    made = opinion(record, questions=questions)
    ordered = [{**one, "because": sorted(one["because"])} for one in made["recommendations"]]
    # Tests that are studies or referrals are named differently by the two: the action says it all.
    asked = made["questions"]
    return {
        **made,
        "recommendations": ordered,
        "questions": asked and [{"id": one["id"], "on_card": one["on_card"]} for one in asked],
    }


def differences(decision: Decision, record: dict[str, Any], *, questions: bool = True) -> list[str]:
    """One line for each member in which the two differ; none where they agree."""
    first, second = first_opinion(decision), second_opinion(record, questions=questions)
    found = []
    for member, value in second.items():
        other = first[member]
        if member == "withheld":
            other, value = ({(one["id"], one["why"]) for one in some} for some in (other, value))
        if value is not None and other != value:
            found.append(f"{member}: the service says {other}, the second opinion {value}")
    return found


def disagreements(record: Record, table: Table, *, questions: bool = True) -> list[str]:
    return differences(decide(record, table), plain(record), questions=questions)
