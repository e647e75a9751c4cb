"""A reference range in text: "3.5 - 5.1 mmol/L", "up to 4.0"."""

from __future__ import annotations

import re

import msgspec

# "4.10", "4,10", "1,234.5", ".05". Possessive, as all below: a text that does not fit is not tried again.
NUMBER = r"-?+(?:\d++(?:[.,]\d++)*+|\.\d++)"
_LABEL = r"(?:(?:(?:normal|reference|ref\.?|range|interval|values?|adults?)\s*+)++[:=]?+\s*+)?+"
_FROM_TO = re.compile(
    rf"{_LABEL}({NUMBER})\s*+((?!to\b|bis\b)[^\W\d][\w/%]*+)?+\s*+(?:-{{1,2}}|[\u2212\u2013\u2014~\uff5e\u301c]|\.\.+|to|bis)"
    rf"\s*+({NUMBER})\s*+(\S.*)?",
    re.IGNORECASE,
)
_UP_TO = re.compile(
    rf"{_LABEL}(<=?|>=?|\u2264|\u2265|less than|under|below|up to|bis|more than|greater than|over|above"
    rf"|at least|from)\s*+({NUMBER})\s*+(\S.*)?",
    re.IGNORECASE,
)
_OPEN = frozenset({"<", ">", "less than", "under", "below", "more than", "greater than", "over", "above"})
_UPPER = frozenset({"<", "<=", "\u2264", "less than", "under", "below", "up to", "bis"})
_BRACKETS = "()[] "
_MAX_LENGTH = 100


class WrittenBound(msgspec.Struct, frozen=True, gc=False):
    """One side of a range as written. is_open: itself outside the range."""

    number: str
    unit: str
    is_open: bool = False


def bare(text: str | None) -> str:
    """A text without brackets and blanks around it."""
    return (text or "").strip(_BRACKETS)


def bounds_in(text: str | None) -> tuple[WrittenBound | None, WrittenBound | None]:
    """The lowest and the highest number of a range; neither where the text is not one range.

    >>> bounds_in("(< 5.1 mmol/L)")[1]
    WrittenBound(number='5.1', unit='mmol/L', is_open=True)
    """
    text = bare(text)
    if len(text) > _MAX_LENGTH:
        return None, None
    if match := _FROM_TO.fullmatch(text):
        low, unit, high, at_end = match.groups()
        return _bound(low, unit or at_end), _bound(high, at_end or unit)
    if match := _UP_TO.fullmatch(text):
        sign = match[1].lower()
        bound = _bound(match[2], match[3], is_open=sign in _OPEN)
        return (None, bound) if sign in _UPPER else (bound, None)
    return None, None


def _bound(number: str, unit: str | None, *, is_open: bool = False) -> WrittenBound:
    return WrittenBound(number, bare(unit), is_open)
