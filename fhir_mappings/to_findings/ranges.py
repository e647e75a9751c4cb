"""The band of a value, by its flag, its own or the default range, and the critical limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from fhir_mappings.record import Band, Limits, Patient
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import text_of
from fhir_mappings.terminology import Analyte

_OUT = {"H": False, "HH": False, "L": True, "LL": True, "A": None, "AA": None}
_CRITICAL = frozenset({"HH", "LL", "AA"})
_DAYS_OF = {"a": 365.25, "mo": 365.25 / 12, "wk": 7.0, "d": 1.0}
_MAX_NUMBER_CHARACTERS = 40


class Value(msgspec.Struct, frozen=True, gc=False):
    """A number with its comparator and unit. factor: to the canonical unit; None = unrecognised."""

    number: Decimal
    comparator: str
    unit: str
    factor: Decimal | None

    def surely_below(self, limit: Decimal, *, inclusive: bool = False) -> bool:
        """Whether the number is below the limit, however the comparator is meant."""
        return _below(self.number, limit, self.comparator, "<", inclusive)

    def surely_above(self, limit: Decimal, *, inclusive: bool = False) -> bool:
        """Whether the number is above the limit, however the comparator is meant."""
        return _below(-self.number, -limit, self.comparator, ">", inclusive)


def _below(number: Decimal, limit: Decimal, comparator: str, open_end: str, inclusive: bool) -> bool:
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


def factor_of(quantity: fhir.Quantity | None, analyte: Analyte) -> Decimal | None:
    """The factor from the unit to the analyte's own; None where the unit is missing or unrecognised."""
    if quantity is None:
        return None
    found = {
        analyte.units[unit.strip()]
        for unit in (quantity.code, quantity.unit)
        if unit and unit.strip() in analyte.units
    }
    # Code and unit that contradict each other are unrecognised.
    return found.pop() if len(found) == 1 else None


def flags_of(concepts: Iterable[fhir.CodeableConcept | None]) -> tuple[str, ...]:
    """The interpretation codes that place a value in or out of the range, as written."""
    codes = [
        (coding.code or "").strip()
        for concept in concepts
        if concept is not None
        for coding in concept.coding or ()
        if coding is not None
    ]
    codes += [text_of(c).strip() for c in concepts if c is not None and not c.coding]
    return tuple(code for code in codes if code.upper() in _OUT or code.upper() == "N")


def judged(
    value: Value | None,
    flags: Sequence[str],
    ranges: Sequence[fhir.ReferenceRange],
    analyte: Analyte,
    patient: Patient,
    day: date | None,
) -> tuple[Band, bool | None, Limits | None]:
    """The band, whether the value is low (True), high (False) or neither is known (None), and its range."""
    limits = _limits(value, ranges, analyte, patient, day)
    return *_band(value, flags, limits, analyte), limits


def _band(
    value: Value | None, flags: Sequence[str], limits: Limits | None, analyte: Analyte
) -> tuple[Band, bool | None]:
    upper = [flag.upper() for flag in flags]
    out = [flag for flag in upper if flag in _OUT]
    low = next((_OUT[flag] for flag in out if _OUT[flag] is not None), None)
    side = _side(value, limits)
    critical = _critical_side(value, analyte)
    if low is None:
        low = critical if critical is not None else side if isinstance(side, bool) else None
    if critical is not None or any(flag in _CRITICAL for flag in out):
        return Band.CRITICAL, low
    if out or isinstance(side, bool):
        return Band.OUT_OF_RANGE, low
    if side == "inside" or "N" in upper:
        return Band.IN_RANGE, None
    return Band.NOT_JUDGED, None


def why_not_judged(
    value: Value | None,
    concepts: Iterable[fhir.CodeableConcept | None],
    ranges: Sequence[fhir.ReferenceRange],
    limits: Limits | None,
    analyte: Analyte,
) -> Iterator[tuple[str, str]]:
    """The member at fault and the reason, of a result in the band NOT_JUDGED. limits: as judged."""
    if any(concept is not None and text_of(concept).strip() for concept in concepts):
        yield "interpretation", "its flag is not recognised"
    if value is None:
        yield "value", "its value is no number"
        return
    if limits is not None:
        yield "value", "its comparator leaves it open"
        return
    if ranges:
        yield "referenceRange", "its range cannot be compared"
    if analyte.units and value.factor is None:
        yield "value", "its unit is not recognised" if value.unit else "it has no unit"
    elif not ranges:
        yield "referenceRange", "it has no range"


def _critical_side(value: Value | None, analyte: Analyte) -> bool | None:
    """True if critically low, False if critically high, by limits converted exactly to the value's unit."""
    if value is None or value.factor is None:
        return None
    # number * factor <= limit, rather than a division that would round.
    scaled = Value(value.number * value.factor, value.comparator, "", Decimal(1))
    if analyte.critical_low is not None and scaled.surely_below(analyte.critical_low, inclusive=True):
        return True
    if analyte.critical_high is not None and scaled.surely_above(analyte.critical_high, inclusive=True):
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
    fitting = [r for r in ranges if _is_normal(r) and _fits(r, patient, day)]
    # One made for this sex or age goes before one for everybody.
    fitting.sort(key=lambda r: not (r.appliesTo or r.age))
    for reference_range in fitting:
        low, high = _bound(reference_range.low, value), _bound(reference_range.high, value)
        if low is not None or high is not None:
            return Limits(value.number, low, high, value.unit.partition("\n")[0])
    if fitting and any(r.low or r.high for r in fitting):
        return None  # a range of another unit: never compared, and no default in its place
    if value.factor is None or (analyte.default_low is None and analyte.default_high is None):
        return None
    number = value.number * value.factor
    return Limits(number, analyte.default_low, analyte.default_high, analyte.unit or "", own=False)


def _side(value: Value | None, limits: Limits | None) -> bool | str | None:
    """True below, False above, "inside", or None where no range can be compared."""
    if value is None or limits is None:
        return None
    scaled = value if limits.own else Value(limits.number, value.comparator, "", Decimal(1))
    return _compared(scaled, limits.low, limits.high)


def _compared(value: Value, low: Decimal | None, high: Decimal | None) -> bool | str | None:
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


def _bound(quantity: fhir.Quantity | None, value: Value) -> Decimal | None:
    """A bound of the range, if it is in the value's unit (a bound without a unit is)."""
    number = quantity_number(quantity)
    if number is None or quantity is None:
        return None
    units = {unit.strip().lower() for unit in (quantity.unit, quantity.code) if unit and unit.strip()}
    if units and value.unit and not units & set(value.unit.lower().split("\n")):
        return None
    return None if units and not value.unit else number


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
