"""When a medicine was taken, by its records, against when the twitch began: "Drug timing" of the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

from fhir_mappings.code_systems import code_key
from fhir_mappings.medication_tables import NotTaken
from fhir_mappings.record import Days, Note, Plausible
from fhir_mappings.resources.dates import NO_DAY, NOT_A_DATE, InvalidDate, days_of, legible_days
from fhir_mappings.resources.references import objects_in
from fhir_mappings.resources.shapes import (
    NOT_THERE,
    Dosage,
    MedicationRequest,
    MedicationStatement,
    Period,
)
from fhir_mappings.to_findings.drug_names import dosage_denies
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.statuses import STATUS_NOT_RECOGNISED, status_word
from fhir_mappings.to_findings.supply import supplied

MedicationRecord = MedicationRequest | MedicationStatement

_NOT_COUNTED = frozenset({"entered-in-error", "not-taken", "cancelled", "draft"})
# "plan" counts: US Core records so what a patient takes at home.
_NOT_COUNTED_INTENTS = frozenset({"proposal"})
_ENDED = frozenset({"stopped", "completed", "ended"})  # R5 spells "ended"
# "intended" (R4 statements) and other words say as little about taking it as "unknown" does.
_TAKEN = frozenset({"active", "on-hold", "recorded"}) | _ENDED
_STATUSES = _NOT_COUNTED | _TAKEN | {"", "intended", "unknown"}
_REVERSED = "a period that ends before it begins"
DENIED = "its text says that it is not taken"
# How an R5 adherence code begins -> the status of an R4 statement.
_ADHERENCE = {
    "not-taking": "not-taken",
    "taking": "active",
    "on-hold": "on-hold",
    "stopped": "stopped",
    "unknown": "unknown",
}


class Span(msgspec.Struct, frozen=True, gc=False):
    """When it was taken, by one record or by several. end None: not ended, as far as is recorded."""

    start: Days = NO_DAY
    end: Days | None = None


class Use(msgspec.Struct, frozen=True, gc=False):
    """The records of one medicine.

    span: by all of them. certain: by those of known status, None if there are none.
    first: start, reference and resource type of the earliest.
    """

    span: Span
    certain: Span | None
    first: tuple[date, str, str]


def use_of(record: MedicationRecord, reference: str, reader: Reader) -> Use | None:
    """When one record says that the medicine was taken; adds a note for each invalid date.

    Returns:
        None where it was not taken, or the record is dated too long after the decision. A note names what
        only the text of a dosage says.
    """
    as_of, not_taken = reader.as_of, reader.terminology.medications.not_taken
    status, kind = _status(record, not_taken), type(record).__name__
    if not _counts(record, status):
        return None
    if any(dosage is not None and dosage_denies(dosage.text, not_taken) for dosage in dosages_of(record)):
        reader.notes.append(Note(reference, DENIED, f"{kind}.dosage"))
        return None
    dates = _Dates(kind, reference)
    starts, ends, recorded = (
        _request_days(record, dates)
        if isinstance(record, MedicationRequest)
        else _statement_days(record, dates)
    )
    start = earliest_of(starts)
    if reader.is_future((recorded or start).earliest, reference):
        return None
    reader.notes += dates.notes
    if status not in _STATUSES:
        reader.notes.append(Note(reference, STATUS_NOT_RECOGNISED, f"{kind}.status"))
    end = latest_of(ends) if ends else None
    if status in _ENDED:
        end = _not_after(end or supplied(latest_of(starts), record), as_of)
    span = Span(start, end)
    # STU3 records apart from the status whether it is taken.
    unsure = isinstance(record, MedicationStatement) and _code(record.taken) in {"unk", "na"}
    known = status in _TAKEN and not unsure
    return Use(span, span if known else None, (start.earliest or date.max, reference, dates.kind))


def joined_uses(uses: Sequence[Use]) -> Use:
    """The use by all of those records."""
    if len(uses) == 1:
        return uses[0]
    span = joined([use.span for use in uses])
    first = min(use.first for use in uses)
    if all(use.certain is use.span for use in uses):
        return Use(span, span, first)
    certain = [use.certain for use in uses if use.certain is not None]
    return Use(span, joined(certain) if certain else None, first)


def dosages_of(record: MedicationRecord) -> Iterable[Dosage | None]:
    """The dosage instructions of either kind of record."""
    return (record.dosageInstruction if isinstance(record, MedicationRequest) else record.dosage) or ()


class _Dates:
    """Reads the dates of one record; collects a note for each invalid one."""

    def __init__(self, kind: str, reference: str) -> None:
        self.kind = kind
        self.reference = reference
        self.notes: list[Note] = []

    def day(self, text: str | None, member: str) -> Days | None:
        if text is None or not text.strip():
            return None
        try:
            return days_of(text)
        except InvalidDate:
            legible = legible_days(text)
            fault = NOT_A_DATE if legible else "a date that cannot be read"
            self.notes.append(Note(self.reference, fault, f"{self.kind}.{member}"))
            return legible

    def periods(self, periods: Iterable[tuple[Period | None, str]]) -> tuple[list[Days], list[Days]]:
        starts, ends = [], []
        for period, member in periods:
            if period is None:
                continue
            start = self.day(period.start, f"{member}.start")
            end = self.day(period.end, f"{member}.end")
            if start and end and start.earliest and end.latest and end.latest < start.earliest:
                # Which of the two is wrong is not known.
                self.notes.append(Note(self.reference, _REVERSED, f"{self.kind}.{member}"))
                continue
            starts += [start] if start else []
            ends += [end] if end else []
        return starts, ends


def _counts(record: MedicationRecord, status: str) -> bool:
    """Whether it is a medicine of this patient, and not one that never was, or is not yet."""
    if status in _NOT_COUNTED:
        return False
    if isinstance(record, MedicationRequest):
        return _code(record.intent) not in _NOT_COUNTED_INTENTS and record.doNotPerform is not True
    return _code(record.taken) not in {"n", "no"}


def _status(record: MedicationRecord, not_taken: NotTaken) -> str:
    """Its status as R4 has it: R5 has that of a statement in `adherence`, R4 in an extension of either."""
    status = status_word(record.status)
    if status in _NOT_COUNTED:
        return status
    for system, code in _adherences(record):
        if code_key(system, code) in not_taken.codes:
            return "not-taken"
        meaning = next((meaning for start, meaning in _ADHERENCE.items() if code.startswith(start)), "")
        # An order says itself whether it is active; that the patient takes it adds nothing.
        if meaning and (isinstance(record, MedicationStatement) or meaning in ("not-taken", "stopped")):
            return meaning
    return status


def _adherences(record: MedicationRecord) -> Iterator[tuple[str, str]]:
    """System and code of each adherence."""
    if isinstance(record, MedicationStatement) and record.adherence is not None and record.adherence.code:
        for coding in record.adherence.code.coding or ():
            if coding is not None:
                yield coding.system or "", _code(coding.code)
    for extension in objects_in(record.extension):
        inner = extension.get("extension")
        if "adherence" in str(extension.get("url")).lower():
            yield from _codings([extension, *(inner if isinstance(inner, list) else ())])


def _codings(extensions: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for extension in extensions:
        concept = extension.get("valueCodeableConcept") if isinstance(extension, dict) else None
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and isinstance(code := coding.get("code"), str):
                yield str(coding.get("system") or ""), _code(code)


def _code(text: str | None) -> str:
    return text.strip().lower() if text else ""


def _request_days(request: MedicationRequest, dates: _Dates) -> tuple[list[Days], list[Days], Days | None]:
    """Its starts by the best source there is, its ends, and the day it was written."""
    authored = dates.day(request.authoredOn, "authoredOn")
    starts, ends = dates.periods(
        [(request.effectiveDosePeriod, "effectiveDosePeriod"), *_bounds(request, "dosageInstruction")]
    )
    supply = request.dispenseRequest.validityPeriod if request.dispenseRequest else None
    # Its end is that of the permission to dispense: the medicine may be taken for longer.
    supply_starts, _ = dates.periods([(supply, "dispenseRequest.validityPeriod")])
    if starts or supply_starts or not authored:
        return starts or supply_starts, ends, authored
    # It was taken before somebody reported it, or renewed it.
    return [Days(None, authored.latest) if _taken_before(request) else authored], ends, authored


def _taken_before(request: MedicationRequest) -> bool:
    """Whether it records what the patient takes already: reported, or in place of an earlier order."""
    return (
        b"true" in (bytes(request.reportedBoolean), bytes(request.reported))
        or request.reportedReference != NOT_THERE
        or request.priorPrescription != NOT_THERE
    )


def _statement_days(
    statement: MedicationStatement, dates: _Dates
) -> tuple[list[Days], list[Days], Days | None]:
    """Its starts, its ends, and the day it was asserted."""
    effective = dates.day(statement.effectiveDateTime, "effectiveDateTime")
    timing = statement.effectiveTiming
    repeat = timing.repeat.boundsPeriod if timing is not None and timing.repeat is not None else None
    starts, ends = dates.periods(
        [
            (statement.effectivePeriod, "effectivePeriod"),
            (repeat, "effectiveTiming.repeat.bounds"),
            *_bounds(statement, "dosage"),
        ]
    )
    events = [dates.day(event, "effectiveTiming.event") for event in (timing.event or () if timing else ())]
    asserted = dates.day(statement.dateAsserted, "dateAsserted")
    return [day for day in (effective, *events) if day is not None] + starts, ends, asserted


def _bounds(record: MedicationRecord, member: str) -> list[tuple[Period | None, str]]:
    return [
        (dosage.timing.repeat.boundsPeriod, f"{member}.timing.repeat.bounds")
        for dosage in dosages_of(record)
        if dosage is not None and dosage.timing is not None and dosage.timing.repeat is not None
    ]


def joined(spans: Sequence[Span]) -> Span:
    """From the earliest start to the latest end. A renewal is not a start; one open record keeps it open."""
    if len(spans) == 1:
        return spans[0]
    ends = [span.end for span in spans if span.end is not None]
    starts = [span.start for span in spans]
    # A report or renewal that another start explains adds nothing.
    known = min((s.latest for s in starts if s.earliest and s.latest), default=date.max)
    return Span(
        earliest_of([s for s in starts if s.earliest or s.latest is None or s.latest < known]),
        latest_of(ends) if ends and len(ends) == len(spans) else None,
    )


def earliest_of(days: Sequence[Days]) -> Days:
    """The earliest of several imprecise days; an unknown one among them leaves its earliest side open."""
    if len(days) == 1:
        return days[0]
    lowest = [day.earliest for day in days if day.earliest is not None]
    highest = [day.latest for day in days if day.latest is not None]
    all_known = lowest and len(lowest) == len(days)
    return Days(min(lowest) if all_known else None, min(highest, default=None))


def latest_of(days: Sequence[Days]) -> Days:
    """The latest of several imprecise days; an unknown one among them leaves its latest side open."""
    if len(days) == 1:
        return days[0]
    lowest = [day.earliest for day in days if day.earliest is not None]
    highest = [day.latest for day in days if day.latest is not None]
    all_known = highest and len(highest) == len(days)
    return Days(max(lowest, default=None), max(highest) if all_known else None)


def _not_after(days: Days, last: date) -> Days:
    """The same imprecise day, given that it cannot lie after `last`."""
    return Days(
        None if days.earliest is None else min(days.earliest, last),
        last if days.latest is None else min(days.latest, last),
    )


def plausible_of(span: Span, onset: Days) -> Plausible:
    """Whether it can have to do with a twitch of that onset, by time alone.

    no: started after the latest possible onset, or ended before the earliest. possible: start or onset not
    known, or the start lies between earliest and latest onset. yes: else, stopped since or not.
    """
    if _started_after(span.start, onset) or _ended_before(span.end, onset):
        return Plausible.NO
    if span.start.latest is None or onset.earliest is None or span.start.latest >= onset.earliest:
        return Plausible.POSSIBLE
    return Plausible.YES


def ended_by(span: Span, day: date) -> bool:
    """Whether it ended on that day or before, whatever the precision of its end."""
    return span.end is not None and span.end.latest is not None and span.end.latest <= day


def when(days: Days) -> str:
    """An imprecise day in words, such as "on 2026-10-01"."""
    if days.earliest is None and days.latest is None:
        return "on an unknown day"
    if days.earliest is None:
        return f"on or before {days.latest}"
    if days.latest is None:
        return f"on or after {days.earliest}"
    if days.exact:
        return f"on {days.earliest}"
    return f"between {days.earliest} and {days.latest}"


def why_of(span: Span, onset: Days, plausible: Plausible, as_of: date) -> str:
    """The judgement of `plausible_of` in words, for a person."""
    if _started_after(span.start, onset):
        return f"started {when(span.start)}, after the twitch began"
    if _ended_before(span.end, onset) and span.end is not None:
        return f"ended {when(span.end)}, before the twitch began"
    if not span.start.known:
        why = "start not recorded"
    elif not onset.known:
        why = f"started {when(span.start)}; when the twitch began is not recorded"
    elif plausible is Plausible.YES:
        why = f"started {when(span.start)}, before the twitch began"
    else:
        why = f"started {when(span.start)}, perhaps before the twitch began, perhaps after"
    if span.end is not None and ended_by(span, as_of):
        why = f"{why}; ended {when(span.end)}"
    return why


def _started_after(start: Days, onset: Days) -> bool:
    return start.earliest is not None and onset.latest is not None and start.earliest > onset.latest


def _ended_before(end: Days | None, onset: Days) -> bool:
    if end is None or end.latest is None or onset.earliest is None:
        return False
    return end.latest < onset.earliest
