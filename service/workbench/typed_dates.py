"""Dates as people write them, as FHIR dates; a day that could be the month is never guessed."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date

from fhir_mappings.record import Days
from fhir_mappings.resources.dates import InvalidDate, days_of

_TOKENS = re.compile(r"[a-z]+|[0-9]+")
_WRITTEN = re.compile(r"[a-z0-9\s.,/-]{1,40}")
_ORDINAL = re.compile(r"(?<=[0-9])(st|nd|rd|th)\b|\bof\b")
_DOTS = re.compile(r"[0-9]+\.\s*[0-9]+\.\s*[0-9]+")
_COMPACT = re.compile(r"[0-9]{8}")
_MONTHS = tuple(name.lower() for name in calendar.month_name)


class WrongDate(ValueError):
    """Says in words what is wrong and what to write."""


def fhir_date(text: str, as_of: date, born: Days, texts: Mapping[str, str]) -> str:
    """The day, month or year as FHIR writes it. texts: `form` of pages.yaml.

    Raises:
        WrongDate: it is no date, ambiguous, after the decision or before the birth.
    """
    written = "-".join(_parts(text.strip().lower(), texts))
    try:
        days = days_of(written)
    except InvalidDate:
        raise WrongDate(texts["date_none"]) from None
    if days.earliest is not None and days.earliest > as_of:
        raise WrongDate(texts["date_future"].format(day=as_of))
    if born.earliest is not None and days.latest is not None and days.latest < born.earliest:
        raise WrongDate(texts["date_unborn"])
    return written


def written(days: Days) -> str:
    """A day, month or year as FHIR writes it; "" where it is none of these."""
    if days.earliest is None:
        return ""
    day = days.earliest.isoformat()
    return next((text for text in (day, day[:7], day[:4]) if days_of(text) == days), "")


def _parts(text: str, texts: Mapping[str, str]) -> list[str]:
    """Year, month and day, as far as they are written, each with its zeros."""
    if not _WRITTEN.fullmatch(text):
        raise WrongDate(texts["date_unknown"])
    if _COMPACT.fullmatch(text):
        return [text[:4], text[4:6], text[6:]]
    tokens = _TOKENS.findall(_ORDINAL.sub(" ", text))
    numbers = [token for token in tokens if token.isdigit()]
    months = [f"{_month(token, texts):02}" for token in tokens if not token.isdigit()]
    if any(len(number) > 4 or len(number) == 3 for number in numbers) or len(months) > 1:
        raise WrongDate(texts["date_unknown"])
    years = [number for number in numbers if len(number) == 4]
    others = [number.zfill(2) for number in numbers if len(number) < 4]
    if not years and others:
        raise WrongDate(texts["date_century"])
    if len(years) != 1 or len(months) + len(others) > 2 or years[0] not in (numbers[0], numbers[-1]):
        raise WrongDate(texts["date_unknown"])
    if len(others) == 2 and numbers[0] != years[0]:
        others = _month_and_day(others[0], others[1], years[0], by_dots=bool(_DOTS.match(text)), texts=texts)
    return [*years, *months, *others]


def _month(word: str, texts: Mapping[str, str]) -> int:
    found = [number for number, name in enumerate(_MONTHS) if name and name.startswith(word[:3])]
    if len(word) < 3 or not found or not (_MONTHS[found[0]].startswith(word) or word == "sept"):
        raise WrongDate(texts["date_unknown"])
    return found[0]


def _month_and_day(
    first: str, second: str, year: str, *, by_dots: bool, texts: Mapping[str, str]
) -> list[str]:
    """Month and day of two numbers before a year. With dots the day stands first."""
    if by_dots or first == second or int(first) > 12:
        return [second, first]
    if int(second) > 12:
        return [first, second]
    ways = (f"{year}-{second}-{first}", f"{year}-{first}-{second}")
    raise WrongDate(texts["date_ambiguous"].format(first=ways[0], second=ways[1]))
