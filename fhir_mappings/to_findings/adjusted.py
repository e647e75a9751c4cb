"""Calcium: which result of one day decides, and a total adjusted by an albumin of its day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace as changed
from datetime import date
from fractions import Fraction

from msgspec.structs import replace

from fhir_mappings.record import Band, Patient
from fhir_mappings.terminology import Analyte
from fhir_mappings.to_findings.flags import Flags
from fhir_mappings.to_findings.newest import SEVERITY, Judge, Judged, M, maybe_newest, newest
from fhir_mappings.to_findings.ranges import judged
from fhir_mappings.to_findings.values import Value, decimal_from

IONISED, ADJUSTED, BY_ALBUMIN, TOTAL = "ionised", "adjusted", "adjusted-by-albumin", "total"
_MAX_DECIMALS = 3


class Family:
    """The analytes that count as one that can be adjusted, and the results that adjust it."""

    def __init__(self, analyte: Analyte, adjusting: Iterable[M], judge: Judge[M], patient: Patient) -> None:
        self._analyte = analyte
        self._patient = patient
        by_day: dict[tuple[date, bool], list[M]] = defaultdict(list)
        for result in adjusting:
            if result.day is not None:
                by_day[result.day, result.preliminary].append(result)

        def albumins(day: date, preliminary: bool) -> list[Judged]:
            """Those of that day that are exact numbers in a known unit."""
            results = [r for r in map(judge, by_day.get((day, preliminary), ())) if r is not None]
            return [r for r in results if can_adjust(r)]

        self._albumins = albumins

    def deciding(self, results: Sequence[Judged]) -> Judged:
        """Of the results of one day: ionised, else adjusted, else the total adjusted here, else the total."""
        by_kind: dict[str, list[Judged]] = defaultdict(list)
        for result in results:
            by_kind[self._kind(result)].append(result)
        decisive = [
            _of_kind(newest(by_kind[kind]), kind) for kind in (IONISED, ADJUSTED) if by_kind.get(kind)
        ]
        if TOTAL in by_kind:
            decisive.append(newest(self._totals(by_kind[TOTAL])))
        first = decisive[0]
        if first.result.band is not Band.NOT_JUDGED:
            return first
        # It may be abnormal: one in range of a lesser kind does not answer it.
        return next((r for r in decisive if r.severity > SEVERITY[Band.NOT_JUDGED]), first)

    def _kind(self, result: Judged) -> str:
        if result.result.analyte != self._analyte.id:
            return IONISED
        return ADJUSTED if result.adjusted else TOTAL

    def _totals(self, totals: Sequence[Judged]) -> list[Judged]:
        """The totals of one day, adjusted by an albumin of that day, as written where there is none."""
        day, preliminary = totals[0].day, totals[0].result.preliminary
        albumins = self._albumins(day, False)
        if preliminary and not albumins:
            albumins = self._albumins(day, True)
        # Of several of one time, the lowest and the highest: one of them gives the most abnormal calcium.
        by_number = sorted(
            maybe_newest(albumins) if albumins else [],
            key=lambda r: (r.result.canonical or 0, r.result.reference, r.result.expression),
        )
        extremes = by_number[:1] + by_number[1:][-1:]
        adjusted = []
        for total in totals:
            value = total.value
            if value is None or value.factor is None or not extremes:
                adjusted.append(_of_kind(total, TOTAL))
            else:
                adjusted += [self._by(total, value, albumin) for albumin in extremes]
        return adjusted

    def _by(self, total: Judged, value: Value, albumin: Judged) -> Judged:
        adjustment = self._analyte.adjustment
        measured = albumin.value.canonical if albumin.value else None
        if adjustment is None or measured is None or value.factor is None:
            return _of_kind(total, TOTAL)
        # In the unit of the total, so that its own range is compared as written.
        shift = adjustment.factor * (adjustment.around - measured) / value.factor
        adjusted = replace(value, number=value.number + shift)
        # The flag is about the number that was measured.
        band, low, limits = judged(
            adjusted, Flags(), total.ranges, self._analyte, self._patient, total.result.day
        )
        canonical = adjusted.canonical
        result = changed(
            total.result,
            kind=BY_ALBUMIN,
            text=f"{value.comparator}{_written(adjusted.number)}",
            value=decimal_from(adjusted.number),
            canonical=None if canonical is None else decimal_from(canonical),
            measured=total.result.text,
            albumin=f"{albumin.result.text} {albumin.result.unit or ''}".strip(),
            flag=None,
            band=band,
            low=low,
            limits=limits,
        )
        # What could not be judged about the total is named only where the adjusted one was not judged.
        return replace(total, result=result, unjudged=total.unjudged if band is Band.NOT_JUDGED else ())


def can_adjust(result: Judged) -> bool:
    """Whether it is an exact number in a known unit."""
    return result.value is not None and result.value.canonical is not None and not result.value.comparator


def _of_kind(result: Judged, kind: str) -> Judged:
    return replace(result, result=changed(result.result, kind=kind))


def _written(number: Fraction) -> str:
    """A number as a person writes it: "2.24"; at most three decimals."""
    # A fraction is rounded at any size; a decimal of 28 digits has no decimals to round to.
    text = f"{decimal_from(round(number, _MAX_DECIMALS)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
