"""Laboratory Observations -> the newest result of each analyte, judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from fhir_mappings.record import Band, Note, Patient, Result
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of, text_of
from fhir_mappings.terminology import Analyte, CodeKey, Terminology
from fhir_mappings.to_findings.findings import Reader
from fhir_mappings.to_findings.observations import Observed
from fhir_mappings.to_findings.onsets import Dates
from fhir_mappings.to_findings.ranges import (
    Value,
    decimal_of,
    factor_of,
    flags_of,
    judged,
    quantity_number,
    unit_of,
    why_not_judged,
)
from fhir_mappings.to_findings.statuses import NO_OBSERVATION

_FINAL = frozenset({"final", "amended", "corrected"})
# What could not be judged may be abnormal.
_SEVERITY = {Band.IN_RANGE: 0, Band.NOT_JUDGED: 1, Band.OUT_OF_RANGE: 2, Band.CRITICAL: 3}
# Possessive: a text that does not fit is not tried again from each of its blanks and digits.
_WRITTEN = re.compile(r"\s*+([<>]=?)?\s*+(-?\d++(?:\.\d++)?)\s*+(\S.*)?")


class _Judged(msgspec.Struct, frozen=True, gc=False):
    """A result. time: of day as written, to order results of one day. unjudged: why it was not judged."""

    result: Result
    time: str
    unjudged: tuple[Note, ...] = ()

    @property
    def moment(self) -> tuple[date, str]:
        return self.result.day or date.min, self.time


def results_of(reader: Reader, observations: Iterable[Observed], patient: Patient) -> tuple[Result, ...]:
    """The newest final result of each analyte, and a newer preliminary one."""
    by_analyte: dict[str, list[_Judged]] = {}
    for observed in observations:
        for judged_result in _results(reader, observed, patient):
            if reader.exists_on(judged_result.result.day):
                by_analyte.setdefault(judged_result.result.analyte, []).append(judged_result)
    kept: list[_Judged] = []
    for analyte in sorted(by_analyte):
        final = _newest([r for r in by_analyte[analyte] if not r.result.preliminary])
        preliminary = _newest([r for r in by_analyte[analyte] if r.result.preliminary])
        if final is not None:
            kept.append(final)
        if preliminary is not None and (final is None or preliminary.moment > final.moment):
            kept.append(preliminary)
    for judged_result in kept:
        reader.notes += judged_result.unjudged
    return tuple(judged_result.result for judged_result in kept)


def _newest(results: Sequence[_Judged]) -> _Judged | None:
    """The newest; of those at the same time the more abnormal one."""
    if not results:
        return None
    day = max(r.moment[0] for r in results)
    same_day = [r for r in results if r.moment[0] == day]
    latest = max(r.time for r in same_day)
    # A result of that day without a time could be the later one: it stays in.
    rivals = [r for r in same_day if not r.time or r.time == latest]
    return max(rivals, key=lambda r: (_SEVERITY[r.result.band], r.time, r.result.reference))


def _results(reader: Reader, observed: Observed, patient: Patient) -> Iterator[_Judged]:
    """The results of one Observation and of its components."""
    if observed.status in NO_OBSERVATION:
        return
    holders: list[tuple[fhir.Observation | fhir.Component, list[CodeKey], str]] = [
        (observed.resource, observed.keys, "Observation")
    ]
    holders += [
        (component, keys_of(component.code), f"Observation.component[{index}]")
        for index, component in enumerate(observed.components)
    ]
    measured = [
        (holder, analyte, place)
        for holder, keys, place in holders
        if (analyte := _analyte(keys, reader.terminology)) is not None
    ]
    if not measured:
        return
    day, time = _when(observed.resource, observed.reference, reader.notes)
    for holder, analyte, place in measured:
        value, text, unit = _value(holder, analyte)
        if not text:
            panel = isinstance(holder, fhir.Observation) and holder.component
            if holder.dataAbsentReason is not None or not panel:
                reader.notes.append(Note(observed.reference, "a result without a value", f"{place}.value"))
            continue
        interpretation = holder.interpretation
        concepts = interpretation if isinstance(interpretation, list) else [interpretation]
        flags = flags_of(concepts)
        ranges = [r for r in holder.referenceRange or () if r is not None]
        band, low, limits = judged(value, flags, ranges, analyte, patient, day)
        unjudged: tuple[Note, ...] = ()
        if band is Band.NOT_JUDGED:
            unjudged = tuple(
                Note(observed.reference, f"could not be judged: {why}", f"{place}.{member}")
                for member, why in why_not_judged(value, concepts, ranges, limits, analyte)
            )
        result = Result(
            analyte=analyte.id,
            text=text,
            unit=unit or None,
            value=value.number if value else None,
            day=day,
            flag=" ".join(flags) or None,
            band=band,
            low=low,
            preliminary=observed.status not in _FINAL,
            reference=observed.reference,
            expression=f"{place}.value",
            limits=limits,
        )
        yield _Judged(result, time, unjudged)


def _analyte(keys: Iterable[CodeKey], terminology: Terminology) -> Analyte | None:
    for key in keys:
        name = terminology.analyte_codes.get(key)
        if name is not None:
            return terminology.analytes[name]
    return None


def _when(resource: fhir.Observation, reference: str, notes: list[Note]) -> tuple[date | None, str]:
    """The day by the effective time, else issued; and the time of day in UTC where one is written."""
    dates = Dates(reference, notes)
    start, end = dates.period(resource.effectivePeriod, "Observation.effectivePeriod")
    written = resource.effectiveDateTime or resource.effectiveInstant
    days = dates.days(written, "Observation.effective")
    if not days.known:
        days = end if end.known else start
        written = resource.effectivePeriod.end if resource.effectivePeriod and end.known else None
    if not days.known:
        written = resource.issued
        days = dates.days(written, "Observation.issued")
    # The earliest possible day: an imprecise one is never newer than it is known to be.
    clock = (written or "")[11:].strip() if "T" in (written or "") else ""
    return days.earliest, clock


def _value(holder: fhir.Observation | fhir.Component, analyte: Analyte) -> tuple[Value | None, str, str]:
    """The number, if it is one, and the value and the unit as written."""
    quantity = holder.valueQuantity
    number = quantity_number(quantity)
    if quantity is not None and number is not None:
        spellings = "\n".join(u.strip() for u in (quantity.unit, quantity.code) if u and u.strip())
        comparator = (quantity.comparator or "").strip()
        value = Value(number, comparator, spellings, factor_of(quantity, analyte))
        return value, f"{comparator}{_written(quantity)}", unit_of(quantity)
    if holder.valueInteger is not None:
        value = Value(Decimal(holder.valueInteger), "", "", None)
        return value, str(holder.valueInteger), ""
    if holder.valueString:
        match = _WRITTEN.fullmatch(holder.valueString)
        number = decimal_of(match[2]) if match else None
        if match and number is not None:
            unit = (match[3] or "").strip()
            value = Value(number, match[1] or "", unit, analyte.units.get(unit))
            return value, f"{match[1] or ''}{match[2]}", unit
        return None, holder.valueString, ""
    return None, text_of(holder.valueCodeableConcept), ""


def _written(quantity: fhir.Quantity) -> str:
    return bytes(quantity.value).decode("utf-8", "replace").strip().strip('"')
