"""The documents' two-column table with one patient's values: which side each feature lies on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fhir_mappings.record import Status
from service.cards.text import duration, finding_text, joined, site_label
from service.decision import Decision
from service.decision.table import ABSENT, FALSE, TRUE, UNKNOWN
from service.knowledge import Knowledge
from service.knowledge.explained.sources import Sources

# Features whose side is computed, by the facts that say so; every other column is read off its findings.
_FEATURES = {
    "site": ("several-regions", "tongue-site"),
    "course": ("worsening", "spreading", "continuous"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the table. claims: as explained.Sources shows them. lit: the patient lies on this side."""

    says: str
    claims: tuple[dict[str, Any], ...]
    lit: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One feature. recorded: this patient's values, one a line; known: whether any is on record."""

    label: str
    recorded: tuple[str, ...]
    known: bool
    benign: Side
    disease: Side


def columns_of(decision: Decision, knowledge: Knowledge, sources: Sources) -> tuple[Column, ...]:
    """The table of that decision, its features in the order of pages.yaml."""
    return tuple(_Columns(decision, knowledge, sources).all())


class _Columns:
    def __init__(self, decision: Decision, knowledge: Knowledge, sources: Sources) -> None:
        self.decision = decision
        self.record = decision.record
        self.knowledge = knowledge
        self.sources = sources

    def all(self) -> Iterator[Column]:
        for one in self.knowledge.pages.two_columns:
            findings = self._findings(one.rows)
            # Neither side is said of a twitch that is not there.
            side = self._side(one.id, findings) if self.decision.open else UNKNOWN
            recorded = tuple(self._recorded(one.id, findings))
            label = self.knowledge.wording.maybe(f"table.rows.{one.id}.label") or one.label
            sides = (
                Side(cell.says, tuple(self.sources.shown(name) for name in cell.claims), lit)
                for cell, lit in ((one.benign, side == FALSE), (one.disease, side == TRUE))
            )
            nothing = self.knowledge.wording.say("table.not_recorded")
            yield Column(label, recorded or (nothing,), side != UNKNOWN or bool(recorded), *sides)

    def _findings(self, rows: Iterable[str]) -> list[str]:
        """The findings that one of those rows needs nothing else but: "tingling", not "weakness and ..."."""
        table = self.knowledge.table
        found = [
            term[0].variable
            for name in rows
            if (row := table.row(name)) is not None
            for term in row.terms
            if len(term) == 1 and term[0].positive
        ]
        return [name for name in dict.fromkeys(found) if name in self.knowledge.terminology.findings]

    def _side(self, name: str, findings: list[str]) -> str:
        facts = self.decision.facts
        if name == "duration":
            eyelid = facts.get("isolated-eyelid") == TRUE
            return facts.get("lasts-long-for-eyelid" if eyelid else "lasts-long", UNKNOWN)
        if name in _FEATURES:
            said = [facts.get(feature, UNKNOWN) for feature in _FEATURES[name]]
            return TRUE if TRUE in said else FALSE if FALSE in said else UNKNOWN
        status = [self.record.finding(finding).status for finding in findings]
        if Status.PRESENT in status:
            return TRUE
        known_absent = bool(findings) and all(facts.get(finding) == ABSENT for finding in findings)
        # Of a sign and what goes with it, the sign alone decides that a side is free of it.
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
                    # The line has its name already.
                    yield text if finding.id == name and len(findings) == 1 else f"{label}: {text}"
            if name not in self.knowledge.terminology.findings:
                # Illnesses that are named without deciding anything by themselves.
                for finding in self.decision.named:
                    if finding.id not in findings:
                        yield self.knowledge.terminology.findings[finding.id].label
