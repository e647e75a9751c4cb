"""FHIR dates as intervals of calendar days, as written: no time zone shift, no clock."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from fhir_mappings.record import Days
from fhir_mappings.resources.shapes import Quantity

# Of the time only the form is checked.
_TIME = re.compile(r"T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?")
# date, partial date, dateTime or instant.
_DATE = re.compile(rf"(\d{{4}})(?:-(\d{{2}})(?:-(\d{{2}})(?:{_TIME.pattern})?)?)?")
_EARLIEST_YEAR = 1800

# Dates of which the day is certain, though FHIR writes them otherwise: "2026-05-01 10:00", "2026-5-1",
# the same without hyphens, "2026-05-01T10:00:00.000+0000[UTC]". A day before the month is never guessed.
_ZONE = r"\s*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\s*(?:\[[\w/+-]{1,40}\])?"
_LEGIBLE = (
    re.compile(
        r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2})"
        rf"(?:(?:T|\s+|\sT)\d{{1,2}}(?::?\d{{2}}){{0,2}}(?:[.,]\d{{1,9}})?)?{_ZONE})?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(\d{{4}})(\d{{2}})(\d{{2}})(?:T?\d{{2}}(?:\d{{2}}){{0,2}}(?:[.,]\d{{1,9}})?)?{_ZONE}",
        re.IGNORECASE,
    ),
)
_LONGEST_DATE = 80
NOT_A_DATE = "not a FHIR date; its day is read"

# UCUM codes (and the words seen in their place) of a duration, as days. A month is a twelfth of a year.
_UNIT_DAYS = {
    "d": 1.0,
    "day": 1.0,
    "days": 1.0,
    "wk": 7.0,
    "week": 7.0,
    "weeks": 7.0,
    "mo": 365.25 / 12,
    "month": 365.25 / 12,
    "months": 365.25 / 12,
    "a": 365.25,
    "year": 365.25,
    "years": 365.25,
    "yr": 365.25,
}
NO_DAY = Days()
_PLAIN_QUANTITY = re.compile(
    r"(?:for |about |approximately |approx\.? |~ ?|circa |ca\.? |since )*(\d{1,3})\s*"
    r"(days?|d|weeks?|wks?|wk|months?|mo|years?|yrs?|yr)(?: ago)?\.?",
    re.IGNORECASE,
)


class InvalidDate(ValueError):
    """Not a FHIR date, or a day that does not exist. The message does not repeat it."""


def days_of(text: str) -> Days:
    """The earliest and latest calendar day that a FHIR date, dateTime or instant can mean.

    >>> days_of("2026-02")
    Days(earliest=datetime.date(2026, 2, 1), latest=datetime.date(2026, 2, 28))
    """
    # The form of nearly all records.
    if text[4:5] == "-" == text[7:8] and (len(text) == 10 or _TIME.fullmatch(text, 10)):
        try:
            exact = date.fromisoformat(text[:10])
            if exact.year >= _EARLIEST_YEAR:
                return Days(exact, exact)
        except ValueError:
            pass
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise InvalidDate("not a FHIR date")
    year, month, day = int(match[1]), match[2], match[3]
    if year < _EARLIEST_YEAR:
        raise InvalidDate("a year before any patient")
    try:
        if day:
            exact = date(year, int(month), int(day))
            return Days(exact, exact)
        if month:
            last = calendar.monthrange(year, int(month))[1]
            return Days(date(year, int(month), 1), date(year, int(month), last))
        return Days(date(year, 1, 1), date(year, 12, 31))
    except ValueError:
        raise InvalidDate("a day that does not exist") from None


def legible_days(text: str) -> Days | None:
    """The days of a date that is not FHIR's; None where the day is not certain.

    >>> legible_days("2026-5-1 10:00") == days_of("2026-05-01")
    True
    """
    if len(text) > _LONGEST_DATE:
        return None
    match = next((found for form in _LEGIBLE if (found := form.fullmatch(text.strip()))), None)
    if match is None:
        return None
    try:
        return days_of("-".join(part.zfill(2) for part in match.groups() if part))
    except InvalidDate:
        return None


def maybe_days(text: str | None) -> Days:
    """`days_of`, with no date as an unbounded interval. Raises InvalidDate."""
    return days_of(text) if text else NO_DAY


def days_before(day: date, days: int) -> date:
    """That many days earlier, but not before date.min."""
    return day - timedelta(days=min(max(days, 0), (day - date.min).days))


def plain_quantity(text: str) -> tuple[int, int] | None:
    """ "3 weeks", "about 10 days" as the fewest and most days ago, within half a unit; else None.

    >>> plain_quantity("3 weeks")
    (17, 25)
    """
    match = _PLAIN_QUANTITY.fullmatch(" ".join(text.split()))
    if match is None:
        return None
    unit, count = match[2].lower(), int(match[1])
    days = _UNIT_DAYS.get(unit) or _UNIT_DAYS[unit.removesuffix("s")]
    # Half a unit either way, outwards to whole days: 3 weeks are 17.5 to 24.5 days, so 17 to 25.
    return max(int((count - 0.5) * days), 0), -int(-(count + 0.5) * days // 1)


def age_days(age: Quantity | None, value: float | None) -> float | None:
    """An age (UCUM a, mo, wk, d) in days; None where its unit is another."""
    if age is None or value is None:
        return None
    days = _UNIT_DAYS.get((age.code or age.unit or "").strip().lower())
    return None if days is None else value * days
