"""Notes above the rule: a likely local cause, and a sign that stands on the list and was not found."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fhir_mappings.record import Basis, Finding, Status
from service.cards.own_words import recorded_label
from service.cards.spans import day_month
from service.cards.text import capital, finding_name, joined
from service.decision import Decision
from service.decision.table import Row, RowRole, true_terms
from service.knowledge import Knowledge


def notes_of(decision: Decision, knowledge: Knowledge, said: Collection[str] = frozenset()) -> Iterator[str]:
    """The notes of one decision, as sentences. said: the signs that the card names already."""
    record, wording = decision.record, knowledge.wording
    for row in decision.rows:
        causes = local_causes(row, decision, knowledge)
        if causes:
            names = joined(recorded_label(cause, knowledge.terminology, wording) for cause in causes)
            yield wording.say(f"notes.{row.id}", names=names)
    for name in knowledge.table.signs:
        finding = record.findings.get(name)
        if finding is not None and finding.status is Status.ABSENT and name not in said:
            yield from _not_found(finding, decision, knowledge)


def local_causes(row: Row, decision: Decision, knowledge: Knowledge) -> list[Finding]:
    """The diagnoses that a row names above the rule: those by which it fires."""
    if RowRole.NAMED not in row.roles or f"notes.{row.id}" not in knowledge.wording.texts:
        return []
    names = dict.fromkeys(
        literal.variable for term in true_terms(row.terms, decision.facts) for literal in term
    )
    findings = [decision.record.finding(name) for name in names if name in knowledge.terminology.findings]
    return [finding for finding in findings if finding.status is Status.PRESENT]


def _not_found(finding: Finding, decision: Decision, knowledge: Knowledge) -> Iterator[str]:
    """Weakness listed 25 May, none found 15 Jun: settle which is right."""
    if finding.basis is not Basis.EXAMINED or finding.recorded is None:
        return
    listed = [
        e
        for e in finding.evidence
        if e.status is Status.PRESENT and e.basis is Basis.LISTED and not e.history
    ]
    if not listed:
        return
    as_of, wording = decision.record.as_of, knowledge.wording
    days = [evidence.day for evidence in listed if evidence.day is not None]
    label = capital(finding_name(finding.id, knowledge.terminology, wording))
    examined = day_month(finding.recorded, as_of, wording)
    if days:
        day = day_month(max(days), as_of, wording)
        yield wording.say("notes.not_found", finding=label, listed=day, examined=examined)
    else:
        yield wording.say("notes.not_found_undated", finding=label, examined=examined)
