"""FHIR resources of one patient -> the record that the decision reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from fhir_mappings.record import Note, Reading, Record, Status
from fhir_mappings.resources.concepts import twitch_named_by
from fhir_mappings.resources.preview import part_of
from fhir_mappings.resources.select import Selection
from fhir_mappings.resources.shapes import CodeableConcept
from fhir_mappings.resources.submission import Entry, InvalidEntry, Located, Submission, at_most
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.currency import Currency
from fhir_mappings.to_findings.findings import (
    END_NOT_READ,
    END_NOT_UNDERSTOOD,
    FAMILY,
    Reader,
    Specimen,
    condition_statements,
    family_statements,
    relevance_by,
)
from fhir_mappings.to_findings.medications import drugs_of
from fhir_mappings.to_findings.observations import (
    IN_VALUE,
    NOT_INTERPRETED,
    NOT_UNDERSTOOD,
    observation_statements,
    observed,
)
from fhir_mappings.to_findings.orders import completed_of, draft_orders_of, orders_of
from fhir_mappings.to_findings.questionnaire_responses import response_statements
from fhir_mappings.to_findings.results import results_of
from fhir_mappings.to_findings.statements import Statement
from fhir_mappings.to_findings.statuses import IN_WORDS, NOT_READ_AS_WRITTEN, STATUS_NOT_RECOGNISED
from fhir_mappings.to_findings.studies import studies_of
from fhir_mappings.to_findings.twitch import twitch_of
from fhir_mappings.to_findings.unread_results import name_unread_results

_FHIR_REFERENCE = re.compile(r"[A-Za-z]{1,64}/[A-Za-z0-9\-.]{1,64}")
# Types that make what refers to them a report.
_TELLING = ("Patient", "RelatedPerson", "QuestionnaireResponse")
_UNKNOWN_TWITCH = frozenset(
    {IN_VALUE, NOT_INTERPRETED, NOT_UNDERSTOOD, STATUS_NOT_RECOGNISED, NOT_READ_AS_WRITTEN, IN_WORDS}
    | {END_NOT_READ, END_NOT_UNDERSTOOD}
)


def record_of(submission: Submission, terminology: Terminology, as_of: date, reading: Reading) -> Record:
    """The record, on that day, of the one patient that the submission is about.

    Raises:
        PatientError: the submission is about no patient or about several.
    """
    return RecordReader(submission, terminology, as_of, reading).record()


class RecordReader:
    """Reads the record of one patient on one day: what decides the gate, or all of it.

    Raises:
        PatientError: the submission is about no patient or about several.
    """

    def __init__(
        self, submission: Submission, terminology: Terminology, as_of: date, reading: Reading
    ) -> None:
        self.selection = Selection(submission, relevance_by(terminology))
        self._reader = reader = Reader(
            terminology, as_of, reading, self.selection.patient.born, self.selection.body_structures
        )
        newest = self.selection.newest
        reader.kinds = {
            name: kind for kind in _TELLING for entry in newest.get(kind, {}).values() for name in entry.names
        }
        statements: list[Statement] = []
        for condition in self.selection.conditions:
            statements += condition_statements(reader, condition)
        self._observed = observed(self.selection.findings)
        for observation in self._observed:
            statements += observation_statements(reader, observation)
        self._twitching: list[Statement] = []
        told: list[Statement] = []
        for response in self.selection.responses:
            for statement in response_statements(reader, response):
                is_told = statement.finding in terminology.twitches
                (told if is_told else statements).append(statement)
        by_finding: dict[str, list[Statement]] = {}
        for statement in statements:
            if statement.finding in terminology.twitches:
                self._twitching.append(statement)
            else:
                by_finding.setdefault(statement.finding, []).append(statement)
        fasciculation = terminology.findings.get("fasciculation")
        label = fasciculation.label if fasciculation is not None else ""
        self._twitch = twitch_of(self._twitching, frozenset(reader.loose_courses), as_of, label, told)
        self._currency = currency = Currency(as_of, reading, self._twitch)
        self._by_finding = by_finding
        self._findings = {
            name: currency.finding(terminology.findings[name], made) for name, made in by_finding.items()
        }

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries of the patient that were looked at, and Medications."""
        return self.selection.read

    def findings(self) -> Record:
        """The record by Conditions and findings alone: nothing else decides the gate."""
        return self._record()

    def record(self) -> Record:
        """The whole record; to be asked for once."""
        reader, selection = self._reader, self.selection
        parsed = selection.resources()
        family = [one for history in parsed.family_histories for one in family_statements(reader, history)]
        if family:
            definition = reader.terminology.findings[FAMILY]
            family = [*self._by_finding.get(FAMILY, ()), *family]
            self._findings[FAMILY] = self._currency.finding(definition, family)
        specimens = selection.newest.get("Specimen", {}).values()
        read = ((entry, part_of(entry.raw, Specimen)) for entry in specimens)
        reader.specimens = {name: one for entry, one in read if one is not None for name in entry.names}
        observations = observed(parsed.observations, self._observed)
        name_unread_results(reader, observations, parsed.reports)
        orders = orders_of(reader, parsed.service_requests, parsed.tasks)
        medications = parsed.medication_requests, parsed.medication_statements, parsed.medications
        completed = completed_of(reader, parsed.service_requests)
        return self._record(
            drugs=drugs_of(reader, *medications, self._twitch.onset),
            results=results_of(reader, observations, selection.patient),
            orders=orders,
            drafts=draft_orders_of(
                reader, parsed.service_requests, parsed.medication_requests, parsed.medications, orders
            ),
            studies=studies_of(reader, parsed.reports, parsed.procedures, observations, completed),
            version=parsed.version,
        )

    def _record(self, **members: Any) -> Record:
        reader, selection = self._reader, self.selection
        notes = dict.fromkeys((*selection.not_understood, *reader.notes))
        return Record(
            as_of=reader.as_of,
            patient=selection.patient,
            twitch=self._twitch,
            findings=dict(sorted(self._findings.items())),
            not_used=(*_sorted(selection.not_used), *at_most(_sorted(set(reader.not_used)))),
            not_understood=at_most(sorted(notes, key=lambda n: (n.reference, n.expression or "", n.why))),
            not_seen=selection.not_seen,
            unread=_perhaps_twitch(
                reader,
                selection.invalid,
                self._twitching,
                (*selection.conditions, *selection.findings),
            ),
            **members,
        )


