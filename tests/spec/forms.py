"""The published Questionnaire, responses to it, and what is decided by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fhir_mappings.record import Note, Record
from service.decision import Decision, decide
from tests.spec.records import KNOWLEDGE, as_of, condition

FORM = json.loads(
    (Path(__file__).parents[2] / "artifacts/Questionnaire-fasciculation-assessment.json").read_text()
)
ITEMS = {item["linkId"]: item for group in FORM["item"] for item in group["item"]}
OFFERED = {one["id"]: one["expansion"]["contains"] for one in FORM["contained"]}
YES, NO = OFFERED["answers"]
CLINICIAN = {"author": {"reference": "Practitioner/d"}}
TWITCH = condition("fasciculation")
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
REFERENCE = "QuestionnaireResponse/r"


def coding(name: str, display: str) -> dict[str, Any]:
    (found,) = [one for one in OFFERED[name] if one["display"] == display]
    return {"valueCoding": found}


def response(answers: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A completed response; each answer True, False, a date, a value[x] or a list of these."""
    groups = []
    for group in FORM["item"]:
        items = [
            {"linkId": item["linkId"], "answer": list(map(value_of, listed(answers[item["linkId"]])))}
            for item in group["item"]
            if item["linkId"] in answers
        ]
        groups += [{"linkId": group["linkId"], "item": items}] if items else []
    made = {
        "resourceType": "QuestionnaireResponse",
        "id": "r",
        "status": "completed",
        "questionnaire": FORM["url"],
        "subject": {"reference": "Patient/p"},
        "authored": f"{as_of(0)}T10:00:00Z",
        **CLINICIAN,
        "item": groups,
        **members,
    }
    return {name: value for name, value in made.items() if value is not None}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def value_of(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"valueCoding": YES if value else NO}
    return {"valueDate": value} if isinstance(value, str) else dict(value)


def why(notes: tuple[Note, ...], reference: str = REFERENCE) -> list[tuple[str, str | None]]:
    return [(note.why, note.expression) for note in notes if note.reference == reference]


def place(link: str) -> str:
    return f"QuestionnaireResponse.repeat(item).where(linkId='{link}').answer.value"


def decided(record: Record) -> Decision:
    return decide(record, KNOWLEDGE.table)


def outcome(record: Record) -> tuple[Any, ...]:
    """Rows, level and what is recommended, asked and known, without the places in the record."""
    decision = decided(record)
    found = {name: (f.status, f.basis, f.since, f.start, f.recorded) for name, f in record.findings.items()}
    return (
        decision.gate,
        decision.level,
        [row.id for row in decision.rows],
        [(made.id, made.urgency, made.analytes) for made in decision.recommendations],
        [question.id for question in decision.questions],
        found,
    )
