"""The band of a value, by its flag, its own or the default range, and the critical limits.

Numbers are compared exactly, decimals with fractions too: a factor such as 10/40.078 has no last decimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from fhir_mappings.code_systems import folded
from fhir_mappings.record import Band, Limits, Patient
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.terminology import Analyte, ResultWords
from fhir_mappings.to_findings.flags import Flags
from fhir_mappings.to_findings.range_text import WrittenBound, bare, bounds_in
from fhir_mappings.to_findings.values import (
    Number,
    Value,
    decimal_from,
    number_in,
    quantity_number,
    surely_above,
    surely_below,
    unit_names,
    unit_of,
)

_DAYS_OF = {"a": 365.25, "mo": 365.25 / 12, "wk": 7.0, "d": 1.0}
# Numbers that stand for "none": 9999.
_NINES = re.compile(r"9{3,}(?:\.9*0*)?|9{4,}")
_YEAR_DAYS = 365.25


def judged(
    value: Value | None,
    flags: Flags,
    ranges: Sequence[fhir.ReferenceRange],
    analyte: Analyte,
    patient: Patient,
    day: date | None,
) -> tuple[Band, bool | None, Limits | None]:
    """The band, whether the value is low (True), high (False) or neither is known (None), and its range."""
    if value is not None and _is_impossible(value, analyte):
        value = None
    limits = _limits(value, ranges, analyte, patient, day)
    return *_band(value, flags, limits, analyte), limits


def _band(
    value: Value | None, flags: Flags, limits: Limits | None, analyte: Analyte
) -> tuple[Band, bool | None]:
    side = _side(value, limits)
    critical = _critical_side(value, analyte)
    low = flags.low
    if low is None:
        low = critical if critical is not None else side if isinstance(side, bool) else None
    if critical is not None or flags.band is Band.CRITICAL:
        return Band.CRITICAL, low
    if flags.band is Band.OUT_OF_RANGE or isinstance(side, bool):
        return Band.OUT_OF_RANGE, low
    # An unrecognised flag may say that it is abnormal.
    if not flags.unrecognised and (side == "inside" or flags.band is Band.IN_RANGE):
        return Band.IN_RANGE, None
    return Band.NOT_JUDGED, None


def _is_impossible(value: Value, analyte: Analyte) -> bool:
    """Whether it is no measurement: below 0, or nines far beyond what is critical, which stand for "none"."""
    highest = analyte.critical_high or analyte.default_high
    number = decimal_from(value.number)
    return number < 0 or (
        highest is not None
        and _NINES.fullmatch(f"{number:f}") is not None
        and value.canonical is not None
        and value.canonical > analyte.words.nines_beyond * highest
    )


def why_not_judged(
    value: Value | None,
    flags: Flags,
    ranges: Sequence[fhir.ReferenceRange],
    limits: Limits | None,
    analyte: Analyte,
) -> Iterator[tuple[str, str]]:
    """The member at fault and the reason, of a result in the band NOT_JUDGED. limits: as judged."""
    if flags.unrecognised:
        yield "interpretation", "its flag is not recognised"
    if value is None:
        yield "value", "its value is no number"
        return
    if _is_impossible(value, analyte):
        yield "value", "its value is impossible"
        return
    if limits is not None:
        if _side(value, limits) is None:
            yield "value", "its comparator leaves it open"
        return
    written = any(_is_written(r, analyte) for r in ranges)
    if written:
        yield "referenceRange", "its range cannot be compared"
    if analyte.units and value.factor is None:
        yield "value", "its unit is not recognised" if value.unit else "it has no unit"
    elif not written:
        yield "referenceRange", "it has no range"


def _critical_side(value: Value | None, analyte: Analyte) -> bool | None:
    """True if critically low, False if critically high, by limits converted exactly to the value's unit."""
    canonical = value.canonical if value is not None else None
    if value is None or canonical is None:
        return None
    low, high = analyte.critical_low, analyte.critical_high
    if low is not None and surely_below(canonical, value.comparator, low, inclusive=True):
        return True
    if high is not None and surely_above(canonical, value.comparator, high, inclusive=True):
        return False
    return None