def _sorted(notes: Iterable[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: (note.reference, note.why))


def _perhaps_twitch(
    reader: Reader,
    invalid: Iterable[InvalidEntry],
    twitching: Iterable[Statement],
    read: Iterable[Located[Any]],
) -> tuple[Note, ...]:
    """Notes on what may be a twitch: an invalid entry, or an unrecognised value, status or name.

    read: a card names the entry by its place in the submission, by its id only where FHIR allows it.
    """

    def named(reference: str, place: str) -> str:
        return reference if _FHIR_REFERENCE.fullmatch(reference) else place

    def names_twitch(entry: InvalidEntry, concept: CodeableConcept) -> bool:
        if twitch_named_by(concept, reader.terminology):
            return True
        return any(code.finding in reader.terminology.twitches for code in reader.findings_of(concept))

    entries = [
        replace(entry.note, reference=named(entry.note.reference, entry.place), expression=entry.place)
        for entry in invalid
        if entry.may_be_a_finding
        and (entry.codes is None or any(names_twitch(entry, code) for code in entry.codes))
    ]
    unknown = {s.reference: s.in_words for s in twitching if s.status is Status.UNKNOWN and not s.history}
    doubtful = [n for n in reader.notes if n.why in _UNKNOWN_TWITCH and n.reference in unknown]
    places = {located.reference: located.expression for located in read} if doubtful else {}
    unrecognised = [
        replace(
            note,
            reference=named(note.reference, places.get(note.reference, note.expression or "")),
            in_words=unknown[note.reference],
        )
        for note in doubtful
    ]
    return at_most(list(dict.fromkeys([*entries, *unrecognised])))
