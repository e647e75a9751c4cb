"""Laboratory Observations -> the newest result of each analyte, judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from fhir_mappings.record import Band, Note, Patient, Reading, Result
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import keys_of, text_of
from fhir_mappings.resources.select import exists_on
from fhir_mappings.terminology import Analyte, CodeKey, Terminology
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

_NONE = frozenset({"entered-in-error", "cancelled", "registered"})
_FINAL = frozenset({"final", "amended", "corrected"})
# What could not be judged may be abnormal.
_SEVERITY = {Band.IN_RANGE: 0, Band.NOT_JUDGED: 1, Band.OUT_OF_RANGE: 2, Band.CRITICAL: 3}
# Possessive: a text that does not fit is not tried again from each of its blanks and digits.
_WRITTEN = re.compile(r"\s*+([<>]=?)?\s*+(-?\d++(?:\.\d++)?)\s*+(\S.*)?")


class _Dated(msgspec.Struct, frozen=True, gc=False):
    result: Result
    moment: str  # the time as written, to order results of one day
    unjudged: tuple[Note, ...] = ()  # why it could not be judged


def results_of(
    observations: Iterable[Observed],
    terminology: Terminology,
    patient: Patient,
    as_of: date,
    reading: Reading,
) -> tuple[tuple[Result, ...], tuple[Note, ...]]:
    """The newest final result of each analyte, and a newer preliminary one; notes = not understood."""
    notes: list[Note] = []
    found: dict[str, list[_Dated]] = {}
    for observed in observations:
        for dated in _read(observed, terminology, patient, notes):
            if exists_on(dated.result.day, as_of, reading.future_days):
                found.setdefault(dated.result.analyte, []).append(dated)
    kept: list[Result] = []
    for analyte in sorted(found):
        final = _newest([d for d in found[analyte] if not d.result.preliminary])
        preliminary = _newest([d for d in found[analyte] if d.result.preliminary])
        if final is not None:
            kept.append(final.result)
            notes += final.unjudged
        if preliminary is not None and (final is None or _time(preliminary) > _time(final)):
            kept.append(preliminary.result)
            notes += preliminary.unjudged
    return tuple(kept), tuple(dict.fromkeys(notes))


def _time(dated: _Dated) -> tuple[date, str]:
    return dated.result.day or date.min, dated.moment


def _newest(results: Sequence[_Dated]) -> _Dated | None:
    """The newest; of those at the same time the more abnormal one."""
    if not results:
        return None
    day = max(d.result.day or date.min for d in results)
    same_day = [d for d in results if (d.result.day or date.min) == day]
    timed = [d for d in same_day if d.moment]
    # A result of that day without a time could be the later one: it stays in.
    latest = max((d.moment for d in timed), default="")
    rivals = [d for d in same_day if not d.moment or d.moment == latest]
    return max(rivals, key=lambda d: (_SEVERITY[d.result.band], d.moment, d.result.reference))


def _read(
    observed: Observed, terminology: Terminology, patient: Patient, notes: list[Note]
) -> Iterator[_Dated]:
    resource, reference = observed.resource, observed.reference
    if observed.status in _NONE:
        return
    own = _analyte(observed.keys, terminology)
    parts = [(one, _analyte(keys_of(one.code), terminology)) for one in observed.components]
    if own is None and not any(analyte for _, analyte in parts):
        return
    day, moment = _when(resource, reference, notes)
    holders: list[tuple[fhir.Observation | fhir.Component, Analyte, str]] = []
    if own is not None:
        holders.append((resource, own, "Observation"))
    holders += [
        (component, analyte, f"Observation.component[{index}]")
        for index, (component, analyte) in enumerate(parts)
        if analyte is not None
    ]
    for holder, analyte, place in holders:
        preliminary = observed.status not in _FINAL
        read = _result(holder, analyte, place, reference, day, preliminary, patient, notes)
        if read is not None:
            result, unjudged = read
            yield _Dated(result, moment, unjudged)


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


def _result(
    holder: fhir.Observation | fhir.Component,
    analyte: Analyte,
    place: str,
    reference: str,
    day: date | None,
    preliminary: bool,
    patient: Patient,
    notes: list[Note],
) -> tuple[Result, tuple[Note, ...]] | None:
    """The result, and why it could not be judged; None where it has no value."""
    value, text, unit = _value(holder, analyte)
    if not text:
        if (
            holder.dataAbsentReason is not None
            or not isinstance(holder, fhir.Observation)
            or not holder.component
        ):
            notes.append(Note(reference, "a result without a value", f"{place}.value"))
        return None
    interpretation = holder.interpretation
    concepts = interpretation if isinstance(interpretation, list) else [interpretation]
    flags = flags_of(concepts)
    ranges = [r for r in holder.referenceRange or () if r is not None]
    band, low, limits = judged(value, flags, ranges, analyte, patient, day)
    unjudged: tuple[Note, ...] = ()
    if band is Band.NOT_JUDGED:
        unjudged = tuple(
            Note(reference, f"could not be judged: {why}", f"{place}.{member}")
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
        preliminary=preliminary,
        reference=reference,
        expression=f"{place}.value",
        limits=limits,
    )
    return result, unjudged


def _value(holder: fhir.Observation | fhir.Component, analyte: Analyte) -> tuple[Value | None, str, str]:
    """The number if there is one, the value as written, and the unit as written."""
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
