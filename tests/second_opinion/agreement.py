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
    withheld = {(one.id, one.why, one.calm) for one in decision.withheld}
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
        "withheld": sorted(withheld),
        "questions": [
            {"id": question.id, "findings": sorted(question.findings), "on_card": question.on_card}
            for question in decision.questions
        ],
        "range": list(decision.span),
        "advice": [advice.id for advice in decision.self_care],
    }


def second_opinion(record: dict[str, Any], *, questions: bool) -> dict[str, Any]:
    """The second opinion without the order of what has none, and without what is only worded."""
    made = opinion(record, questions=questions)
    ordered = [{**one, "because": sorted(one["because"])} for one in made["recommendations"]]
    asked = made["questions"]
    return {
        **made,
        "recommendations": ordered,
        "withheld": sorted({(one["id"], one["why"], one["calm"]) for one in made["withheld"]}),
        "questions": asked and [{**one, "findings": sorted(one["findings"])} for one in asked],
    }


def differences(decision: Decision, record: dict[str, Any], *, questions: bool = True) -> list[str]:
    """One line for each member in which the two differ; none where they agree."""
    first, second = first_opinion(decision), second_opinion(record, questions=questions)
    found = []
    for member, value in second.items():
        other = first[member]
        if member == "withheld":
            other, value = _settled(other, value)
        if value is None or other == value:
            continue
        if member == "recommendations":
            found += _of_recommendations(other, value)
        elif member == "questions":
            apart = [
                [one for one in some if one not in every] for some, every in ((other, value), (value, other))
            ]
            found.append(f"questions: only the service {apart[0]}, only the second opinion {apart[1]}")
        else:
            found.append(f"{member}: the service says {other}, the second opinion {value}")
    return found


def _settled(*sides: list[tuple[str, str, bool]]) -> list[list[tuple[str, str, bool]]]:
    """What is left out beside another action may be done or ordered too: either reason is right."""
    beside = [{name for name, why, _ in side if why.startswith("beside")} for side in sides]
    names = [{name for name, *_ in side} for side in sides]
    either = (beside[0] & names[1]) | (beside[1] & names[0])
    return [[one for one in side if one[0] not in either] for side in sides]


def _of_recommendations(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> list[str]:
    """What differs of each action, by its id."""
    sides = [{made["id"]: made for made in some} for some in (first, second)]
    found = []
    for name in sorted({*sides[0], *sides[1]}):
        one, other = (side.get(name) for side in sides)
        if one is None or other is None:
            found.append(
                f"{name}: only the {'second opinion' if one is None else 'service'} recommends {one or other}"
            )
            continue
        found += [
            f"{name}, {member}: the service says {one[member]}, the second opinion {other[member]}"
            for member in one
            if one[member] != other[member]
        ]
    return found


def disagreements(record: Record, table: Table, *, questions: bool = True) -> list[str]:
    return differences(decide(record, table), plain(record), questions=questions)
