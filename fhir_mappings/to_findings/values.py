"""The value of a result: a number with its comparator and unit, from a Quantity, an integer or a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction

import msgspec

from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import text_of
from fhir_mappings.terminology import Analyte
from fhir_mappings.to_findings.flags import is_flag
from fhir_mappings.to_findings.range_text import NUMBER, bounds_in

_MAX_NUMBER_CHARACTERS = 40
_MAX_TEXT_LENGTH = 100
_DIGITS = Context(prec=28)
COMPARATORS = {"≤": "<=", "≥": ">=", "less than": "<", "under": "<", "more than": ">", "greater than": ">"}
COMPARATORS |= {"over": ">", "below": "<", "above": ">"} | {sign: sign for sign in ("<=", ">=", "<", ">")}
_COMPARATOR = "|".join(sorted(COMPARATORS, key=len, reverse=True))
# A label or a flag, a comparator, a number, and the rest.
_WRITTEN = re.compile(
    rf"([^\d<>\u2264\u2265]{{0,40}}?)({_COMPARATOR})?+\s*+=?+\s*+({NUMBER})(.*)", re.IGNORECASE
)
# The charge of an ion: "K+", "Ca2+", "Mg++".
_CHARGE = r"(?:\s?+\(?+(?:[12]?+\+{1,2}+|[\u00b9\u00b2]?+\u207a)\)?+)?+"
_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,30})[)\]]")
_PUNCTUATION = " :;,-\u2013"
# They are compared with each other exactly.
Number = Decimal | Fraction


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
        if self.factor is None:
            return None
        return self.number if self.factor == 1 else self.number * self.factor


def surely_below(number: Number, comparator: str, limit: Decimal, *, inclusive: bool = False) -> bool:
    """Whether the number is below the limit, however the comparator is meant."""
    if comparator in ("", "<="):
        return number <= limit if inclusive else number < limit
    # "<2.5" is below 2.5 for certain.
    return comparator == "<" and number <= limit


def surely_above(number: Number, comparator: str, limit: Decimal, *, inclusive: bool = False) -> bool:
    """Whether the number is above the limit, however the comparator is meant."""
    if comparator in ("", ">="):
        return number >= limit if inclusive else number > limit
    return comparator == ">" and number >= limit


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A value as written. value: None where it is no number. text: without unit.

    flag, ranges: in the same text.
    """

    value: Value | None
    text: str
    unit: str = ""
    flag: str = ""
    ranges: tuple[str, ...] = ()


def reading_of(holder: fhir.Value, analyte: Analyte) -> Reading:
    """The value of a result; its text is "" where there is none."""
    quantity = holder.valueQuantity
    number = quantity_number(quantity)
    if quantity is not None and number is not None:
        names, factor = unit_names((quantity.unit, quantity.code), analyte)
        written = _comparator(quantity.comparator)
        unit = unit_of(quantity)
        return Reading(Value(Fraction(number), written, unit, names, factor), f"{written}{number:f}", unit)
    if quantity is not None and (text := _text_in(quantity)):
        return _reading_of_text(f"{text} {unit_of(quantity)}".strip(), analyte)
    if holder.valueInteger is not None:
        number = Decimal(holder.valueInteger)
        return Reading(Value(Fraction(number), "", "", frozenset(), None), str(number))
    return _reading_of_text(holder.valueString or text_of(holder.valueCodeableConcept), analyte)


def _reading_of_text(text: str, analyte: Analyte) -> Reading:
    """ "K 6.9 (H) mmol/L (3.5-5.1)" or "<0.01"; the text itself where a part of it is not recognised."""
    if len(text) > _MAX_TEXT_LENGTH:
        return Reading(None, text)
    match = _WRITTEN.fullmatch(_without_label(" ".join(text.split()), analyte).rstrip("."))
    number = number_in(match[3]) if match else None
    if match is None or number is None:
        return Reading(None, text)
    before = match[1].strip(_PUNCTUATION)
    rest, flags, ranges = _without_brackets(match[4], analyte)
    rest, at_end = _without_range_at_end(rest)
    unit, more = _unit_and_flags(rest, analyte)
    flags = [*([before] if before else []), *flags, *more]
    names, factor = unit_names((unit,), analyte)
    known = factor is not None or names <= set(analyte.spellings.names.values())
    plausible = known or (" " not in unit and any(map(str.isalpha, unit)))
    if not all(is_flag(flag, analyte.words.flags) for flag in flags) or not plausible:
        return Reading(None, text)
    comparator = _comparator(match[2])
    value = Value(Fraction(number), comparator, unit, names, factor)
    return Reading(value, f"{comparator}{number:f}", unit, " ".join(flags), (*ranges, *at_end))


