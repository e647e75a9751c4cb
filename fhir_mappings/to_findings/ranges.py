"""The band of a value, by its flag, its own or the default range, and the critical limits.

Numbers are compared as fractions: a factor such as 10/40.078 has no last decimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction

import msgspec

from fhir_mappings.record import Band, Limits, Patient
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import text_of
from fhir_mappings.terminology import Analyte
from fhir_mappings.to_findings.flags import Flags

_DAYS_OF = {"a": 365.25, "mo": 365.25 / 12, "wk": 7.0, "d": 1.0}
_MAX_NUMBER_CHARACTERS = 40
_DIGITS = Context(prec=28)
# "3.5 - 5.1 mmol/L" or "< 5.1". Possessive: a text that does not fit is not tried again from each blank.
_NUMBER = r"(-?\d++(?:\.\d++)?)"
_FROM_TO = re.compile(rf"\s*+{_NUMBER}\s*+(?:-|\u2013|\u2014|to)\s*+{_NUMBER}\s*+(\S.*)?")
_UP_TO = re.compile(rf"\s*+(<=?|>=?|\u2264|\u2265)\s*+{_NUMBER}\s*+(\S.*)?")
_MAX_RANGE_LENGTH = 100


class Value(msgspec.Struct, frozen=True, gc=False):
    """A number with its comparator and unit.

    unit: its spellings, one a line. factor: to the canonical unit; None = unrecognised.
    """

    number: Fraction
    comparator: str
    unit: str
    factor: Fraction | None

    @property
    def canonical(self) -> Fraction | None:
        """The number in the unit of the analyte, None where the unit is unrecognised."""
        return None if self.factor is None else self.number * self.factor

    def surely_below(self, limit: Fraction, *, inclusive: bool = False) -> bool:
        """Whether the number is below the limit, however the comparator is meant."""
        return _below(self.number, limit, self.comparator, "<", inclusive)

    def surely_above(self, limit: Fraction, *, inclusive: bool = False) -> bool:
        """Whether the number is above the limit, however the comparator is meant."""
        return _below(-self.number, -limit, self.comparator, ">", inclusive)


def _below(number: Fraction, limit: Fraction, comparator: str, open_end: str, inclusive: bool) -> bool:
    if comparator in ("", f"{open_end}="):
        return number <= limit if inclusive else number < limit
    # "<2.5" is below 2.5 for certain.
    return comparator == open_end and number <= limit


def decimal_of(text: str) -> Decimal | None:
    """An exact number, or None."""
    if len(text) > _MAX_NUMBER_CHARACTERS:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _MAX_NUMBER_CHARACTERS else None


def quantity_number(quantity: fhir.Quantity | None) -> Decimal | None:
    """The value of a Quantity as written, 4.10 staying 4.10; None where it has none."""
    if quantity is None:
        return None
    return decimal_of(bytes(quantity.value).decode("utf-8", "replace").strip().strip('"'))


def unit_of(quantity: fhir.Quantity | None) -> str:
    """The unit as a person writes it, else its code."""
    return ((quantity.unit or quantity.code or "") if quantity else "").strip()


def decimal_from(number: Fraction) -> Decimal:
    """A fraction as a decimal of at most 28 digits."""
    return _DIGITS.divide(Decimal(number.numerator), Decimal(number.denominator))


def factor_of(quantity: fhir.Quantity | None, analyte: Analyte) -> Fraction | None:
    """The factor from the unit to the analyte's own; None where the unit is missing or unrecognised."""
    if quantity is None:
        return None
    found = {
        Fraction(analyte.units[unit.strip()])
        for unit in (quantity.code, quantity.unit)
        if unit and unit.strip() in analyte.units
    }
    # Code and unit that contradict each other are unrecognised.
    return found.pop() if len(found) == 1 else None


