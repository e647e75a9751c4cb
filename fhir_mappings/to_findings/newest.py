"""Which results of one analyte count: the newest, and an abnormal one that no newer result has answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from fhir_mappings.record import Band, Note, Result
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.to_findings.values import Value

# A result that could not be judged may be abnormal.
SEVERITY = {Band.IN_RANGE: 0, Band.NOT_JUDGED: 1, Band.OUT_OF_RANGE: 2, Band.CRITICAL: 3}


class Clock(msgspec.Struct, frozen=True, gc=False):
    """A time of day. in_utc: its zone is written. None = no time is written."""

    at: datetime | None = None
    in_utc: bool = False

    def before(self, other: Clock) -> bool:
        """Whether it is certainly earlier, on one day: only times of one kind can be compared."""
        if self.at is None or other.at is None or self.in_utc is not other.in_utc:
            return False
        return self.at < other.at


NO_CLOCK = Clock()


class Judged(msgspec.Struct, frozen=True, gc=False):
    """A result with what decides between results of one analyte.

    clock: of its day. unjudged: why it was not judged. value: None where it is no number. ranges: its own.
    adjusted: its code says that it is adjusted already.
    """

    result: Result
    clock: Clock
    unjudged: tuple[Note, ...] = ()
    value: Value | None = None
    ranges: Sequence[fhir.ReferenceRange] = ()
    adjusted: bool = False

    @property
    def day(self) -> date:
        """Its day; undated is oldest."""
        return self.result.day or date.min

    @property
    def severity(self) -> int:
        return SEVERITY[self.result.band]


class _Dated(Protocol):
    """A result that may not be judged yet."""

    @property
    def day(self) -> date | None: ...
    @property
    def preliminary(self) -> bool: ...


M = TypeVar("M", bound=_Dated)
Judge = Callable[[M], Judged | None]
Decide = Callable[[Sequence[Judged]], Judged]


def clock_of(written: str | None) -> Clock:
    """The time of a dateTime or instant.

    >>> clock_of("2026-11-24T08:00:00+02:00").before(clock_of("2026-11-24T07:00:00Z"))
    True
    """
    if not written or ":" not in written:
        return NO_CLOCK
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        return NO_CLOCK
    if at.tzinfo is None:
        return Clock(at)
    try:
        return Clock(at.astimezone(UTC), in_utc=True)
    except OverflowError:
        return NO_CLOCK


def newest(results: Sequence[Judged]) -> Judged:
    """The newest of one day; of those that may be, the most abnormal: no id decides between two bands."""
    if len(results) == 1:
        return results[0]
    return max(
        maybe_newest(results),
        key=lambda r: (r.severity, r.result.outside, r.clock.at is not None, r.result.reference),
    )


def maybe_newest(results: Sequence[Judged]) -> list[Judged]:
    """Those of one day that no other is certainly newer than."""
    latest = [
        max(
            (r.clock for r in results if r.clock.at is not None and r.clock.in_utc is in_utc),
            key=lambda clock: clock.at or datetime.min,
            default=NO_CLOCK,
        )
        for in_utc in (True, False)
    ]
    return [r for r in results if not any(r.clock.before(clock) for clock in latest)]


def counting(results: Iterable[M], judge: Judge[M], decide: Decide = newest) -> list[Judged]:
    """The final results that count, newest first. Older ones are not judged.

    The newest one decides; where days as written and times in two zones disagree, the more abnormal. Where it
    could not be judged, the last abnormal one before it has no answer and counts too.
    """
    by_day: dict[date, list[M]] = {}
    for result in results:
        by_day.setdefault(result.day or date.min, []).append(result)
    kept: list[Judged] = []
    for day in sorted(by_day, reverse=True):
        of_day = [r for r in map(judge, by_day[day]) if r is not None]
        if not of_day:
            continue
        decided = decide(of_day)
        if not kept:
            earlier = (r for days in (1, 2) for r in by_day.get(day - timedelta(days), ()) if day != date.min)
            decided = _or_later(decided, filter(None, map(judge, earlier)), decide)
            kept.append(decided)
            if decided.result.band is not Band.NOT_JUDGED:
                return kept
        rest = [r for r in of_day if r.result.band is not Band.NOT_JUDGED]
        if rest:
            last = decide(rest)
            return [*kept, last] if last.severity > SEVERITY[Band.NOT_JUDGED] else kept
    return kept


def _or_later(decided: Judged, others: Iterable[Judged], decide: Decide) -> Judged:
    """The result, or a more abnormal one that was made later, on an earlier day as its zone writes it."""
    if not decided.clock.in_utc:
        return decided
    later = [other for other in others if decided.clock.before(other.clock)]
    if not later:
        return decided
    return max(decided, decide(later), key=lambda r: (r.severity, r.result.outside))


def unanswered(early: Iterable[Judged], final: Sequence[M], judge: Judge[M], decide: Decide) -> list[Judged]:
    """The abnormal preliminary results that no final one answers. What could not be judged answers none."""
    judged = [r for r in map(judge, final) if r is not None and r.result.band is not Band.NOT_JUDGED]
    newest_day = max((r.day for r in judged), default=None)
    last = decide([r for r in judged if r.day == newest_day]) if judged else None
    return [
        result
        for result in early
        if result.severity > SEVERITY[Band.NOT_JUDGED] and (last is None or is_newer(result, last))
    ]


def is_newer(result: Judged, other: Judged) -> bool:
    """Whether a preliminary result may be newer than the final one."""
    if result.day != other.day:
        return result.day > other.day or other.clock.before(result.clock)
    if result.clock.at is None or other.clock.at is None:
        return result.clock.at is not None
    return other.clock.before(result.clock) or result.clock.in_utc is not other.clock.in_utc