def _without_label(text: str, analyte: Analyte) -> str:
    """The text without the name of the analyte, or a word such as "Result", at its beginning."""
    text = text.strip()
    for labels, charge in ((analyte.words.labels, ""), (analyte.names, _CHARGE)):
        written = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
        match = (
            re.match(rf"(?:{written}){charge}(?![^\W_]|[-+])[\s:,]*+", text, re.IGNORECASE)
            if labels
            else None
        )
        text = text[match.end() :] if match else text
    return text


def _without_brackets(rest: str, analyte: Analyte) -> tuple[str, list[str], list[str]]:
    """What follows a number without the flags and the ranges in brackets, and those."""
    flags: list[str] = []
    ranges: list[str] = []

    def taken(match: re.Match[str]) -> str:
        if is_flag(match[1], analyte.words.flags):
            flags.append(match[1])
        elif bounds_in(match[1]) != (None, None):
            ranges.append(match[1])
        else:
            return match[0]
        return " "

    return _BRACKETS.sub(taken, rest), flags, ranges


def _without_range_at_end(rest: str) -> tuple[str, list[str]]:
    """A unit without a range of two numbers after it: "mmol/L ref 3.5-5.1"."""
    words = rest.split()
    for first in range(1, len(words)):
        if None not in bounds_in(" ".join(words[first:])):
            return " ".join(words[:first]), [" ".join(words[first:])]
    return rest, []


def _unit_and_flags(rest: str, analyte: Analyte) -> tuple[str, list[str]]:
    """What follows a number: a unit, with a flag before or after it."""
    words = rest.split()
    flags = analyte.words.flags
    for last in range(len(words), 0, -1):
        if is_flag(" ".join(words[:last]), flags):
            return _bare_unit(words[last:]), [" ".join(words[:last]).strip(_PUNCTUATION)]
    for first in range(1, len(words)):
        if is_flag(" ".join(words[first:]).strip(_PUNCTUATION), flags):
            return _bare_unit(words[:first]), [" ".join(words[first:]).strip(_PUNCTUATION)]
    return _bare_unit(words), []


def _bare_unit(words: list[str]) -> str:
    return " ".join(words).strip(_PUNCTUATION)


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


def _text_in(quantity: fhir.Quantity) -> str:
    """The text in place of a number, such as ">6.9"; "" where there is none."""
    with suppress(*fhir.UNDECODABLE):
        return msgspec.json.decode(bytes(quantity.value), type=str).strip()
    return ""


def unit_of(quantity: fhir.Quantity | None) -> str:
    """The unit as a person writes it, else its code."""
    return ((quantity.unit or quantity.code or "") if quantity else "").strip()


def unit_names(written: Iterable[str | None], analyte: Analyte) -> tuple[frozenset[str], Fraction | None]:
    """The names of a unit, and its factor to the analyte's own; None where it is missing or unrecognised.

    Spellings that contradict each other have neither.
    """
    names = set()
    for unit in set(written):
        if unit and (spelled := unit.strip()):
            names.add(analyte.spellings.name_of(spelled))
    known = [*names & analyte.units.keys()]
    if len(known) > 1 and len(set(map(analyte.units.__getitem__, known))) > 1:
        return frozenset(), None
    return frozenset(names), analyte.units[known[0]] if known else None


def decimal_from(number: Fraction) -> Decimal:
    """A fraction as a decimal of at most 28 digits."""
    numerator, denominator = number.as_integer_ratio()
    return _DIGITS.divide(Decimal(numerator), Decimal(denominator))