def judged(
    value: Value | None,
    flags: Flags,
    ranges: Sequence[fhir.ReferenceRange],
    analyte: Analyte,
    patient: Patient,
    day: date | None,
) -> tuple[Band, bool | None, Limits | None]:
    """The band, whether the value is low (True), high (False) or neither is known (None), and its range."""
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
    if limits is not None:
        if _side(value, limits) is None:
            yield "value", "its comparator leaves it open"
        return
    ranges = [r for r in ranges if not _is_no_range(r)]
    if ranges:
        yield "referenceRange", "its range cannot be compared"
    if analyte.units and value.factor is None:
        yield "value", "its unit is not recognised" if value.unit else "it has no unit"
    elif not ranges:
        yield "referenceRange", "it has no range"


def _critical_side(value: Value | None, analyte: Analyte) -> bool | None:
    """True if critically low, False if critically high, by limits converted exactly to the value's unit."""
    if value is None or value.canonical is None:
        return None
    scaled = Value(value.canonical, value.comparator, "", Fraction(1))
    low, high = analyte.critical_low, analyte.critical_high
    if low is not None and scaled.surely_below(Fraction(low), inclusive=True):
        return True
    if high is not None and scaled.surely_above(Fraction(high), inclusive=True):
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
    fitting = [r for r in ranges if _is_normal(r) and not _is_no_range(r) and _fits(r, patient, day)]
    # One made for this sex or age goes before one for everybody.
    fitting.sort(key=lambda r: not (r.appliesTo or r.age))
    for reference_range in fitting:
        limits = _own_limits(value, reference_range, analyte)
        if limits is not None:
            return limits
    if any(r.low or r.high or (r.text or "").strip() for r in fitting):
        return None  # a range of another unit, or in other words: never compared, and no default in its place
    if value.canonical is None or (analyte.default_low is None and analyte.default_high is None):
        return None
    number = decimal_from(value.canonical)
    return Limits(number, analyte.default_low, analyte.default_high, analyte.unit or "", own=False)


class _Bound(msgspec.Struct, frozen=True, gc=False):
    """One side of a range. unit: its spellings, one a line, or "". open: itself outside the range."""

    number: Decimal
    unit: str
    factor: Fraction | None
    open: bool = False


def _own_limits(value: Value, reference_range: fhir.ReferenceRange, analyte: Analyte) -> Limits | None:
    """The range, and the value in its unit; None where they cannot be compared."""
    low, high = _bounds(reference_range, analyte)
    if low is None and high is None:
        return None
    if any(bound.open and value.number == Fraction(bound.number) for bound in (low, high) if bound):
        return None
    bounds = [bound for bound in (low, high) if bound is not None]
    if all(_same_unit(bound, value) for bound in bounds):
        number, unit = value.number, value.unit
    else:
        # One unit for both sides, and a known one.
        factors, units = {bound.factor for bound in bounds}, {bound.unit for bound in bounds}
        factor = factors.pop() if len(factors) == len(units) == 1 else None
        if factor is None or value.canonical is None:
            return None
        number, unit = value.canonical / factor, units.pop()
    lowest, highest = (None if bound is None else bound.number for bound in (low, high))
    return Limits(decimal_from(number), lowest, highest, unit.partition("\n")[0])


def _same_unit(bound: _Bound, value: Value) -> bool:
    """Whether a bound is in the unit of the value: one without a unit is."""
    units, of_value = bound.unit.lower().split("\n"), value.unit.lower().split("\n")
    return not bound.unit or not set(units).isdisjoint(of_value)


def _bounds(reference_range: fhir.ReferenceRange, analyte: Analyte) -> tuple[_Bound | None, _Bound | None]:
    """The lowest and the highest number in the range, by its members, else by its text."""
    if reference_range.low is not None or reference_range.high is not None:
        return _bound(reference_range.low, analyte), _bound(reference_range.high, analyte)
    text = (reference_range.text or "").strip()
    if len(text) > _MAX_RANGE_LENGTH:
        return None, None
    if match := _FROM_TO.fullmatch(text):
        return _written_bound(match[1], match[3], analyte), _written_bound(match[2], match[3], analyte)
    if match := _UP_TO.fullmatch(text):
        bound = _written_bound(match[2], match[3], analyte, is_open=match[1] in ("<", ">"))
        return (None, bound) if match[1] in ("<", "<=", "\u2264") else (bound, None)
    return None, None


