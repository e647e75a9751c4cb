"""The decision about a record by the decision table. Pure: no clock, no network."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_mappings.record import Finding, Record, Status
from service.decision.facts import facts_of, named_findings
from service.decision.on_file import FiledTests
from service.decision.questions import Inquiry, Question
from service.decision.recommendations import Outcome, Recommendation, Withheld
from service.decision.result_facts import present
from service.decision.table import PRESENT, TRUE, ActionRole, Advice, Facts, Row, RowRole, Table

__all__ = ["Decision", "Recommendation", "Withheld", "decide", "gate_of"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything decided about one record, and why.

    gate: why no card is given ("" = the gate is open): "no-twitch", "unseen" (no twitch, and a list was not
    supplied), "unread" (no twitch, and an entry that may be one is invalid), "deceased" or "known-disease".
    span: the lowest and highest level over the signs that are unknown. named: diagnoses to mention.
    """

    record: Record
    facts: Facts
    gate: str
    level: str
    span: tuple[str, str]
    rows: tuple[Row, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    questions: tuple[Question, ...] = ()
    self_care: tuple[Advice, ...] = ()
    named: tuple[Finding, ...] = ()
    suspected: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        return not self.gate

    @property
    def examined_normal(self) -> bool:
        """Weakness, wasting and sensory loss are all absent on examination."""
        return self.facts.get("examined-normal") == TRUE

    def fired(self, row: str) -> bool:
        return any(r.id == row for r in self.rows)

    def has(self, role: RowRole) -> bool:
        """Whether a row of that role fires."""
        return bool([row for row in self.rows if role in row.roles])


def decide(record: Record, table: Table) -> Decision:
    """The decision for that record on its day (`record.as_of`)."""
    gate = gate_of(record, table)
    if gate:
        return Decision(record, {}, gate, "none", ("none", "none"))
    facts = facts_of(record, table)
    inquiry = Inquiry(FiledTests(record, table, facts), facts)
    now = inquiry.now
    return Decision(
        record=record,
        facts=facts,
        gate="",
        level=now.level,
        span=inquiry.span(),
        rows=now.rows,
        recommendations=now.recommendations,
        withheld=now.withheld,
        questions=inquiry.questions(),
        self_care=_self_care(table, now, facts),
        named=named_findings(record, table),
        suspected=tuple(
            name for name in table.closes_gate if (finding := present(record, name)) and finding.suspected
        ),
    )


def gate_of(record: Record, table: Table) -> str:
    """`Decision.gate`. It rests on the patient, Conditions and Observations of findings alone."""
    if record.patient.deceased:
        return "deceased"
    for name in table.closes_gate:
        finding = present(record, name)
        if finding is not None and not finding.suspected:
            return "known-disease"
    if record.twitch.status is Status.PRESENT:
        return ""
    unseen = {"conditions", "findings"} & set(record.not_seen)
    if unseen:
        return "unseen"
    return "unread" if record.unread else "no-twitch"


def _self_care(table: Table, now: Outcome, facts: Facts) -> tuple[Advice, ...]:
    action = table.action_for(ActionRole.SELF_CARE).id
    if action not in [made.id for made in now.recommendations]:
        return ()
    triggered = tuple(
        advice
        for advice in table.self_care
        if advice.trigger is not None
        and facts.get(advice.trigger) in PRESENT
        and not (advice.unless and advice.unless(facts))
    )
    return triggered or tuple(advice for advice in table.self_care if advice.trigger is None)
