"""The two-column table of the documents, with the values of one patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fhir_mappings.record import Status
from service.cards.text import duration, finding_text, joined, site_label
from service.decision import Decision
from service.decision.table import ABSENT, FALSE, TRUE, UNKNOWN
from service.knowledge import Knowledge
from service.knowledge.page_contents import Sources

# Features whose side follows from facts; the side of the others follows from their findings.
_FACTS = {
    "site": ("several-regions", "tongue-site"),
    "course": ("worsening", "spreading", "continuous"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the table. claims: as `Sources.shown` gives them. lit: the patient is on this side."""

    says: str
    claims: tuple[dict[str, Any], ...]
    lit: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One feature. recorded: the values of the patient. known: whether there are any."""

    label: str
    recorded: tuple[str, ...]
    known: bool
    benign: Side
    disease: Side


def columns_of(decision: Decision, knowledge: Knowledge, sources: Sources) -> tuple[Column, ...]:
    """The table of a decision, its features in the order of pages.yaml."""
    return tuple(_Columns(decision, knowledge, sources).all())


class _Columns:
    def __init__(self, decision: Decision, knowledge: Knowledge, sources: Sources) -> None:
        self.decision = decision
        self.record = decision.record
        self.knowledge = knowledge
        self.sources = sources

    def all(self) -> Iterator[Column]:
        not_recorded = self.knowledge.wording.say("table.not_recorded")
        for feature in self.knowledge.pages.two_columns:
            findings = self._findings(feature.rows)
            # Without a twitch no side applies.
            side = self._side(feature.id, findings) if self.decision.open else UNKNOWN
            recorded = tuple(self._recorded(feature.id, findings))
            label = self.knowledge.wording.maybe(f"table.rows.{feature.id}.label") or feature.label
            sides = (
                Side(cell.says, tuple(self.sources.shown(name) for name in cell.claims), lit)
                for cell, lit in ((feature.benign, side == FALSE), (feature.disease, side == TRUE))
            )
            yield Column(label, recorded or (not_recorded,), side != UNKNOWN or bool(recorded), *sides)

    def _findings(self, rows: Iterable[str]) -> list[str]:
        """The findings that make one of those rows fire by themselves: "tingling", not "weakness and ..."."""
        table = self.knowledge.table
        names = [
            term[0].variable
            for name in rows
            if (row := table.row(name)) is not None
            for term in row.terms
            if len(term) == 1 and term[0].positive
        ]
        return [name for name in dict.fromkeys(names) if name in self.knowledge.terminology.findings]

    def _side(self, name: str, findings: list[str]) -> str:
        facts = self.decision.facts
        if name == "duration":
            eyelid = facts.get("isolated-eyelid") == TRUE
            return facts.get("lasts-long-for-eyelid" if eyelid else "lasts-long", UNKNOWN)
        if name in _FACTS:
            values = [facts.get(fact, UNKNOWN) for fact in _FACTS[name]]
            return TRUE if TRUE in values else FALSE if FALSE in values else UNKNOWN
        status = [self.record.finding(finding).status for finding in findings]
        if Status.PRESENT in status:
            return TRUE
        known_absent = bool(findings) and all(facts.get(finding) == ABSENT for finding in findings)
        # The absence of the sign is enough, whatever is known of the findings that go with it.
        own = self.record.finding(name).status is Status.ABSENT
        return FALSE if known_absent or own else UNKNOWN

    def _recorded(self, name: str, findings: list[str]) -> Iterator[str]:
        wording, twitch = self.knowledge.wording, self.record.twitch
        if name == "site":
            yield from filter(None, [site_label(twitch, wording)])
        elif name == "duration":
            if self.decision.open or twitch.evidence:
                yield duration(twitch, self.record.as_of, wording)
        elif name == "course":
            yield from filter(None, [joined(sorted(twitch.courses))])
        else:
            for finding in map(self.record.finding, findings):
                if finding.evidence:
                    text = finding_text(finding, wording)
                    label = self.knowledge.terminology.findings[finding.id].label
                    # The label of the column already names a single finding.
                    yield text if finding.id == name and len(findings) == 1 else f"{label}: {text}"
            if name not in self.knowledge.terminology.findings:
                # Diseases that are named and decide nothing by themselves.
                for finding in self.decision.named:
                    if finding.id not in findings:
                        yield self.knowledge.terminology.findings[finding.id].label
