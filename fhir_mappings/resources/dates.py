"""FHIR dates as intervals of calendar days, as written: no time zone shift, no clock."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from fhir_mappings.record import Days
from fhir_mappings.resources.shapes import Quantity

# date, partial date, dateTime or instant; what stands after the day is not read, only its shape checked.
_DATE = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?"
)
# The same after a whole day.
_TIME = re.compile(r"T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?")
_EARLIEST_YEAR = 1800

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
# Making a frozen dataclass costs more than reading a day: this one is made once.
NO_DAY = Days()
_PLAIN_QUANTITY = re.compile(
    r"(?:for |about |approximately |approx\.? |~ ?|circa |ca\.? |since )*(\d{1,3})\s*"
    r"(days?|d|weeks?|wks?|wk|months?|mo|years?|yrs?|yr)(?: ago)?\.?",
    re.IGNORECASE,
)


class UnreadableDate(ValueError):
    """Not a FHIR date, or a day that does not exist. The message does not repeat it."""


def days_of(text: str) -> Days:
    """The earliest and latest calendar day that a FHIR date, dateTime or instant can mean.

    >>> days_of("2026-02")
    Days(earliest=datetime.date(2026, 2, 1), latest=datetime.date(2026, 2, 28))
    """
    exact = _whole_day(text)
    if exact is not None:
        return Days(exact, exact)
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise UnreadableDate("not a FHIR date")
    year, month, day = int(match[1]), match[2], match[3]
    if year < _EARLIEST_YEAR:
        raise UnreadableDate("a year before any patient")
    try:
        if day:
            exact = date(year, int(month), int(day))
            return Days(exact, exact)
        if month:
            last = calendar.monthrange(year, int(month))[1]
            return Days(date(year, int(month), 1), date(year, int(month), last))
        return Days(date(year, 1, 1), date(year, 12, 31))
    except ValueError:
        raise UnreadableDate("a day that does not exist") from None


def _whole_day(text: str) -> date | None:
    """Of one day, with a time or without, as nearly all records have it; None for all else, good or bad."""
    if not text[4:5] == "-" == text[7:8] or (len(text) != 10 and not _TIME.fullmatch(text, 10)):
        return None
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day if day.year >= _EARLIEST_YEAR else None


def maybe_days(text: str | None) -> Days:
    """`days_of`, with no date as an unbounded interval. Raises UnreadableDate."""
    return days_of(text) if text else NO_DAY


def days_before(day: date, days: int) -> date:
    """That many days earlier, but not before the first day that a date can be."""
    return day - timedelta(days=min(max(days, 0), (day - date.min).days))


def plain_quantity(text: str) -> tuple[int, int] | None:
    """ "3 weeks", "about 10 days" as the fewest and most days back, give or take half the unit; else None.

    >>> plain_quantity("3 weeks")
    (17, 25)
    """
    match = _PLAIN_QUANTITY.fullmatch(" ".join(text.split()))
    if match is None:
        return None
    unit = match[2].lower()
    days = next(
        _UNIT_DAYS[name]
        for name in ("d", "wk", "mo", "yr")
        if unit == name or unit.startswith({"d": "day", "wk": "w", "mo": "mo", "yr": "y"}[name])
    )
    count = int(match[1])
    # Half a unit either way, inwards to whole days: 3 weeks are 17.5 to 24.5, read outwards as 17 to 25.
    return max(int((count - 0.5) * days), 0), -int(-(count + 0.5) * days // 1)


def age_days(age: Quantity | None, value: float | None) -> float | None:
    """An age (UCUM a, mo, wk, d) in days; None where the unit is not one of them."""
    if age is None or value is None:
        return None
    unit = (age.code or age.unit or "").strip().lower()
    days = _UNIT_DAYS.get(unit)
    return None if days is None else value * days
