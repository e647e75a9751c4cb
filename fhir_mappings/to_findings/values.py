"""The value of a result: a number with its comparator and unit, from a Quantity, an integer or a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction

import msgspec

from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import text_of
from fhir_mappings.terminology import Analyte
from fhir_mappings.to_findings.flags import is_flag

_MAX_NUMBER_CHARACTERS = 40
_MAX_TEXT_LENGTH = 100
_DIGITS = Context(prec=28)
# "4.10", "4,10", "1,234.5", ".05". Possessive, as all below: a text that does not fit is not tried again.
NUMBER = r"-?+(?:\d++(?:[.,]\d++)*+|\.\d++)"
COMPARATORS = {"≤": "<=", "≥": ">=", "less than": "<", "under": "<", "more than": ">", "greater than": ">"}
COMPARATORS |= {"over": ">", "below": "<", "above": ">"} | {sign: sign for sign in ("<=", ">=", "<", ">")}
_COMPARATOR = "|".join(sorted(COMPARATORS, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"\s*+((?!{_COMPARATOR})[A-Za-z*!]{{1,8}}+\s++)?+({_COMPARATOR})?+\s*+({NUMBER})(.*)", re.IGNORECASE
)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,30})[)\]]")


class Value(msgspec.Struct, frozen=True, gc=False):
    """A number with its comparator and unit.

    unit: as written. names: of the unit; several where code and unit are both unknown. factor: to the
    canonical unit; None = unrecognised.
    """

    number: Fraction
    comparator: str
    unit: str
    names: frozenset[str]
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


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A value as written. value: None where it is no number. text: without unit. flag: in the same text."""

    value: Value | None
    text: str
    unit: str = ""
    flag: str = ""


def reading_of(holder: fhir.Value, analyte: Analyte) -> Reading:
    """The value of a result; its text is "" where there is none."""
    quantity = holder.valueQuantity
    number = quantity_number(quantity)
    if quantity is not None and number is not None:
        names, factor = unit_names((quantity.unit, quantity.code), analyte)
        written = _comparator(quantity.comparator)
        unit = unit_of(quantity)
        return Reading(Value(Fraction(number), written, unit, names, factor), f"{written}{number:f}", unit)
    if holder.valueInteger is not None:
        number = Decimal(holder.valueInteger)
        return Reading(Value(Fraction(number), "", "", frozenset(), None), str(number))
    if holder.valueString:
        return _reading_of_text(holder.valueString, analyte)
    return Reading(None, text_of(holder.valueCodeableConcept))


def _reading_of_text(text: str, analyte: Analyte) -> Reading:
    """ "6.9 (H) mmol/L" or "<0.01"; the text itself where a part of it is not recognised."""
    match = _WRITTEN.fullmatch(text) if len(text) <= _MAX_TEXT_LENGTH else None
    number = number_in(match[3]) if match else None
    if match is None or number is None:
        return Reading(None, text)
    flags = [match[1].strip()] if match[1] else []
    unit, more = _unit_and_flags(match[4])
    flags += more
    names, factor = unit_names((unit,), analyte)
    known = factor is not None or names <= set(analyte.spellings.names.values())
    if not all(map(is_flag, flags)) or not (known or " " not in unit):
        return Reading(None, text)
    comparator = _comparator(match[2])
    value = Value(Fraction(number), comparator, unit, names, factor)
    return Reading(value, f"{comparator}{number:f}", unit, " ".join(flags))


def _unit_and_flags(rest: str) -> tuple[str, list[str]]:
    """What follows a number: a unit, with a flag in brackets, before or after it."""
    flags: list[str] = []

    def taken(match: re.Match[str]) -> str:
        if not is_flag(match[1]):
            return match[0]
        flags.append(match[1])
        return " "

    words = _BRACKETS.sub(taken, rest).split()
    for first, last in ((0, length) for length in range(len(words), 0, -1)):
        if is_flag(" ".join(words[first:last])):
            return " ".join(words[last:]), [*flags, " ".join(words[:last])]
    for first in range(1, len(words)):
        if is_flag(" ".join(words[first:])):
            return " ".join(words[:first]), [*flags, " ".join(words[first:])]
    return " ".join(words), flags


def _comparator(written: str | None) -> str:
    text = (written or "").strip()
    return COMPARATORS.get(text.lower(), text)


def decimal_of(text: str) -> Decimal | None:
    """An exact number, or None."""
    if len(text) > _MAX_NUMBER_CHARACTERS:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _MAX_NUMBER_CHARACTERS else None


def number_in(text: str) -> Decimal | None:
    """A number with a decimal point or comma, and separators of thousands; None where it can mean two.

    >>> number_in("6,9"), number_in("1,234.5"), number_in("1,234")
    (Decimal('6.9'), Decimal('1234.5'), None)
    """
    marks = [mark for mark in text if mark in ".,"]
    if not marks or (marks == ["."]):
        return decimal_of(text)
    *groups, last = re.split(r"[.,]", text)
    thousands = all(len(group) == 3 for group in groups[1:]) and 1 <= len(groups[0].lstrip("-")) <= 3
    if len(marks) == 1:
        # "1,234" may be a number of four digits or one with three decimals.
        return None if len(last) == 3 and groups[0].lstrip("-0") else decimal_of(f"{groups[0]}.{last}")
    if not thousands or len(set(marks[:-1])) > 1:
        return None
    if marks[-1] == marks[0]:
        return decimal_of("".join((*groups, last))) if len(last) == 3 else None
    return decimal_of(f"{''.join(groups)}.{last}")


def quantity_number(quantity: fhir.Quantity | None) -> Decimal | None:
    """The value of a Quantity as written, 4.10 staying 4.10; None where it has none."""
    if quantity is None:
        return None
    written = bytes(quantity.value).decode("utf-8", "replace").strip()
    if not written.startswith('"'):
        return decimal_of(written)
    text = written.strip('"').strip()
    return decimal_of(text) if len(text) > _MAX_NUMBER_CHARACTERS else number_in(text)


def unit_of(quantity: fhir.Quantity | None) -> str:
    """The unit as a person writes it, else its code."""
    return ((quantity.unit or quantity.code or "") if quantity else "").strip()


def unit_names(written: Iterable[str | None], analyte: Analyte) -> tuple[frozenset[str], Fraction | None]:
    """The names of a unit, and its factor to the analyte's own; None where it is missing or unrecognised.

    Spellings that contradict each other have neither.
    """
    names = frozenset(_names(written, analyte))
    factors = {analyte.units[name] for name in names if name in analyte.units}
    if len(factors) > 1:
        return frozenset(), None
    return names, factors.pop() if factors else None


def _names(written: Iterable[str | None], analyte: Analyte) -> Iterator[str]:
    for unit in written:
        if unit and unit.strip():
            yield analyte.spellings.name_of(unit.strip())


def decimal_from(number: Fraction) -> Decimal:
    """A fraction as a decimal of at most 28 digits."""
    return _DIGITS.divide(Decimal(number.numerator), Decimal(number.denominator))
