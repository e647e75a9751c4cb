"""The card of a problem that is put on the list although an examination disagrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_mappings.record import Basis, Evidence, Finding, Status
from service.cards.card import Situation
from service.cards.hook_card import HookCard
from service.cards.text import capital

_OPPOSITE = {Status.PRESENT: Status.ABSENT, Status.ABSENT: Status.PRESENT}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A finding whose new entry says one thing and an examination another. day: of the examination."""

    finding: str
    listed: Status
    day: date


def contradictions(situation: Situation) -> tuple[Contradiction, ...]:
    """The new entries that contradict an examination on file."""
    before = situation.before().record
    return tuple(
        found
        for finding in situation.decision.record.findings.values()
        if (found := _contradicted(finding, before.finding(finding.id), before.as_of))
    )


def contradiction_cards(situation: Situation) -> list[dict[str, Any]]:
    """The card, or none where the new problem agrees with what was examined."""
    found = contradictions(situation) if situation.decision.open else ()
    return [_ContradictionCard(situation, found).card()] if found else []


def _contradicted(now: Finding, before: Finding, as_of: date) -> Contradiction | None:
    """An entry that an examination of its day or later contradicts: after an older one it may be new."""
    old = {(evidence.reference, evidence.expression) for evidence in before.evidence}
    for entry in now.evidence:
        opposite = _OPPOSITE.get(entry.status)
        if opposite is None or entry.history or (entry.reference, entry.expression) in old:
            continue
        days = [e.day for e in before.evidence if e.day and _is_examined(e, opposite)]
        if days and max(days) >= (entry.day or as_of):
            return Contradiction(now.id, entry.status, max(days))
    return None


def _is_examined(evidence: Evidence, status: Status) -> bool:
    return evidence.status is status and evidence.basis is Basis.EXAMINED and not evidence.history


class _ContradictionCard(HookCard):
    """Writes the card: nothing else is advised before the contradiction is settled, but what cannot wait."""

    def __init__(self, situation: Situation, found: tuple[Contradiction, ...]) -> None:
        super().__init__(situation)
        self.found = found

    def card(self) -> dict[str, Any]:
        lines = [self._says(one) for one in self.found]
        return self.framed(
            summary=[(line,) for line in lines],
            level="info" if self.decision.level == "critical" else self.decision.level,
            actions=[self.say("open_ends.contradicts_says", contradictions="; ".join(lines))],
            rows=self.decision.rows,
            suggestions=list(self._suggestions()),
        )

    def _suggestions(self) -> Iterator[dict[str, Any]]:
        yield from self.urgent_orders()

    def _says(self, one: Contradiction) -> str:
        place = "present" if one.listed is Status.PRESENT else "absent"
        finding = capital(self._label(one))
        return self.say(f"open_ends.contradicts_{place}", finding=finding, date=self.day(one.day))

    def _label(self, one: Contradiction) -> str:
        return self.terminology.findings[one.finding].label
