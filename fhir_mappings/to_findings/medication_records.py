"""One MedicationRequest or MedicationStatement, R4, R5 or STU3, as the medicine and the time it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from fhir_mappings.record import Days, Note, Reading
from fhir_mappings.resources.dates import UnreadableDate, days_of
from fhir_mappings.resources.shapes import Dosage, MedicationRequest, MedicationStatement, Period
from fhir_mappings.to_findings.medication_timing import Span, earliest_of, latest_of, not_after

MedicationRecord = MedicationRequest | MedicationStatement

_NOT_COUNTED = frozenset({"entered-in-error", "not-taken", "cancelled", "draft"})
_NOT_COUNTED_INTENTS = frozenset({"proposal", "plan"})
_ENDED = frozenset({"stopped", "completed", "ended"})  # R5 spells "ended"
# "intended" (R4 statements) and anything unheard of say as little about taking it as "unknown" does.
_TAKEN = frozenset({"active", "on-hold", "recorded"}) | _ENDED


class Times(msgspec.Struct, frozen=True, gc=False):
    """When a record says the medicine was taken, and whether its status is known."""

    span: Span
    status_known: bool
    unreadable: tuple[str, ...] = ()


class _Dates:
    """Reads dates and remembers where one could not be read."""

    __slots__ = ("kind", "unreadable")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.unreadable: list[str] = []

    def day(self, text: str | None, member: str) -> Days | None:
        if text is None or not text.strip():
            return None
        try:
            return days_of(text)
        except UnreadableDate:
            self.unreadable.append(f"{self.kind}.{member}")
            return None

    def periods(self, periods: Iterable[tuple[Period | None, str]]) -> tuple[list[Days], list[Days]]:
        starts, ends = [], []
        for period, member in periods:
            if period is None:
                continue
            if (start := self.day(period.start, f"{member}.start")) is not None:
                starts.append(start)
            if (end := self.day(period.end, f"{member}.end")) is not None:
                ends.append(end)
        return starts, ends


def _counts(record: MedicationRecord, status: str) -> bool:
    """False for what was never, or not yet, a medicine of this patient: see "Drug timing"."""
    if status in _NOT_COUNTED:
        return False
    if isinstance(record, MedicationRequest):
        return _code(record.intent) not in _NOT_COUNTED_INTENTS and record.doNotPerform is not True
    return _code(record.taken) != "n"


def times_of(record: MedicationRecord, as_of: date, reading: Reading) -> Times | None:
    """When it was taken; None where it never was, or the record is dated too far after the decision date."""
    status = _status(record)
    if not _counts(record, status):
        return None
    dates = _Dates(type(record).__name__)
    starts, ends, dated = (
        _request_days(record, dates)
        if isinstance(record, MedicationRequest)
        else _statement_days(record, dates)
    )
    start = earliest_of(starts)
    # Without a day of its own a record is as old as what it tells.
    written = dated or start
    day = written.earliest
    if day is not None and day > as_of and (day - as_of).days > reading.future_days:
        return None
    end = latest_of(ends) if ends else None
    if status in _ENDED:
        end = not_after(end or latest_of(starts), as_of)
    known = status in _TAKEN and not _taking_not_known(record)
    return Times(Span(start, end), known, tuple(dates.unreadable))


def unreadable_notes(reference: str, times: Times) -> Iterator[Note]:
    """One note for each date that could not be read."""
    for expression in times.unreadable:
        yield Note(reference, "a date that cannot be read", expression)


def dosages_of(record: MedicationRecord) -> Iterable[Dosage | None]:
    """The dosage instructions of either kind of record."""
    return (record.dosageInstruction if isinstance(record, MedicationRequest) else record.dosage) or ()


def _request_days(request: MedicationRequest, dates: _Dates) -> tuple[list[Days], list[Days], Days | None]:
    """Its starts by the best source there is, its ends, and the day it was written."""
    authored = dates.day(request.authoredOn, "authoredOn")
    bounds = _bounds(request, "dosageInstruction")
    if request.effectiveDosePeriod is None and not bounds and request.dispenseRequest is None:
        return [authored] if authored else [], [], authored
    periods = [(request.effectiveDosePeriod, "effectiveDosePeriod"), *bounds]
    starts, ends = dates.periods(periods)
    supply = request.dispenseRequest.validityPeriod if request.dispenseRequest else None
    supply_starts, supply_ends = dates.periods([(supply, "dispenseRequest.validityPeriod")])
    return (
        starts or supply_starts or ([authored] if authored else []),
        ends + supply_ends,
        authored,
    )


def _statement_days(
    statement: MedicationStatement, dates: _Dates
) -> tuple[list[Days], list[Days], Days | None]:
    effective = dates.day(statement.effectiveDateTime, "effectiveDateTime")
    timing = statement.effectiveTiming
    spans = [timing.repeat.boundsPeriod] if timing is not None and timing.repeat is not None else []
    periods = [
        (statement.effectivePeriod, "effectivePeriod"),
        *((span, "effectiveTiming.repeat.bounds") for span in spans),
        *_bounds(statement, "dosage"),
    ]
    starts, ends = dates.periods(periods)
    events = [dates.day(event, "effectiveTiming.event") for event in (timing.event or () if timing else ())]
    asserted = dates.day(statement.dateAsserted, "dateAsserted")
    return [day for day in (effective, *events) if day is not None] + starts, ends, asserted


def _bounds(record: MedicationRecord, member: str) -> list[tuple[Period | None, str]]:
    return [
        (dosage.timing.repeat.boundsPeriod, f"{member}.timing.repeat.bounds")
        for dosage in dosages_of(record)
        if dosage is not None
        and dosage.timing is not None
        and dosage.timing.repeat is not None
        and dosage.timing.repeat.boundsPeriod is not None
    ]


def _taking_not_known(record: MedicationRecord) -> bool:
    """STU3: whether it is taken is asked apart from the status."""
    return isinstance(record, MedicationStatement) and _code(record.taken) in {"unk", "na"}


def _status(record: MedicationRecord) -> str:
    """R5 says in `adherence` what R4 says in the status of a statement."""
    status = _code(record.status)
    if isinstance(record, MedicationStatement) and record.adherence is not None:
        for coding in record.adherence.code.coding or () if record.adherence.code else ():
            adherence = _code(coding.code if coding else None)
            for spoken, meant in _ADHERENCE.items():
                if status not in _NOT_COUNTED and adherence.startswith(spoken):
                    return meant
    return status


_ADHERENCE = {
    "not-taking": "not-taken",
    "taking": "active",
    "on-hold": "on-hold",
    "stopped": "stopped",
    "unknown": "unknown",
}


def _code(text: str | None) -> str:
    return text.strip().lower() if text else ""
