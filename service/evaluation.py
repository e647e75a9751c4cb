"""From a submission to cards: the whole service in one function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_mappings.request.hook_call import without_context
from fhir_mappings.resources.submission import Submission
from fhir_mappings.to_findings import record_of
from service.assessment import assessment_of
from service.cards import Call, Situation, cards_to, matters
from service.cards.card_ids import CardIds
from service.decision import Decision, decide
from service.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class Answer:
    """cards: CDS Hooks cards. assessment: why, as plain JSON. decision: what both were made of.

    gate: see `Decision.gate`; "no-matter" where the context brings nothing that the table reads.
    """

    cards: list[dict[str, Any]]
    assessment: dict[str, Any]
    gate: str
    decision: Decision


def answer(
    submission: Submission,
    knowledge: Knowledge,
    as_of: date,
    *,
    base_url: str,
    hook_instance: str,
    encounter_id: str | None = None,
    cards: str = "work-up",
    ids: CardIds | None = None,
    assessed: bool = True,
) -> Answer:
    """Cards and assessment of one patient on that day.

    cards: which kind of them, as hooks.yaml says. ids: sign those of the cards. assessed: somebody reads the
    assessment; else it is left empty.

    Raises PatientError where the submission is not about one patient.
    """

    def decided(submission: Submission) -> Decision:
        record = record_of(submission, knowledge.terminology, as_of, knowledge.reading)
        return decide(record, knowledge.table)

    decision = decided(submission)
    patient = decision.record.patient
    subject = f"Patient/{patient.id}" if patient.id else patient.reference
    call = Call(hook_instance, base_url, subject, encounter_id, ids or CardIds(), knowledge.version)
    situation = Situation(decision, lambda: decided(without_context(submission)), knowledge, call)
    gate = decision.gate if matters(cards, situation) else "no-matter"
    assessment = assessment_of(decision, knowledge) if assessed else {}
    return Answer(cards_to(cards, situation), assessment, gate, decision)
