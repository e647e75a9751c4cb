"""The table of a card: recorded features against the two columns of the documents."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.findings import Basis, Finding, Status
from fhir_mappings.terminology import Terminology
from service.cards.escaping import escaped
from service.cards.facets import capital, duration, joined, site_label
from service.decision import Decision
from service.decision.table import FALSE, TRUE, UNKNOWN, Facts, Table
from service.knowledge.wording import Wording

_SIGNS = ("weakness", "atrophy", "sensory-loss")


class Features:
    """Writes the table of one decision."""

    def __init__(self, decision: Decision, table: Table, terminology: Terminology, wording: Wording) -> None:
        self.decision = decision
        self.record = decision.record
        self.table = table
        self.terminology = terminology
        self.wording = wording
        self.say = wording.say

    def rows(self) -> Iterator[str]:
        """The recorded features against the documents' two columns."""
        say = self.say
        yield (
            f"| {say('table.feature')} | {say('table.recorded')} | {say('table.reassuring')} "
            f"| {say('table.evaluate')} |"
        )
        yield "|---|---|---|---|"
        twitch, facts = self.record.twitch, self.decision.facts
        site = site_label(twitch, self.wording) or say("table.not_recorded")
        yield self.feature("site", site, _either(facts, "widespread", "tongue-site"))
        lasting = duration(twitch, self.record.as_of, self.wording)
        for text in twitch.onset_texts:
            lasting += "; " + say("table.as_written", text=escaped(text))
        if twitch.not_seen_lately:
            lasting += "; " + say("table.not_seen_lately")
        eyelid = facts.get("isolated-eyelid") == TRUE
        yield self.feature("duration", lasting, facts.get("eyelid-long" if eyelid else "persistent", UNKNOWN))
        course = joined(sorted(twitch.courses)) or say("table.not_recorded")
        yield self.feature("course", course, _either(facts, "worsening", "spreading"))
        absent: list[str] = []
        for name in [*_SIGNS, *(f for f in self._other_findings() if f not in _SIGNS)]:
            finding = self.record.finding(name)
            if finding.status is Status.ABSENT and name not in _SIGNS and not finding.conflict:
                absent.append(self.terminology.findings[name].label)
                continue
            fact = {Status.PRESENT: TRUE, Status.ABSENT: FALSE}.get(finding.status, UNKNOWN)
            yield self.feature(name, self.finding_text(finding), fact)
        if absent:
            # What was looked for and not found takes one line, not one each.
            names = say("table.absent", findings=joined(absent))
            both = f"**{say('status.absent')}** | {say('status.present')}"
            yield f"| {say('table.others')} | {names} | {both} |"

    def _other_findings(self) -> list[str]:
        """Asked findings beyond the three signs about which something is recorded, present ones first."""
        recorded = [f for f in (self.record.finding(a.id) for a in self.table.asked) if f.evidence]
        return [f.id for f in sorted(recorded, key=lambda f: f.status is not Status.PRESENT)]

    def feature(self, name: str, recorded: str, fact: str) -> str:
        """One row of the table; the column it falls into is bold."""
        label = self.wording.maybe(f"table.rows.{name}.label")
        if not label:
            label = capital(self.terminology.findings[name].label)
            reassuring, evaluate = self.say("status.absent"), self.say("status.present")
        else:
            reassuring = self.say(f"table.rows.{name}.reassuring")
            evaluate = self.say(f"table.rows.{name}.evaluate")
        reassuring = f"**{reassuring}**" if fact == FALSE else reassuring
        evaluate = f"**{evaluate}**" if fact == TRUE else evaluate
        return f"| {label} | {recorded} | {reassuring} | {evaluate} |"

    def finding_text(self, finding: Finding) -> str:
        """present, examined 2026-11-24; earlier records and conflicts are named."""
        say = self.say
        status = say(f"status.{finding.status.value}")
        if finding.status is Status.UNKNOWN:
            old = joined(
                f"{say(f'status.{e.status.value}')} {e.day or ''}".strip()
                for e in finding.evidence
                if e.history and e.status is not Status.UNKNOWN
            )
            return f"{status}; {say('table.history', text=old)}" if old else status
        on = say("table.on_date", date=finding.recorded) if finding.recorded else ""
        if finding.status is Status.PRESENT or finding.basis is not None:
            reported = finding.basis is Basis.REPORTED
            text = say("table.reported" if reported else "table.examined", status=status, on=on)
        else:
            text = say("table.status_only", status=status)
        return text + (say("table.conflict") if finding.conflict else "")


def _either(facts: Facts, *names: str) -> str:
    """true if one of the features is, false if one is known not to be, else unknown."""
    found = [facts.get(name, UNKNOWN) for name in names]
    return TRUE if TRUE in found else FALSE if FALSE in found else UNKNOWN
