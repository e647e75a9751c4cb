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
from fhir_mappings.to_findings.newest import SEVERITY, Judged, newest
from fhir_mappings.to_findings.ranges import Value, decimal_from, judged

IONISED, ADJUSTED, BY_ALBUMIN, TOTAL = "ionised", "adjusted", "adjusted-by-albumin", "total"
_MAX_DECIMALS = 3


class Family:
    """The analytes that count as one that can be adjusted, and the results that adjust it."""

    def __init__(self, analyte: Analyte, adjusting: Iterable[Judged], patient: Patient) -> None:
        self._analyte = analyte
        self._patient = patient
        self._adjusting: dict[tuple[date, bool], list[Judged]] = defaultdict(list)
        for result in adjusting:
            value = result.value
            if (
                result.result.day is not None
                and value
                and value.canonical is not None
                and not value.comparator
            ):
                self._adjusting[result.day, result.result.preliminary].append(result)

    def deciding(self, results: Sequence[Judged]) -> Judged:
        """Of the results of one day: ionised, else adjusted, else the total adjusted here, else the total."""
        by_kind: dict[str, list[Judged]] = defaultdict(list)
        for result in results:
            by_kind[self._kind(result)].append(result)
        decisive = [
            _of_kind(newest(by_kind[kind]), kind) for kind in (IONISED, ADJUSTED) if by_kind.get(kind)
        ]
        if TOTAL in by_kind:
            decisive.append(self._total(newest(by_kind[TOTAL])))
        first = decisive[0]
        if first.result.band is not Band.NOT_JUDGED:
            return first
        # It may be abnormal: one in range of a lesser kind does not answer it.
        return next((r for r in decisive if r.severity > SEVERITY[Band.NOT_JUDGED]), first)

    def _kind(self, result: Judged) -> str:
        if result.result.analyte != self._analyte.id:
            return IONISED
        return ADJUSTED if result.adjusted else TOTAL

    def _total(self, total: Judged) -> Judged:
        """The total adjusted by an albumin of its day, as written where there is none."""
        preliminary = total.result.preliminary
        albumins = self._adjusting.get((total.day, False), [])
        if preliminary and not albumins:
            albumins = self._adjusting.get((total.day, True), [])
        if total.value is None or total.value.factor is None or not albumins:
            return _of_kind(total, TOTAL)
        return self._by(total, total.value, newest(albumins))

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


def _of_kind(result: Judged, kind: str) -> Judged:
    return replace(result, result=changed(result.result, kind=kind))


def _written(number: Fraction) -> str:
    """A number as a person writes it: "2.24"; at most three decimals."""
    rounded = round(decimal_from(number), _MAX_DECIMALS)
    return f"{rounded:f}".rstrip("0").rstrip(".")
