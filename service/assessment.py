"""The assessment: a decision with its reasons, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_mappings.record import Basis, Days, Finding, Note, Order, Record, Status, Twitch
from fhir_mappings.to_findings.unknown_codes import Unknown
from service.decision import Decision
from service.decision.on_file import newest_orders
from service.decision.questions import AnswerOutcome, Question
from service.decision.result_facts import band_today
from service.knowledge import Knowledge

# A text is repeated for each finding that its codes mean, for each result, medicine and order.
_LONGEST_TEXT_CHARACTERS = 4000


def assessment_of(decision: Decision, knowledge: Knowledge, unknown: Unknown) -> dict[str, Any]:
    """The decision and its reasons; members without a value are left out."""
    record = decision.record
    return {
        "asOf": record.as_of.isoformat(),
        "patient": record.patient.id,
        "knowledgeVersion": knowledge.version,
        "level": decision.level,
        "gate": {"open": decision.open, "reason": knowledge.wording.say(f"gate.{decision.gate or 'open'}")},
        "range": list(decision.span),
        "findings": _findings(record, knowledge),
        "drugs": [
            {
                "name": _text(drug.name),
                "classes": sorted(drug.classes),
                "plausible": drug.plausible.value,
                "why": _text(drug.why),
                "reference": drug.reference,
            }
            for drug in record.drugs
        ],
        "results": [
            _without_none(
                {
                    "analyte": result.analyte,
                    "value": _text(result.text),
                    "unit": _text(result.unit),
                    "date": _day(result.day),
                    "flag": _text(result.flag),
                    "band": band_today(result, knowledge.table, record.as_of).value,
                    "kind": result.kind or None,
                    "preliminary": result.preliminary or None,
                    "reference": result.reference,
                }
            )
            for result in record.results
        ],
        "orders": [
            _without_none(
                {
                    "test": test,
                    "date": _day(order.day),
                    "status": _text(order.status),
                    "priority": _text(order.priority),
                    "reference": order.reference,
                }
            )
            for test, order in sorted(newest_orders(record).items())
        ],
        "studies": [
            _without_none({"id": s.id, "date": _day(s.day), "reference": s.reference}) for s in record.studies
        ],
        "rows": [{"id": row.id, "claims": list(row.claims), "reading": row.reading} for row in decision.rows],
        "recommendations": [
            _without_none(
                {
                    "id": r.id,
                    "urgency": r.urgency,
                    "because": list(r.because),
                    "analytes": list(r.analytes),
                    "findings": list(r.findings) or None,
                    "results": [result.reference for result in r.results] or None,
                    "ordered": _order(r.too_low),
                }
            )
            for r in decision.recommendations
        ],
        "withheld": [
            _without_none(
                {
                    "id": w.id,
                    "why": w.why,
                    "tests": list(w.tests) or None,
                    "date": _day(w.day),
                    "reference": w.reference or None,
                }
            )
            for w in decision.withheld
        ],
        # An old sign that is to be examined is asked about by two questions.
        "questions": list(
            {one["finding"]: one for question in decision.questions for one in _questions(question)}.values()
        ),
        "notUsed": [{"reference": note.reference, "why": note.why} for note in record.not_used],
        "notUnderstood": [note_of(note) for note in record.not_understood],
        "notSeen": list(record.not_seen),
        "unknownCodes": unknown.rows(),
    }


def _findings(record: Record, knowledge: Knowledge) -> list[dict[str, Any]]:
    twitch = [_twitch(record.twitch)] if record.twitch.evidence else []
    asked = knowledge.table.asked.keys()
    ids = sorted(asked | {f.id for f in record.findings.values() if f.evidence})
    return twitch + [_finding(record.finding(name)) for name in ids if name != "fasciculation"]


def _twitch(twitch: Twitch) -> dict[str, Any]:
    return _without_none(
        {
            "id": "fasciculation",
            "status": twitch.status.value,
            "basis": Basis.REPORTED.value if twitch.in_words else None,
            "value": ", ".join(sorted({s.id for s in twitch.sites} | set(twitch.courses))) or None,
            "since": _since(twitch.onset),
            "conflict": False,
            "evidence": _evidence(twitch),
        }
    )


def _finding(finding: Finding) -> dict[str, Any]:
    return _without_none(
        {
            "id": finding.id,
            "status": finding.status.value,
            "basis": finding.basis.value if finding.basis and finding.status is not Status.UNKNOWN else None,
            "since": _since(finding.since),
            "conflict": finding.conflict,
            "suspected": finding.suspected or None,
            "evidence": _evidence(finding),
        }
    )


def _evidence(owner: Finding | Twitch) -> list[dict[str, Any]]:
    return [
        _without_none(
            {
                "reference": e.reference,
                "expression": e.expression,
                "text": _text(e.text),
                "status": e.status.value,
                "date": _day(e.day),
                "used": e.used,
            }
        )
        for e in owner.evidence
    ]


def _questions(question: Question) -> Iterator[dict[str, Any]]:
    """One entry for each finding that it asks about; one for a question that is answered in words."""
    if question.in_words:
        yield {
            "finding": question.id,
            "ifPresent": _answer(question.highest),
            "ifAbsent": _answer(question.lowest),
            "answers": [_answer(answer) for answer in question.answers],
        }
    for name in question.findings:
        answers = {answer.present: answer for answer in question.answers if answer.finding == name}
        yield {"finding": name, "ifPresent": _answer(answers[True]), "ifAbsent": _answer(answers[False])}


def _answer(answer: AnswerOutcome) -> dict[str, Any]:
    return {
        "answer": answer.says,
        "level": answer.outcome.level,
        "recommendations": [r.id for r in answer.outcome.recommendations],
    }


def _order(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    return _without_none(
        {"date": _day(order.day), "priority": _text(order.priority), "reference": order.reference or None}
    )


def note_of(note: Note) -> dict[str, Any]:
    """A note of the assessment as plain JSON."""
    return _without_none({"reference": note.reference, "expression": note.expression, "why": note.why})


def _since(days: Days) -> dict[str, Any] | None:
    if not days.known:
        return None
    return _without_none({"earliest": _day(days.earliest), "latest": _day(days.latest)})


def _text(text: str | None) -> str | None:
    """A text of the record, of which no more is repeated."""
    return text and text[:_LONGEST_TEXT_CHARACTERS]


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
