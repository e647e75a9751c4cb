"""From a submission to cards: the whole service in one function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_mappings.located import Submission
from fhir_mappings.to_findings import record_of
from service.assessment import assessment_of
from service.cards import Call, cards_of
from service.decision import decide
from service.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Answer:
    """cards: CDS Hooks cards. assessment: why, as plain JSON. gate: see `Decision.gate`."""

    cards: list[dict[str, Any]]
    assessment: dict[str, Any]
    gate: str


def answer(
    submission: Submission,
    knowledge: Knowledge,
    as_of: date,
    *,
    base_url: str,
    hook_instance: str,
    encounter_id: str | None = None,
) -> Answer:
    """Cards and assessment of one patient on that day.

    Raises PatientError where the submission is not about one patient.
    """
    record = record_of(submission, knowledge.terminology, as_of, knowledge.reading)
    decision = decide(record, knowledge.table)
    patient = record.patient
    subject = f"Patient/{patient.id}" if patient.id else patient.reference
    call = Call(hook_instance, base_url, subject, encounter_id)
    return Answer(cards_of(decision, knowledge, call), assessment_of(decision, knowledge), decision.gate)