def _limits(
    value: Value | None,
    ranges: Sequence[fhir.ReferenceRange],
    analyte: Analyte,
    patient: Patient,
    day: date | None,
) -> Limits | None:
    """The range that the value can be compared with, None where there is none."""
    if value is None:
        return None
    fitting = [r for r in ranges if _is_usual(r, analyte.words) and _fits(r, analyte.words, patient, day)]
    # One made for this sex or age goes before one for everybody.
    own = [r for r in fitting if r.appliesTo or r.age] or fitting
    readable = [limits for r in own if (limits := _own_limits(value, r, analyte)) is not None]
    if readable:
        # Several that disagree about the value judge nothing.
        agree = len(readable) == 1 or len({_side(value, limits) for limits in readable}) == 1
        return readable[0] if agree and not _is_half(readable[0], value, analyte) else None
    if any(_is_written(r, analyte) for r in fitting):
        return None  # a range of another unit, or in other words: never compared, and no default in its place
    if value.canonical is None or (analyte.default_low is None and analyte.default_high is None):
        return None
    number = decimal_from(value.canonical)
    return Limits(number, analyte.default_low, analyte.default_high, analyte.unit or "", own=False)


def _is_half(limits: Limits, value: Value, analyte: Analyte) -> bool:
    """Whether the side that the range leaves open is where the default range has the value outside."""
    low = analyte.default_low if limits.low is None else None
    high = analyte.default_high if limits.high is None else None
    if (low is None and high is None) or value.canonical is None or _side(value, limits) != "inside":
        return False
    return isinstance(_compared(value.canonical, value.comparator, low, high), bool)


class _Bound(msgspec.Struct, frozen=True, gc=False):
    """One side of a range. unit: as written. names: of it. open: itself outside the range."""

    number: Decimal
    unit: str
    names: frozenset[str]
    factor: Fraction | None
    open: bool = False


def _own_limits(value: Value, reference_range: fhir.ReferenceRange, analyte: Analyte) -> Limits | None:
    """The range, and the value in its unit; None where they cannot be compared, or it is no range."""
    low, high = _bounds(reference_range, analyte)
    if _is_none(low, high):
        return None
    bounds = [bound for bound in (low, high) if bound is not None]
    same_unit = True
    for bound in bounds:
        if bound.open and value.number == bound.number:
            return None
        same_unit = same_unit and (not bound.unit or not bound.names.isdisjoint(value.names))
    if same_unit:
        number, unit = value.number, value.unit
    else:
        # One unit for both sides, and a known one.
        factors = {bound.factor for bound in bounds}
        factor = factors.pop() if len(factors) == 1 else None
        if factor is None or value.canonical is None:
            return None
        number, unit = value.canonical / factor, bounds[0].unit
    lowest = None if low is None else low.number
    highest = None if high is None else high.number
    return Limits(decimal_from(number), lowest, highest, unit)


def _bounds(reference_range: fhir.ReferenceRange, analyte: Analyte) -> tuple[_Bound | None, _Bound | None]:
    """The lowest and the highest number in the range, by its members, else by its text."""
    low, high = _bound(reference_range.low, analyte, "<"), _bound(reference_range.high, analyte, ">")
    if low is not None and high is not None and not _is_none(low, high):
        return low, high
    # A converter may bring over one side alone, or none.
    lowest, highest = _bounds_in_words(reference_range, analyte)
    if lowest is None and highest is None:
        return low, high
    return (lowest, highest) if _is_none(low, high) else (low or lowest, high or highest)


def _bounds_in_words(
    reference_range: fhir.ReferenceRange, analyte: Analyte
) -> tuple[_Bound | None, _Bound | None]:
    lowest, highest = bounds_in(reference_range.text)
    return _of_text(lowest, analyte), _of_text(highest, analyte)


def _of_text(written: WrittenBound | None, analyte: Analyte) -> _Bound | None:
    number = None if written is None else number_in(written.number)
    if written is None or number is None:
        return None
    return _Bound(number, written.unit, *unit_names((written.unit,), analyte), written.is_open)


