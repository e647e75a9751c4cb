"""Laboratory results in words: the value, its range and its band."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fhir_mappings.record import Band, Limits, Result
from service.cards.escaping import folded
from service.decision import Decision
from service.decision.result_facts import band_today
from service.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class ResultView:
    """range: "3.5 to 5.2 mmol/L", or "". band: value of `Band`, a class of the style sheet."""

    label: str
    value: str
    judged: str
    band: str
    range: str
    day: date | None


def results_of(decision: Decision, knowledge: Knowledge) -> tuple[ResultView, ...]:
    """The results that a card shows, abnormal ones first."""
    order = {name: index for index, name in enumerate(knowledge.table.shown_results)}
    rank = {Band.CRITICAL: 0, Band.OUT_OF_RANGE: 1}
    shown = [
        (band_today(result, knowledge.table, decision.record.as_of), result)
        for result in decision.record.results
        if result.analyte in order
    ]
    shown.sort(key=lambda pair: (rank.get(pair[0], 2), order[pair[1].analyte]))
    return tuple(
        ResultView(
            label=knowledge.terminology.analytes[result.analyte].label,
            value=folded(result.text)
            + (f" {folded(result.unit)}" if result.unit else "")
            + (" (preliminary)" if result.preliminary else ""),
            judged=judged_as(result, band, knowledge),
            band=band.value,
            range=range_of(result.limits),
            day=result.day,
        )
        for band, result in shown
    )


def judged_as(result: Result, band: Band, knowledge: Knowledge) -> str:
    """The band in words, such as "critical, low"; also that an abnormal result is too old to count."""
    say = knowledge.wording.say
    if band is Band.NOT_JUDGED and result.band is not Band.NOT_JUDGED:
        return f"{say(f'bands.{result.band.value}')}, too old to count"
    if band in (Band.OUT_OF_RANGE, Band.CRITICAL) and result.low is not None:
        return f"{say(f'bands.{band.value}')}, {say('results.low' if result.low else 'results.high')}"
    return say(f"bands.{band.value}")


def range_of(limits: Limits | None) -> str:
    """The range in words with its unit, or ""."""
    if limits is None:
        return ""
    if limits.low is not None and limits.high is not None:
        text = f"{limits.low} to {limits.high}"
    else:
        text = f"from {limits.low}" if limits.low is not None else f"up to {limits.high}"
    return f"{text}{f' {folded(limits.unit)}' if limits.unit else ''}{'' if limits.own else ' (default)'}"
