"""The interpretation of a result, by code or in words: normal, abnormal or critical, low or high."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from fhir_mappings.code_systems import WORD
from fhir_mappings.record import Band
from fhir_mappings.resources import shapes as fhir

_LOW, _HIGH = True, False
# HL7 code -> band, and True for low, False for high.
_CODES: dict[str, tuple[Band, bool | None]] = {
    "n": (Band.IN_RANGE, None),
    "h": (Band.OUT_OF_RANGE, _HIGH),
    "l": (Band.OUT_OF_RANGE, _LOW),
    "a": (Band.OUT_OF_RANGE, None),
    "hu": (Band.OUT_OF_RANGE, _HIGH),
    "lu": (Band.OUT_OF_RANGE, _LOW),
    "h>": (Band.OUT_OF_RANGE, _HIGH),
    "l<": (Band.OUT_OF_RANGE, _LOW),
    ">": (Band.OUT_OF_RANGE, _HIGH),
    "<": (Band.OUT_OF_RANGE, _LOW),
    "ex": (Band.OUT_OF_RANGE, None),
    "hx": (Band.OUT_OF_RANGE, _HIGH),
    "lx": (Band.OUT_OF_RANGE, _LOW),
    "hh": (Band.CRITICAL, _HIGH),
    "ll": (Band.CRITICAL, _LOW),
    "aa": (Band.CRITICAL, None),
}
# Better, down, up, worse: a change, which is neither normal nor abnormal.
_CHANGES = frozenset({"b", "d", "u", "w"})

_HIGH_WORDS = frozenset({"high", "elevated", "raised", "increased", "above", "upper"})
_LOW_WORDS = frozenset({"low", "lower", "decreased", "reduced", "below"})
_CRITICAL_WORDS = frozenset({"critical", "critically", "panic"})
_ABNORMAL_WORDS = frozenset({"abnormal", "abnormally", "out", "outside"})
_NORMAL_WORDS = frozenset({"normal", "within", "in", "wnl"})
_BETWEEN = frozenset({"above", "below", "outside", "out"})
_STRENGTHS = frozenset({"very", "significantly", "markedly", "moderately", "mildly", "slightly"})
_FILLERS = frozenset({"of", "the", "than", "range", "limit", "limits", "reference", "value", "result"})
_VOCABULARY = (
    _HIGH_WORDS | _LOW_WORDS | _CRITICAL_WORDS | _ABNORMAL_WORDS | _NORMAL_WORDS | _STRENGTHS | _FILLERS
)
# Around a flag; a star or an exclamation mark alone means abnormal.
_MARKS = "()[]*! "
_MARK_ALONE = (Band.OUT_OF_RANGE, None)
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_MAX_TEXT_LENGTH = 100


class Flags(msgspec.Struct, frozen=True, gc=False):
    """All flags of one result.

    band: the worst of them, None without one. low: True low, False high, None not stated or contradictory.
    text: as written. unrecognised: a flag is written that has no known meaning.
    """

    band: Band | None = None
    low: bool | None = None
    text: str = ""
    unrecognised: bool = False


def flags_of(concepts: Iterable[fhir.CodeableConcept | None]) -> Flags:
    """The flags of an interpretation, by the codes, displays and texts of its concepts."""
    written: list[str] = []
    meanings: list[tuple[Band, bool | None]] = []
    unrecognised = False
    for concept in concepts:
        texts = list(_texts_of(concept))
        known = [(text, meaning) for text in texts if (meaning := _meaning(text)) is not None]
        meanings += [meaning for _, meaning in known]
        if known:
            written.append(known[0][0])
        elif texts and not any(text.casefold() in _CHANGES for text in texts):
            unrecognised = True
    bands = {band for band, _ in meanings}
    band = next((b for b in (Band.CRITICAL, Band.OUT_OF_RANGE, Band.IN_RANGE) if b in bands), None)
    sides = {low for _, low in meanings if low is not None}
    low = sides.pop() if len(sides) == 1 else None
    return Flags(band, low, " ".join(dict.fromkeys(written)), unrecognised)


def _texts_of(concept: fhir.CodeableConcept | None) -> Iterator[str]:
    """The code and the display of each coding, and the text."""
    if concept is None:
        return
    codings = [coding for coding in concept.coding or () if coding is not None]
    for text in (*(t for c in codings for t in (c.code, c.display)), concept.text):
        if text and text.strip():
            yield text.strip()


def is_flag(text: str) -> bool:
    """Whether the whole text is a flag of a known meaning."""
    return _meaning(text.strip()) is not None


def _meaning(text: str) -> tuple[Band, bool | None] | None:
    """The meaning of a code or of words; None where it is not recognised."""
    bare = text.casefold().strip(_MARKS)
    if not bare:
        return _MARK_ALONE if set(text) & set("*!") else None
    return _CODES.get(bare) or _meaning_in_words(text)


def _meaning_in_words(text: str) -> tuple[Band, bool | None] | None:
    """The meaning of words such as "Critically low" or "Above normal".

    One word outside the vocabulary, such as "not", makes all of them unrecognised.
    """
    if len(text) > _MAX_TEXT_LENGTH:
        return None
    words = frozenset(WORD.findall(_IN_BRACKETS.sub(" ", text.casefold())))
    if not words <= _VOCABULARY:
        return None
    high, low = bool(words & _HIGH_WORDS), bool(words & _LOW_WORDS)
    normal = bool(words & _NORMAL_WORDS)
    if (high and low) or (normal and (high or low) and not words & {"above", "below"}):
        return None  # "above lower limit", "low normal"
    side = _HIGH if high else _LOW if low else None
    if words & _CRITICAL_WORDS:
        return None if normal else (Band.CRITICAL, side)
    if side is not None:
        return Band.OUT_OF_RANGE, side
    if words & _ABNORMAL_WORDS:
        if normal and not words & _BETWEEN:
            return None
        # HL7 version 2 calls AA "Very abnormal".
        return (Band.CRITICAL if {"very", "abnormal"} <= words else Band.OUT_OF_RANGE), None
    return (Band.IN_RANGE, None) if normal else None
