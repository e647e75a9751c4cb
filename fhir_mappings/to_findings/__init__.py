"""FHIR resources of one patient -> the record that the decision sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from msgspec.structs import replace as replaced

from fhir_mappings.record import Finding, Note, Reading, Record, Status
from fhir_mappings.resources.concepts import twitch_named_by
from fhir_mappings.resources.select import select
from fhir_mappings.resources.shapes import CodeableConcept
from fhir_mappings.resources.submission import InvalidEntry, Submission, at_most
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.bearing import bearing_on
from fhir_mappings.to_findings.drafts import drafts_of
from fhir_mappings.to_findings.family import family_said
from fhir_mappings.to_findings.findings import NOT_UNDERSTOOD, Reader
from fhir_mappings.to_findings.medications import drugs_of
from fhir_mappings.to_findings.observations import observed
from fhir_mappings.to_findings.orders import orders_of
from fhir_mappings.to_findings.results import results_of
from fhir_mappings.to_findings.statements import Said, finding_of
from fhir_mappings.to_findings.statuses import IN_WORDS, STATUS_NOT_RECOGNISED
from fhir_mappings.to_findings.studies import studies_of
from fhir_mappings.to_findings.twitch import twitch_of


def record_of(submission: Submission, terminology: Terminology, as_of: date, reading: Reading) -> Record:
    """The record of the one patient that the submission is about, on that day.

    Raises PatientError where it is about none or several.
    """
    parsed = select(submission, bearing_on(terminology))
    reader = Reader(terminology, as_of, reading, parsed.patient.born, parsed.body_structures)
    said: list[Said] = []
    for condition in parsed.conditions:
        said += reader.condition(condition)
    observations = observed(parsed.observations)
    for observation in observations:
        said += reader.observation(observation)
    for history in parsed.family_histories:
        said += family_said(reader, history)
    twitching: list[Said] = []
    spoken_of: dict[str, list[Said]] = {}
    for one in said:
        if _is_twitch(one.finding, terminology):
            twitching.append(one)
        else:
            spoken_of.setdefault(one.finding, []).append(one)
    named = terminology.findings.get("fasciculation")
    label = named.label if named is not None else ""
    twitch = twitch_of(twitching, frozenset(reader.loose_courses), as_of, label)
    onset = twitch.onset
    findings: dict[str, Finding] = {}
    for name in sorted(spoken_of):
        records = [_since_onset(one, onset.earliest) for one in spoken_of[name]]
        findings[name] = finding_of(name, records)
    drugs, drug_notes = drugs_of(
        parsed.medication_requests,
        parsed.medication_statements,
        parsed.medications,
        terminology,
        onset,
        as_of,
        reading,
    )
    results, result_notes = results_of(observations, terminology, parsed.patient, as_of, reading)
    orders, order_notes = orders_of(parsed.service_requests, parsed.tasks, terminology, as_of, reading)
    studies, study_notes = studies_of(
        parsed.reports, parsed.procedures, observations, terminology, as_of, reading
    )
    notes = [*parsed.not_understood, *reader.notes, *drug_notes, *result_notes, *order_notes, *study_notes]
    return Record(
        as_of=as_of,
        patient=parsed.patient,
        twitch=twitch,
        findings=findings,
        drugs=drugs,
        results=results,
        orders=orders,
        drafts=drafts_of(
            parsed.service_requests,
            parsed.medication_requests,
            parsed.medications,
            orders,
            terminology,
            as_of,
        ),
        studies=studies,
        not_used=parsed.not_used,
        not_understood=at_most(
            sorted(dict.fromkeys(notes), key=lambda n: (n.reference, n.expression or "", n.why))
        ),
        not_seen=parsed.not_seen,
        unread=_unread(reader, parsed.invalid, twitching),
        version=parsed.version,
    )


def _unread(reader: Reader, unread: Iterable[InvalidEntry], twitching: Iterable[Said]) -> tuple[Note, ...]:
    """What may have told of a twitch: an entry, value or status not understood, a name without its code."""

    def twitch(entry: InvalidEntry, concept: CodeableConcept) -> bool:
        if entry.kind != "Observation" and twitch_named_by(concept, reader.terminology):
            return True
        return any(_is_twitch(code.finding, reader.terminology) for code in reader.findings_of(concept))

    entries = [
        replace(one.note, expression=one.place)
        for one in unread
        if one.may_be_a_finding and (one.codes is None or any(twitch(one, code) for code in one.codes))
    ]
    unsaid = {one.reference for one in twitching if one.status is Status.UNKNOWN and not one.history}
    reasons = (NOT_UNDERSTOOD, STATUS_NOT_RECOGNISED, IN_WORDS)
    unclear = [note for note in reader.notes if note.why in reasons and note.reference in unsaid]
    return at_most(list(dict.fromkeys([*entries, *unclear])))


def _is_twitch(finding: str, terminology: Terminology) -> bool:
    definition = terminology.findings.get(finding)
    return definition is not None and definition.kind == "fasciculation"


def _since_onset(said: Said, onset: date | None) -> Said:
    """An absence recorded before the twitch began is history: nobody has looked since. Undated is oldest."""
    if onset is not None and said.status is Status.ABSENT and said.sort_day < onset:
        return replaced(said, history=True)
    return said
