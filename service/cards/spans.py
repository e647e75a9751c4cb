"""How long ago and when, in words: "20 days", "4 months", "since yesterday", "19 Nov"."""

from __future__ import annotations

from datetime import date, timedelta

from fhir_mappings.record import Basis, Days, Finding
from service.knowledge.wording import Wording

# Days below 60, months below 24, then years.
_DAYS_BELOW = 60
_MONTHS_BELOW = 24
_DAYS_IN_MONTH = 30.44
_DAYS_IN_YEAR = 365.25
_YEAR = timedelta(days=365)
# A date of the last months needs no year.
_NEAR = timedelta(days=300)
_WEEKS_IN_QUARTER = 13


def span(days: int, wording: Wording) -> str:
    """20 days; 4 months; 3 years. For 0 and 1 see `lasting`."""
    count, unit = _counted(days)
    return wording.say(f"span.{unit}", count=count)


def _counted(days: int) -> tuple[int, str]:
    if days < _DAYS_BELOW:
        return days, "days"
    months = round(days / _DAYS_IN_MONTH)
    if months < _MONTHS_BELOW:
        return max(months, 2), "months"
    return max(int(days / _DAYS_IN_YEAR), 2), "years"


def lasting(since: Days, as_of: date, wording: Wording) -> str:
    """20 days; 40 days to 3 months; at least 20 days; since yesterday; "" where it is unknown."""
    say = wording.say
    if since.latest is None:
        return ""
    low = max((as_of - since.latest).days, 0)
    if since.earliest is None:
        # "At least 0 days" says nothing: the record is of today.
        return say("span.at_least", span=span(low, wording)) if low > 1 else ""
    high = max((as_of - since.earliest).days, 0)
    if high <= 1:
        return say("span.yesterday" if high else "span.today")
    if low == high:
        return span(high, wording)
    if low <= 1:
        return say("span.at_most", span=span(high, wording))
    few, many = _counted(low), _counted(high)
    if few == many:
        return say("span.about", span=span(high, wording))
    start = str(few[0]) if few[1] == many[1] else span(low, wording)
    return say("span.range", low=start, high=span(high, wording))


def age_of(born: Days, as_of: date, wording: Wording) -> str:
    """Age 7 years; "" where the birth date is unknown."""
    if born.latest is None:
        return ""
    days = max((as_of - born.latest).days, 0)
    count, unit = _counted(days)
    if unit == "years":
        # By birthdays, not by the mean length of a year.
        birthday = (born.latest.month, born.latest.day) <= (as_of.month, as_of.day)
        count = as_of.year - born.latest.year - (0 if birthday else 1)
    place = "span.day_old" if unit == "days" and count == 1 else f"span.{unit}"
    return wording.say("span.age", span=wording.say(place, count=count))


def day_month(day: date, as_of: date, wording: Wording) -> str:
    """19 Nov; with its year where that is not near."""
    text = f"{day.day} {wording.months[day.month - 1]}"
    return text if abs(as_of - day) <= _NEAR else f"{text} {day.year}"


def day_in(days: int, as_of: date) -> str:
    """2026-12-22; "" beyond the calendar."""
    try:
        return date.fromordinal(as_of.toordinal() + days).isoformat()
    except (ValueError, OverflowError):
        return ""


def weeks_in_words(weeks: int, wording: Wording) -> str:
    """4 weeks; 3 months for 13 weeks."""
    quarters, rest = divmod(weeks, _WEEKS_IN_QUARTER)
    if quarters and not rest:
        return wording.say("span.months", count=3 * quarters)
    return wording.say("span.weeks", count=weeks)


def recorded_as(basis: Basis | None, day: date | None, as_of: date, wording: Wording) -> str:
    """examined 2026-06-15; on the problem list since 2021; reported 2026-06-15."""
    basis = basis or Basis.EXAMINED
    if day is None:
        return wording.say(f"basis.{basis}_undated")
    old = basis is Basis.LISTED and as_of - day > _YEAR
    return wording.say(f"basis.{basis}", date=day.year if old else day.isoformat())


def recorded_how(finding: Finding, as_of: date, wording: Wording) -> str:
    """How and when that finding came into the record."""
    return recorded_as(finding.basis, finding.recorded, as_of, wording)
