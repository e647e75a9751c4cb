"""The table of a card: recorded features against the two columns of the documents."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_mappings.record import Finding, Status
from service.cards.escaping import escaped
from service.cards.facets import duration, joined, site_label
from service.cards.phrases import DAY, phrases_of
from service.decision import Decision
from service.decision.table import FALSE, TRUE, UNKNOWN, Facts
from service.knowledge import Knowledge

_FACTS = {Status.PRESENT: TRUE, Status.ABSENT: FALSE, Status.UNKNOWN: UNKNOWN}


class Features:
    """Writes the table of one decision."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        self.decision = decision
        self.record = decision.record
        self.table = knowledge.table
        self.terminology = knowledge.terminology
        self.wording = knowledge.wording
        self.say = knowledge.wording.say
        self.phrases = phrases_of(knowledge)

    def rows(self) -> Iterator[str]:
        """The recorded features against the documents' two columns."""
        say = self.say
        yield self.phrases.table_head
        yield "|---|---|---|---|"
        twitch, facts = self.record.twitch, self.decision.facts
        site = site_label(twitch, self.wording) or say("table.not_recorded")
        yield self.feature("site", site, _either(facts, "several-regions", "tongue-site"))
        lasting = duration(twitch, self.record.as_of, self.wording)
        for text in twitch.onset_texts:
            lasting += "; " + say("table.as_written", text=escaped(text))
        if twitch.not_seen_lately:
            lasting += "; " + say("table.not_seen_lately")
        eyelid = facts.get("isolated-eyelid") == TRUE
        long = facts.get("lasts-long-for-eyelid" if eyelid else "lasts-long", UNKNOWN)
        yield self.feature("duration", lasting, long)
        course = joined(sorted(twitch.courses)) or say("table.not_recorded")
        yield self.feature("course", course, _either(facts, "worsening", "spreading"))
        absent: list[str] = []
        signs = self.table.benign_signs
        for name in [*signs, *(f for f in self._other_findings() if f not in signs)]:
            finding = self.record.finding(name)
            if finding.status is Status.ABSENT and name not in signs and not finding.conflict:
                absent.append(self.terminology.findings[name].label)
                continue
            yield self.feature(name, self.finding_text(finding), _FACTS[finding.status])
        if absent:
            # What was looked for and not found takes one line, not one each.
            names = say("table.absent", findings=joined(absent))
            both = f"**{say('status.absent')}** | {say('status.present')}"
            yield f"| {say('table.others')} | {names} | {both} |"

    def _other_findings(self) -> list[str]:
        """Asked findings about which something is recorded, present ones first."""
        found = (self.record.findings.get(asked.id) for asked in self.table.asked)
        recorded = [finding for finding in found if finding and finding.evidence]
        return [f.id for f in sorted(recorded, key=lambda f: f.status is not Status.PRESENT)]

    def feature(self, name: str, recorded: str, fact: str) -> str:
        """One row of the table; the column it falls into is bold."""
        before, after = self.phrases.feature(name, fact)
        return f"{before}{recorded}{after}"

    def finding_text(self, finding: Finding) -> str:
        """present, examined 2026-11-24; earlier records and conflicts are named."""
        say = self.say
        day = finding.recorded
        text = self.phrases.finding(finding.status, finding.basis, day is not None, finding.conflict)
        if finding.status is Status.UNKNOWN:
            old = joined(
                f"{say(f'status.{e.status.value}')} {e.day or ''}".strip()
                for e in finding.evidence
                if e.history and e.status is not Status.UNKNOWN
            )
            return f"{text}; {say('table.history', text=old)}" if old else text
        return text if day is None else text.replace(DAY, str(day))


def _either(facts: Facts, *names: str) -> str:
    """true if one of the features is, false if one is known not to be, else unknown."""
    found = [facts.get(name, UNKNOWN) for name in names]
    return TRUE if TRUE in found else FALSE if FALSE in found else UNKNOWN
