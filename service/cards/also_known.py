"""Diseases to know of that change no level, each once: the line "Also" below the rule of a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_mappings.record import Evidence, Finding, Status
from service.cards.escaping import escaped, short_name
from service.cards.notes import local_causes
from service.cards.own_words import recorded_label
from service.cards.spans import recorded_as
from service.cards.text import capital, counted
from service.decision import Decision
from service.decision.table import RowRole
from service.knowledge import Knowledge

_MOST_NAMES = 8


class AlsoKnown:
    """Names the diseases of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.record = decision.record
        self.as_of = decision.record.as_of
        self.knowledge = knowledge
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say

    def texts(self) -> list[str]:
        """Diseases to know of, without a change of level; of several names for one entry the first."""
        findings = self.terminology.findings
        # What is acute now, and a local cause, stand above the rule.
        acute = [f for f in self.record.findings.values() if f.id in findings and findings[f.id].acute]
        said = [finding for finding in acute if finding.status is Status.PRESENT]
        said += [f for row in self.decision.rows for f in local_causes(row, self.decision, self.knowledge)]
        seen: set[tuple[str, str]] = set().union(*map(_entries, said))
        names: list[str] = []
        for finding in self._named_findings():
            entries = _entries(finding)
            if not entries or not entries <= seen:
                names.append(self._named(finding))
            seen |= entries
        for finding in self._earlier():
            if not _entries(finding) <= seen:
                names.append(self._history(finding))
        return [counted(_capitals(names), _MOST_NAMES, self.wording)] if names else []

    def _named_findings(self) -> Iterator[Finding]:
        """The special before the general, which the same entry records too."""
        named = list(self.decision.named)
        for row in self.decision.rows:
            if RowRole.NAMED in row.roles:
                named += [
                    self.record.finding(name)
                    for name in row.reads
                    if name in self.terminology.findings
                    and self.record.finding(name).status is Status.PRESENT
                ]
        general = self.wording.own_words
        past = Status.UNKNOWN
        yield from sorted(named, key=lambda f: (f.status is past, len(_entries(f)), f.id not in general))

    def _earlier(self) -> Iterator[Finding]:
        for finding in self.record.findings.values():
            if finding.status is Status.UNKNOWN and finding.id not in self.table.asked and _old(finding):
                yield finding

    def _history(self, finding: Finding) -> str:
        newest = max(_old(finding), key=lambda e: str(e.day or ""))
        return self.say(
            "below.history",
            finding=recorded_label(finding, self.terminology, self.wording),
            when=recorded_as(newest.basis, newest.day, self.as_of, self.wording),
        )

    def _named(self, finding: Finding) -> str:
        """The name of a finding; of the family's, who has which disease as the record writes it."""
        definition = self.terminology.findings.get(finding.id)
        if definition is None or definition.kind != "family":
            return recorded_label(finding, self.terminology, self.wording)
        texts = dict.fromkeys(e.text for e in finding.evidence if e.used and e.text)
        relatives = counted([escaped(short_name(text)) for text in texts], 2, self.wording)
        return f"{definition.label} ({relatives})" if relatives else definition.label


def _capitals(names: Sequence[str]) -> list[str]:
    """The names, the first with a capital letter."""
    return [capital(names[0]), *names[1:]] if names else []


def _entries(finding: Finding) -> set[tuple[str, str]]:
    """Where the record says that it is or was present."""
    return {(e.reference, e.expression) for e in finding.evidence if e.status is Status.PRESENT}


def _old(finding: Finding) -> list[Evidence]:
    return [e for e in finding.evidence if e.history and e.status is Status.PRESENT]
