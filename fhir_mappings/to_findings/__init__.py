"""FHIR resources of one patient -> the record that the decision reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from fhir_mappings.record import Note, Reading, Record, Status
from fhir_mappings.resources.concepts import twitch_named_by
from fhir_mappings.resources.select import select
from fhir_mappings.resources.shapes import CodeableConcept
from fhir_mappings.resources.submission import InvalidEntry, Submission, at_most
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.currency import Currency
from fhir_mappings.to_findings.findings import (
    Reader,
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
from fhir_mappings.to_findings.results import results_of
from fhir_mappings.to_findings.statements import Statement
from fhir_mappings.to_findings.statuses import IN_WORDS, NOT_READ_AS_WRITTEN, STATUS_NOT_RECOGNISED
from fhir_mappings.to_findings.studies import studies_of
from fhir_mappings.to_findings.twitch import twitch_of

_FHIR_REFERENCE = re.compile(r"[A-Za-z]{1,64}/[A-Za-z0-9\-.]{1,64}")
_UNKNOWN_TWITCH = frozenset(
    {IN_VALUE, NOT_INTERPRETED, NOT_UNDERSTOOD, STATUS_NOT_RECOGNISED, NOT_READ_AS_WRITTEN, IN_WORDS}
)


def record_of(submission: Submission, terminology: Terminology, as_of: date, reading: Reading) -> Record:
    """The record, on that day, of the one patient that the submission is about.

    Raises:
        PatientError: the submission is about no patient or about several.
    """
    parsed = select(submission, relevance_by(terminology))
    reader = Reader(terminology, as_of, reading, parsed.patient.born, parsed.body_structures)
    observations = observed(parsed.observations)
    statements: list[Statement] = []
    for condition in parsed.conditions:
        statements += condition_statements(reader, condition)
    for observation in observations:
        statements += observation_statements(reader, observation)
    for history in parsed.family_histories:
        statements += family_statements(reader, history)
    twitching: list[Statement] = []
    by_finding: dict[str, list[Statement]] = {}
    for statement in statements:
        if _is_twitch(statement.finding, terminology):
            twitching.append(statement)
        else:
            by_finding.setdefault(statement.finding, []).append(statement)
    fasciculation = terminology.findings.get("fasciculation")
    label = fasciculation.label if fasciculation is not None else ""
    twitch = twitch_of(twitching, frozenset(reader.loose_courses), as_of, label)
    currency = Currency(as_of, reading, twitch)
    findings = {
        name: currency.finding(terminology.findings[name], by_finding[name]) for name in sorted(by_finding)
    }
    drugs = drugs_of(
        reader,
        parsed.medication_requests,
        parsed.medication_statements,
        parsed.medications,
        twitch.onset,
    )
    results = results_of(reader, observations, parsed.patient)
    orders = orders_of(reader, parsed.service_requests, parsed.tasks)
    drafts = draft_orders_of(
        reader, parsed.service_requests, parsed.medication_requests, parsed.medications, orders
    )
    completed = completed_of(reader, parsed.service_requests)
    studies = studies_of(reader, parsed.reports, parsed.procedures, observations, completed)
    notes = dict.fromkeys((*parsed.not_understood, *reader.notes))
    return Record(
        as_of=as_of,
        patient=parsed.patient,
        twitch=twitch,
        findings=findings,
        drugs=drugs,
        results=results,
        orders=orders,
        drafts=drafts,
        studies=studies,
        not_used=(
            *parsed.not_used,
            *at_most(sorted(set(reader.not_used), key=lambda n: (n.reference, n.why))),
        ),
        not_understood=at_most(sorted(notes, key=lambda n: (n.reference, n.expression or "", n.why))),
        not_seen=parsed.not_seen,
        unread=_perhaps_twitch(
            reader,
            parsed.invalid,
            twitching,
            {condition.reference: condition.expression for condition in parsed.conditions}
            | {observation.reference: observation.expression for observation in parsed.observations},
        ),
        version=parsed.version,
    )


def _perhaps_twitch(
    reader: Reader,
    invalid: Iterable[InvalidEntry],
    twitching: Iterable[Statement],
    places: Mapping[str, str],
) -> tuple[Note, ...]:
    """Notes on what may be a twitch: an invalid entry, or an unrecognised value, status or name.

    places: reference -> place in the submission: a card names the entry, by its id only where FHIR allows it.
    """

    def named(reference: str, place: str) -> str:
        return reference if _FHIR_REFERENCE.fullmatch(reference) else place

    def names_twitch(entry: InvalidEntry, concept: CodeableConcept) -> bool:
        if twitch_named_by(concept, reader.terminology):
            return True
        return any(_is_twitch(code.finding, reader.terminology) for code in reader.findings_of(concept))

    entries = [
        replace(entry.note, reference=named(entry.note.reference, entry.place), expression=entry.place)
        for entry in invalid
        if entry.may_be_a_finding
        and (entry.codes is None or any(names_twitch(entry, code) for code in entry.codes))
    ]
    unknown = {s.reference: s.in_words for s in twitching if s.status is Status.UNKNOWN and not s.history}
    unrecognised = [
        replace(
            note,
            reference=named(note.reference, places.get(note.reference, note.expression or "")),
            in_words=unknown[note.reference],
        )
        for note in reader.notes
        if note.why in _UNKNOWN_TWITCH and note.reference in unknown
    ]
    return at_most(list(dict.fromkeys([*entries, *unrecognised])))


def _is_twitch(finding: str, terminology: Terminology) -> bool:
    definition = terminology.findings.get(finding)
    return definition is not None and definition.kind == "fasciculation"