def _written_bound(
    number: str, unit: str | None, analyte: Analyte, *, is_open: bool = False
) -> _Bound | None:
    read, unit = decimal_of(number), (unit or "").strip()
    factor = Fraction(analyte.units[unit]) if unit in analyte.units else None
    return None if read is None else _Bound(read, unit, factor, is_open)


def _bound(quantity: fhir.Quantity | None, analyte: Analyte) -> _Bound | None:
    number = quantity_number(quantity)
    if number is None or quantity is None:
        return None
    spellings = "\n".join(unit.strip() for unit in (quantity.unit, quantity.code) if unit and unit.strip())
    return _Bound(number, spellings, factor_of(quantity, analyte))


def _side(value: Value | None, limits: Limits | None) -> bool | str | None:
    """True below, False above, "inside", or None where no range can be compared."""
    if value is None or limits is None:
        return None
    return _compared(Value(Fraction(limits.number), value.comparator, "", None), limits.low, limits.high)


def _compared(value: Value, lowest: Decimal | None, highest: Decimal | None) -> bool | str | None:
    low, high = (None if bound is None else Fraction(bound) for bound in (lowest, highest))
    if low is not None and value.surely_below(low):
        return True
    if high is not None and value.surely_above(high):
        return False
    if not value.comparator:
        return "inside"
    # "<5" is inside only if there is no lower bound that it could be under.
    if value.comparator in ("<", "<=") and low is None and high is not None and value.number <= high:
        return "inside"
    if value.comparator in (">", ">=") and high is None and low is not None and value.number >= low:
        return "inside"
    return None


def _is_no_range(reference_range: fhir.ReferenceRange) -> bool:
    """Whether its bounds are 0 and 0, or reversed, as some systems write where they have no range."""
    low, high = quantity_number(reference_range.low), quantity_number(reference_range.high)
    if reference_range.low is None and reference_range.high is None:
        match = _FROM_TO.fullmatch((reference_range.text or "")[:_MAX_RANGE_LENGTH])
        low, high = (decimal_of(match[1]), decimal_of(match[2])) if match else (None, None)
    return low is not None and high is not None and (low > high or low == high == 0)


def _is_normal(reference_range: fhir.ReferenceRange) -> bool:
    kind = reference_range.type
    if kind is None:
        return True
    codes = [coding.code for coding in kind.coding or () if coding is not None]
    return "normal" in codes or (not codes and (kind.text or "normal").strip().lower().startswith("normal"))


def _fits(reference_range: fhir.ReferenceRange, patient: Patient, day: date | None) -> bool:
    """Whether the range is for everybody, or for this sex and age. Unrecognised fits nobody."""
    for concept in reference_range.appliesTo or ():
        if concept is None:
            continue
        words = [text_of(concept), *((c.display or c.code or "") for c in concept.coding or () if c)]
        words += [c.code or "" for c in concept.coding or () if c]
        applies_to = {word.strip().lower() for word in words if word}
        names = {"male": {"male", "m", "man", "men"}, "female": {"female", "f", "woman", "women"}}
        if not applies_to & names.get(patient.sex or "", set()):
            return False
    if reference_range.age is None:
        return True
    if patient.born.earliest is None or patient.born.latest is None or day is None:
        return False
    youngest, oldest = (day - patient.born.latest).days, (day - patient.born.earliest).days
    low, high = _age_days(reference_range.age.low), _age_days(reference_range.age.high)
    return (low is None or youngest >= low) and (high is None or oldest <= high)


def _age_days(quantity: fhir.Quantity | None) -> float | None:
    number = quantity_number(quantity)
    unit = (quantity.code or quantity.unit or "a").strip().lower() if quantity else ""
    days = _DAYS_OF.get(unit, 365.25 if unit.startswith("y") else None)
    return None if number is None or days is None else float(number) * days
