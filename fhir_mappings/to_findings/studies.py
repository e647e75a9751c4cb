"""DiagnosticReports, Procedures and Observations -> EMG, nerve conduction and MRI that were done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from fhir_mappings.record import Days, Note, Reading, Study
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of
from fhir_mappings.resources.select import exists_on
from fhir_mappings.resources.submission import Located
from fhir_mappings.terminology import CodeKey, Terminology
from fhir_mappings.to_findings.observations import Observed
from fhir_mappings.to_findings.onsets import Dates

_DONE_REPORT = frozenset({"final", "amended", "corrected", "appended"})
_DONE_OBSERVATION = frozenset({"final", "amended", "corrected"})


def studies_of(
    reports: Sequence[Located[fhir.DiagnosticReport]],
    procedures: Sequence[Located[fhir.Procedure]],
    observations: Iterable[Observed],
    terminology: Terminology,
    as_of: date,
    reading: Reading,
) -> tuple[tuple[Study, ...], tuple[Note, ...]]:
    """The newest completed study of each kind, and one without a date beside it."""
    notes: list[Note] = []
    done = [
        *_reported(reports, terminology, notes),
        *_performed(procedures, terminology, notes),
        *_observed(observations, terminology, notes),
    ]
    newest: dict[tuple[str, bool], Study] = {}
    for study in sorted(done, key=lambda s: (s.day or date.min, s.reference)):
        if exists_on(study.day, as_of, reading.future_days):
            newest[study.id, study.day is None] = study
    return tuple(newest[key] for key in sorted(newest)), tuple(notes)


def _kinds(keys: Iterable[CodeKey], terminology: Terminology) -> list[str]:
    found = {terminology.procedures[key] for key in keys if key in terminology.procedures}
    return sorted(found & terminology.studies)


def _first(*days: Days) -> date | None:
    # Completed at the latest by then: the earliest possible day, so that no study seems newer than it is.
    return next((d.earliest or d.latest for d in days if d.known), None)


def _reported(
    reports: Sequence[Located[fhir.DiagnosticReport]], terminology: Terminology, notes: list[Note]
) -> Iterator[Study]:
    for located in reports:
        resource = located.resource
        if (resource.status or "").strip().lower() not in _DONE_REPORT:
            continue
        for kind in _kinds(keys_of(resource.code), terminology):
            dates = Dates(located.reference, notes)
            start, end = dates.period(resource.effectivePeriod, "DiagnosticReport.effectivePeriod")
            effective = dates.days(resource.effectiveDateTime, "DiagnosticReport.effectiveDateTime")
            issued = dates.days(resource.issued, "DiagnosticReport.issued")
            yield Study(kind, _first(effective, end, start, issued), located.reference)


def _performed(
    procedures: Sequence[Located[fhir.Procedure]], terminology: Terminology, notes: list[Note]
) -> Iterator[Study]:
    for located in procedures:
        resource = located.resource
        if (resource.status or "").strip().lower() != "completed" or resource.notDone:
            continue
        for kind in _kinds(keys_of(resource.code), terminology):
            dates = Dates(located.reference, notes)
            day = dates.days(resource.performedDateTime or resource.occurrenceDateTime, "Procedure.performed")
            start, end = dates.period(
                resource.performedPeriod or resource.occurrencePeriod, "Procedure.performedPeriod"
            )
            yield Study(kind, _first(day, end, start), located.reference)


def _observed(
    observations: Iterable[Observed], terminology: Terminology, notes: list[Note]
) -> Iterator[Study]:
    for observed in observations:
        if observed.status not in _DONE_OBSERVATION:
            continue
        resource = observed.resource
        for kind in _kinds(observed.keys, terminology):
            dates = Dates(observed.reference, notes)
            start, end = dates.period(resource.effectivePeriod, "Observation.effectivePeriod")
            effective = dates.days(
                resource.effectiveDateTime or resource.effectiveInstant, "Observation.effective"
            )
            issued = dates.days(resource.issued, "Observation.issued")
            yield Study(kind, _first(effective, end, start, issued), observed.reference)
