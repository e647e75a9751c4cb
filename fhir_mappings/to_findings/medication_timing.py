"""When a medicine was taken, against when the twitch began. Pure: days in, a judgement and its words out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from fhir_mappings.record import Days, Plausible
from fhir_mappings.resources.dates import NO_DAY


class Span(msgspec.Struct, frozen=True, gc=False):
    """When it was taken, by one record or by several. end None: not ended, as far as is recorded."""

    start: Days = NO_DAY
    end: Days | None = None


def joined(spans: Sequence[Span]) -> Span:
    """From the earliest start to the latest end. A renewal is not a start; one open record keeps it open."""
    if len(spans) == 1:
        return spans[0]
    ends = [span.end for span in spans if span.end is not None]
    return Span(
        start=earliest_of([span.start for span in spans]),
        end=latest_of(ends) if ends and len(ends) == len(spans) else None,
    )


def earliest_of(days: Sequence[Days]) -> Days:
    """The earliest of several imprecise days; an unknown one among them leaves its earliest side open."""
    if len(days) == 1:
        return days[0]
    lowest = [day.earliest for day in days if day.earliest is not None]
    highest = [day.latest for day in days if day.latest is not None]
    return Days(
        min(lowest) if lowest and len(lowest) == len(days) else None,
        min(highest) if highest else None,
    )


def latest_of(days: Sequence[Days]) -> Days:
    """The latest of several imprecise days; an unknown one among them leaves its latest side open."""
    if len(days) == 1:
        return days[0]
    lowest = [day.earliest for day in days if day.earliest is not None]
    highest = [day.latest for day in days if day.latest is not None]
    return Days(
        max(lowest) if lowest else None,
        max(highest) if highest and len(highest) == len(days) else None,
    )


def not_after(days: Days, last: date) -> Days:
    """The same imprecise day, given that it cannot lie after `last`."""
    if days.latest is not None and days.latest <= last:
        return days
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
    """It ended on that day or before, whatever the precision of its end."""
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


def why_of(span: Span, onset: Days, as_of: date) -> str:
    """The judgement of `plausible_of` in words, for a person."""
    if _started_after(span.start, onset):
        return f"started {when(span.start)}, after the twitch began"
    if _ended_before(span.end, onset) and span.end is not None:
        return f"ended {when(span.end)}, before the twitch began"
    if not span.start.known:
        why = "start not recorded"
    elif not onset.known:
        why = f"started {when(span.start)}; when the twitch began is not recorded"
    elif plausible_of(span, onset) is Plausible.YES:
        why = f"started {when(span.start)}, before the twitch began"
    else:
        why = f"started {when(span.start)}, perhaps before the twitch began, perhaps after"
    if span.end is not None and ended_by(span, as_of) and span.end.known:
        why = f"{why}; ended {when(span.end)}"
    return why


def _started_after(start: Days, onset: Days) -> bool:
    return start.earliest is not None and onset.latest is not None and start.earliest > onset.latest


def _ended_before(end: Days | None, onset: Days) -> bool:
    return (
        end is not None
        and end.latest is not None
        and onset.earliest is not None
        and end.latest < onset.earliest
    )
