"""Results on file, each with the range that it was compared with, as numbers and as a small picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fhir_mappings.findings import Band, Limits, Result
from service.cards.escaping import folded
from service.decision import Decision
from service.decision.facts import band_today
from service.knowledge import Knowledge

WIDTH = 120.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """The range and the value on a line of WIDTH units. beyond: the value is further out than is drawn."""

    start: float
    width: float
    mark: float
    beyond: bool


@dataclass(frozen=True, slots=True)
class ShownResult:
    """range: "3.5 to 5.2 mmol/L", with its source; "" where there is none."""

    label: str
    value: str
    judged: str
    band: str
    range: str
    day: date | None
    gauge: Gauge | None


def results_of(decision: Decision, knowledge: Knowledge) -> tuple[ShownResult, ...]:
    """The results that a card shows, abnormal ones first."""
    return tuple(_results(decision, knowledge))


def _results(decision: Decision, knowledge: Knowledge) -> Iterator[ShownResult]:
    order = {name: index for index, name in enumerate(knowledge.table.shown_results)}
    rank = {Band.CRITICAL: 0, Band.OUT_OF_RANGE: 1}
    shown = [
        (band_today(result, knowledge.table, decision.record.as_of), result)
        for result in decision.record.results
        if result.analyte in order
    ]
    for band, result in sorted(shown, key=lambda one: (rank.get(one[0], 2), order[one[1].analyte])):
        unit = f" {folded(result.unit)}" if result.unit else ""
        yield ShownResult(
            label=knowledge.terminology.analytes[result.analyte].label,
            value=folded(result.text) + unit + (" (preliminary)" if result.preliminary else ""),
            judged=judged_as(result, band, knowledge),
            band=band.value,
            range=range_of(result.limits),
            day=result.day,
            gauge=gauge_of(result.limits),
        )


def judged_as(result: Result, band: Band, knowledge: Knowledge) -> str:
    """ "critical, low"; an old abnormal value is history and says so."""
    say = knowledge.wording.say
    if band is Band.NOT_JUDGED and result.band is not Band.NOT_JUDGED:
        return f"{say(f'bands.{result.band.value}')}, too old to count"
    if band in (Band.OUT_OF_RANGE, Band.CRITICAL) and result.low is not None:
        return f"{say(f'bands.{band.value}')}, {say('result_low' if result.low else 'result_high')}"
    return say(f"bands.{band.value}")


def range_of(limits: Limits | None) -> str:
    """The range in words; "" where there is none."""
    if limits is None:
        return ""
    if limits.low is not None and limits.high is not None:
        text = f"{limits.low} to {limits.high}"
    else:
        text = f"from {limits.low}" if limits.low is not None else f"up to {limits.high}"
    return f"{text}{f' {folded(limits.unit)}' if limits.unit else ''}{'' if limits.own else ' (default)'}"


def gauge_of(limits: Limits | None) -> Gauge | None:
    """The range is the middle third of the line; one open side reaches to its end."""
    if limits is None:
        return None
    low, high = limits.low, limits.high
    if low is not None and high is not None:
        span = high - low
        if span <= 0:
            return None
        start, end = low - span, high + span
    else:
        edge = abs(low if low is not None else high or Decimal(0))
        if not edge:
            return None
        middle = low if low is not None else high or Decimal(0)
        start, end = middle - edge, middle + edge

    def at(value: Decimal) -> float:
        return round(WIDTH * float((value - start) / (end - start)), 1)

    zone = at(low) if low is not None else 0.0
    zone_end = at(high) if high is not None else WIDTH
    mark = at(limits.number)
    return Gauge(zone, round(zone_end - zone, 1), min(max(mark, 0.0), WIDTH), not 0 <= mark <= WIDTH)
