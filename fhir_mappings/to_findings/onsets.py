"""The dates of one record, and its onset and abatement in every form of FHIR, as intervals of days."""

from __future__ import annotations

from datetime import date

import msgspec

from fhir_mappings.record import Days, Note
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.dates import (
    NO_DAY,
    NOT_A_DATE,
    InvalidDate,
    age_days,
    days_before,
    days_of,
    legible_days,
    plain_quantity,
)
from fhir_mappings.to_findings.values import quantity_number

_MAX_AGE = 100_000
AGE_NOT_READ = "its age is not understood"
# An age is reached on a day and lasts until the next one of its unit.
_UNIT_LASTS = {"a": 366, "year": 366, "years": 366, "yr": 366, "mo": 31, "month": 31, "months": 31}


class Dates(msgspec.Struct, gc=False):
    """Reads the dates of one record; an invalid one is noted, and is missing unless its day is legible."""

    reference: str
    notes: list[Note]

    def days(self, text: str | None, expression: str) -> Days:
        """The days of a FHIR date; NO_DAY if it is missing or invalid."""
        if not text:
            return NO_DAY
        try:
            return days_of(text)
        except InvalidDate as error:
            legible = legible_days(text)
            self.notes.append(Note(self.reference, NOT_A_DATE if legible else str(error), expression))
            return legible or NO_DAY

    def period(self, period: fhir.Period | None, expression: str) -> tuple[Days, Days]:
        """The days of its start and of its end."""
        if period is None:
            return NO_DAY, NO_DAY
        return self.days(period.start, f"{expression}.start"), self.days(period.end, f"{expression}.end")

    def since_birth(self, onset: Days, born: Days, expression: str) -> Days:
        """The onset; NO_DAY, and noted, if all of it lies before the birth."""
        last = onset.latest or onset.earliest
        if last is None or born.earliest is None or last >= born.earliest:
            return onset
        self.notes.append(Note(self.reference, "begins before the birth", expression))
        return NO_DAY


def effective_of(observation: fhir.Observation) -> tuple[str | None, fhir.Period | None]:
    """When an Observation was made: a time, of a timing the last event, and a period."""
    timing, period = observation.effectiveTiming, observation.effectivePeriod
    effective = observation.effectiveDateTime or observation.effectiveInstant
    if timing is None:
        return effective, period
    bounds = timing.repeat.boundsPeriod if timing.repeat is not None else None
    return effective or max(filter(None, timing.event or ()), default=None), period or bounds


def stated_onset(condition: fhir.Condition, dates: Dates, born: Days, recorded: Days) -> Days:
    """The stated onset of a Condition; unbounded where none is stated, or it lies before the birth."""
    onset = _onset(condition, dates, born, recorded)
    if not onset.known and born.known and _is_age(condition.onsetAge, condition.onsetRange):
        dates.notes.append(Note(dates.reference, AGE_NOT_READ, "Condition.onset"))
    return dates.since_birth(onset, born, "Condition.onset")


def _onset(condition: fhir.Condition, dates: Dates, born: Days, recorded: Days) -> Days:
    if condition.onsetDateTime:
        return dates.days(condition.onsetDateTime, "Condition.onsetDateTime")
    if condition.onsetPeriod is not None:
        start, end = dates.period(condition.onsetPeriod, "Condition.onsetPeriod")
        return start if start.known else Days(None, end.latest)
    if condition.onsetAge is not None:
        return _at_age(condition.onsetAge, condition.onsetAge, born)
    if condition.onsetRange is not None:
        return _at_age(condition.onsetRange.low, condition.onsetRange.high, born)
    if condition.onsetString:
        return _before_recording(condition.onsetString, recorded)
    return NO_DAY


def abatement(condition: fhir.Condition, dates: Dates, born: Days) -> date | None:
    """The latest possible day of the abatement; None if none is stated or it has no last day."""
    if condition.abatementDateTime:
        return dates.days(condition.abatementDateTime, "Condition.abatementDateTime").latest
    if condition.abatementPeriod is not None:
        start, end = dates.period(condition.abatementPeriod, "Condition.abatementPeriod")
        return end.latest or start.latest
    if condition.abatementAge is not None:
        return _at_age(condition.abatementAge, condition.abatementAge, born).latest
    if condition.abatementRange is not None:
        return _at_age(condition.abatementRange.low, condition.abatementRange.high, born).latest
    return date.min if condition.abatementBoolean else None


def end_not_read(condition: fhir.Condition, born: Days) -> str | None:
    """The member that states an end that cannot be read, and None where it can or there is none."""
    if (condition.abatementString or "").strip():
        return "abatementString"
    if (condition.abatementDateTime or "").strip():
        read = Dates("", []).days(condition.abatementDateTime, "").known
        return None if read else "abatementDateTime"
    age, ages = condition.abatementAge, condition.abatementRange
    if not _is_age(age, ages):
        return None
    if ages is None or age is not None:
        return None if _at_age(age, age, born).known else "abatementAge"
    return None if _at_age(ages.low, ages.high, born).known else "abatementRange"


def _is_age(age: fhir.Quantity | None, ages: fhir.Range | None) -> bool:
    """Whether an age is written, one that can be read or not."""
    written = (age, *((ages.low, ages.high) if ages is not None else ()))
    return any(one is not None and one.value != fhir.NOT_THERE for one in written)


def _at_age(low: fhir.Quantity | None, high: fhir.Quantity | None, born: Days) -> Days:
    """An age or a range of ages, counted from the birth date."""
    first, last = age_days(low, _number(low)), age_days(high, _number(high))
    earliest = latest = None
    if first is not None and born.earliest is not None:
        earliest = _later(born.earliest, int(first))
    if last is not None and born.latest is not None and high is not None:
        unit = (high.code or high.unit or "").strip().lower()
        latest = _later(born.latest, int(last) + _UNIT_LASTS.get(unit, 7 if unit.startswith("w") else 1))
    if high is not None and (high.comparator or "").startswith(">"):
        latest = None
    if low is not None and (low.comparator or "").startswith("<"):
        earliest = None
    return Days(earliest, latest)


def _later(day: date, days: int) -> date | None:
    try:
        return date.fromordinal(day.toordinal() + days)
    except (ValueError, OverflowError):
        return None


def _number(quantity: fhir.Quantity | None) -> float | None:
    if quantity is None:
        return None
    value = quantity_number(quantity)
    return float(value) if value is not None and abs(value) < _MAX_AGE else None


def _before_recording(text: str, recorded: Days) -> Days:
    """ "3 weeks" before the recordedDate, give or take half a unit; unbounded without either."""
    back = plain_quantity(text)
    if back is None or recorded.earliest is None or recorded.latest is None:
        return Days()
    fewest, most = back
    return Days(days_before(recorded.earliest, most), days_before(recorded.latest, fewest))