def _bound(quantity: fhir.Quantity | None, analyte: Analyte, other_side: str) -> _Bound | None:
    number = quantity_number(quantity)
    # "<5.1" as the lowest number is none.
    if number is None or quantity is None or (quantity.comparator or "").startswith(other_side):
        return None
    return _Bound(number, unit_of(quantity), *unit_names((quantity.unit, quantity.code), analyte))


def _is_none(low: _Bound | None, high: _Bound | None) -> bool:
    """Whether the bounds are no range: 0 and 0, reversed, or numbers that stand for "none"."""
    for bound in (low, high):
        if bound is not None and (bound.number < 0 or _NINES.fullmatch(f"{bound.number:f}")):
            return True
    if low is not None and high is not None:
        return low.number >= high.number
    only = low or high
    return only is None or only.number == 0


def _is_written(reference_range: fhir.ReferenceRange, analyte: Analyte) -> bool:
    """Whether it states a range, one that can be read or not; 0 to 0 states none."""
    low, high = _bounds(reference_range, analyte)
    if low is not None or high is not None:
        return not _is_none(low, high)
    text = bare(reference_range.text)
    said = any(map(str.isalnum, text)) and text.casefold() not in analyte.words.none
    return bool(said or _has_number(reference_range.low) or _has_number(reference_range.high))


def _has_number(quantity: fhir.Quantity | None) -> bool:
    return quantity is not None and quantity.value != fhir.NOT_THERE


def _side(value: Value | None, limits: Limits | None) -> bool | str | None:
    """True below, False above, "inside", or None where no range can be compared."""
    if value is None or limits is None:
        return None
    return _compared(limits.number, value.comparator, limits.low, limits.high)


def _compared(
    number: Number, comparator: str, low: Decimal | None, high: Decimal | None
) -> bool | str | None:
    if low is not None and surely_below(number, comparator, low):
        return True
    if high is not None and surely_above(number, comparator, high):
        return False
    if not comparator:
        return "inside"
    # "<5" is inside only if there is no lower bound that it could be under.
    if comparator in ("<", "<=") and low is None and high is not None and number <= high:
        return "inside"
    if comparator in (">", ">=") and high is None and low is not None and number >= low:
        return "inside"
    return None


def _is_usual(reference_range: fhir.ReferenceRange, known: ResultWords) -> bool:
    """Whether it is the usual range: by its type, or because it has none."""
    words = _words(reference_range.type)
    return not words or not words.isdisjoint(known.usual)


def _fits(
    reference_range: fhir.ReferenceRange, known: ResultWords, patient: Patient, day: date | None
) -> bool:
    """Whether the range is for everybody, or for this sex and age. Unrecognised fits nobody."""
    if reference_range.appliesTo:
        fitting = known.everybody | known.sexes.get(patient.sex or "", frozenset())
        if _is_adult(patient, day, known.adult_years):
            fitting |= known.adults
        if any(words and words.isdisjoint(fitting) for words in map(_words, reference_range.appliesTo)):
            return False
    if reference_range.age is None:
        return True
    if patient.born.earliest is None or patient.born.latest is None or day is None:
        return False
    youngest, oldest = (day - patient.born.latest).days, (day - patient.born.earliest).days
    low, high = _age_days(reference_range.age.low), _age_days(reference_range.age.high)
    return (low is None or youngest >= low) and (high is None or oldest <= high)


def _is_adult(patient: Patient, day: date | None, adult_years: int) -> bool:
    """Also where the age is unknown."""
    born = patient.born.latest
    return born is None or day is None or (day - born).days >= adult_years * _YEAR_DAYS


def _words(concept: fhir.CodeableConcept | None) -> set[str]:
    """The text, codes and displays of a concept, folded."""
    if concept is None:
        return set()
    codings = [coding for coding in concept.coding or () if coding is not None]
    written = (concept.text, *(word for coding in codings for word in (coding.code, coding.display)))
    return {folded(word) for word in written if word and word.strip()}


def _age_days(quantity: fhir.Quantity | None) -> float | None:
    number = quantity_number(quantity)
    unit = (quantity.code or quantity.unit or "a").strip().lower() if quantity else ""
    days = _DAYS_OF.get(unit, 365.25 if unit.startswith("y") else None)
    return None if number is None or days is None else float(number) * days
