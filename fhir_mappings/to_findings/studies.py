"""DiagnosticReports, Procedures and Observations -> studies that were done, and consultations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from fhir_mappings.code_systems import CodeKey
from fhir_mappings.record import Days, Note, Study
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import Terminology
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.observations import STATUSES, Observed
from fhir_mappings.to_findings.onsets import Dates
from fhir_mappings.to_findings.statuses import STATUS_NOT_RECOGNISED, status_word

_DONE_REPORT = frozenset({"final", "amended", "corrected", "appended"})
_DONE_OBSERVATION = frozenset({"final", "amended", "corrected"})
# Of STU3, R4 and R5; a missing one is none of them, and says nothing.
_NEVER_DONE = frozenset({"", "entered-in-error", "unknown", "cancelled"})
_REPORT = _NEVER_DONE | _DONE_REPORT | {"registered", "partial", "preliminary", "modified"}
_PROCEDURE = _NEVER_DONE | {
    *("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed"),
    *("suspended", "aborted"),
}


def studies_of(
    reader: Reader,
    reports: Sequence[Located[fhir.DiagnosticReport]],
    procedures: Sequence[Located[fhir.Procedure]],
    observations: Iterable[Observed],
    completed: Iterable[Study] = (),
) -> tuple[Study, ...]:
    """The newest completed study of each kind, and one without a date beside it.

    completed: by their orders.
    """
    done = [
        *completed,
        *_reported(reader, reports),
        *_performed(reader, procedures),
        *_observed(reader, observations),
    ]
    newest: dict[tuple[str, bool], Study] = {}
    for study in sorted(done, key=lambda s: (s.day or date.min, s.reference)):
        if not reader.is_future(study.day, study.reference):
            newest[study.id, study.day is None] = study
    return tuple(newest[key] for key in sorted(newest))


def _kinds(keys: Collection[CodeKey], terminology: Terminology) -> list[str]:
    found = {terminology.procedures[key] for key in keys if key in terminology.procedures}
    return sorted(found & terminology.studies)


def known_status(reader: Reader, reference: str, status: str | None, known: Collection[str]) -> str:
    """The status as FHIR spells it; one that is not known is named."""
    word = status_word(status)
    if word not in known:
        reader.notes.append(Note(reference, STATUS_NOT_RECOGNISED, f"{reference.partition('/')[0]}.status"))
    return word


def first_day(*days: Days) -> date | None:
    """The earliest day of the first known date, so that no study seems newer than it is."""
    return next((d.earliest or d.latest for d in days if d.known), None)


def _reported(reader: Reader, reports: Sequence[Located[fhir.DiagnosticReport]]) -> Iterator[Study]:
    for located in reports:
        resource = located.resource
        kinds = _kinds(keys_of(resource.code), reader.terminology)
        if not kinds:
            continue
        if known_status(reader, located.reference, resource.status, _REPORT) not in _DONE_REPORT:
            continue
        dates = Dates(located.reference, reader.notes)
        start, end = dates.period(resource.effectivePeriod, "DiagnosticReport.effectivePeriod")
        effective = dates.days(resource.effectiveDateTime, "DiagnosticReport.effectiveDateTime")
        issued = dates.days(resource.issued, "DiagnosticReport.issued")
        for kind in kinds:
            yield Study(kind, first_day(effective, end, start, issued), located.reference)


def _performed(reader: Reader, procedures: Sequence[Located[fhir.Procedure]]) -> Iterator[Study]:
    for located in procedures:
        resource = located.resource
        kinds = _kinds(keys_of(resource.code), reader.terminology)
        if not kinds:
            continue
        status = known_status(reader, located.reference, resource.status, _PROCEDURE)
        if status != "completed" or resource.notDone:
            continue
        dates = Dates(located.reference, reader.notes)
        day = dates.days(resource.performedDateTime or resource.occurrenceDateTime, "Procedure.performed")
        period = resource.performedPeriod or resource.occurrencePeriod
        start, end = dates.period(period, "Procedure.performedPeriod")
        for kind in kinds:
            yield Study(kind, first_day(day, end, start), located.reference)


def _observed(reader: Reader, observations: Iterable[Observed]) -> Iterator[Study]:
    procedures = reader.terminology.procedures.keys()
    for observed in observations:
        if procedures.isdisjoint(observed.keys):
            continue
        resource = observed.resource
        kinds = _kinds(observed.keys, reader.terminology)
        if not kinds:
            continue
        status = known_status(reader, observed.reference, observed.status, STATUSES | {""})
        if status not in _DONE_OBSERVATION:
            continue
        dates = Dates(observed.reference, reader.notes)
        start, end = dates.period(resource.effectivePeriod, "Observation.effectivePeriod")
        effective = resource.effectiveDateTime or resource.effectiveInstant
        day = dates.days(effective, "Observation.effective")
        issued = dates.days(resource.issued, "Observation.issued")
        for kind in kinds:
            yield Study(kind, first_day(day, end, start, issued), observed.reference)
