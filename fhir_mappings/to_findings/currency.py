"""How long a record of a finding counts, and where: Currency and Site of section 1 of the decision model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from msgspec.structs import replace

from fhir_mappings.record import Finding, Reading, Status, Twitch
from fhir_mappings.terminology import FindingDefinition
from fhir_mappings.to_findings.statements import Resolution, Statement, finding_of, resolve_all

# Findings that may have gone since a clinician listed them; a diagnosis stays.
_MAY_HAVE_GONE = frozenset({"sign", "symptom", "trigger"})


@dataclass(frozen=True, slots=True)
class Currency:
    """Decides which statements still count, on one day, beside one twitch."""

    as_of: date
    reading: Reading
    twitch: Twitch

    def finding(self, definition: FindingDefinition, statements: Sequence[Statement]) -> Finding:
        """The finding by the statements that still count."""
        current, counting = list(statements), []
        for index, statement in enumerate(statements):
            if statement.counts:
                current[index] = checked = self._checked(definition, statement)
                if checked is statement or checked.counts:
                    counting.append(checked)
        outcome = (_from_history(current) if definition.from_history else None) or resolve_all(counting)
        return finding_of(definition.id, current, outcome, self.twitch.onset.earliest)

    def _checked(self, definition: FindingDefinition, statement: Statement) -> Statement:
        """One that counts; as history if it is too old, without a status if it is of another place."""
        if definition.near_twitch and self._is_elsewhere(statement):
            return replace(statement, status=Status.UNKNOWN)
        if statement.status is Status.ABSENT and self._is_before_twitch(statement):
            return replace(statement, history=True)
        if statement.acute and statement.status is Status.PRESENT:
            began = self._began(statement)
            if began is not None and (self.as_of - began).days > self.reading.acute_days:
                # Dated by its beginning, so that a card can tell how long it is over.
                return replace(statement, history=True, day=began)
        elif statement.condition and definition.kind in _MAY_HAVE_GONE and self._is_old(statement):
            return replace(statement, history=True)
        return statement

    def _is_elsewhere(self, statement: Statement) -> bool:
        """Whether it is recorded at a place where the twitch is not."""
        twitch = self.twitch
        if not statement.sites or not twitch.sites or twitch.generalized:
            return False
        names = {site.id for site in twitch.sites}
        return not any(
            site.id == "generalized" or site.id in names or site.region in twitch.regions
            for site in statement.sites
        )

    def _is_before_twitch(self, statement: Statement) -> bool:
        """Whether an absence is older than the twitch: it was not examined since. Undated is oldest."""
        onset, first = self.twitch.onset.earliest, self.twitch.first_recorded
        if onset is not None:
            return statement.sort_day < onset
        limit = self.reading.absence_before_record_days
        return first is not None and (first - statement.sort_day).days > limit

    def _is_old(self, statement: Statement) -> bool:
        """Whether the Condition was recorded too long ago to be taken as true today."""
        if statement.day is None:
            return False
        before_onset = ((self.twitch.onset.earliest or self.as_of) - statement.day).days
        age = (self.as_of - statement.day).days
        return before_onset > self.reading.symptom_before_onset_days or age > self.reading.symptom_days

    def _began(self, statement: Statement) -> date | None:
        """The latest possible day on which an acute state began: by its onset, else by its record."""
        began = statement.since.latest or statement.day
        return None if began is None else min(began, self.as_of)


def _from_history(statements: Iterable[Statement]) -> Resolution | None:
    """Presence by records of any age, ended ones too; None where the newest of them refutes it."""
    outcome = resolve_all([statement for statement in statements if statement.status is not Status.UNKNOWN])
    return outcome if outcome.status is Status.PRESENT else None
