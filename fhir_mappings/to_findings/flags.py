"""The interpretation of a result, by code or in words: normal, abnormal or critical, low or high."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.code_systems import WORD, folded
from fhir_mappings.record import Band
from fhir_mappings.resources import shapes as fhir
from fhir_mappings.resources.concepts import codings_of
from fhir_mappings.terminology import FlagWords

_LOW, _HIGH = True, False
_Meaning = tuple[Band, bool | None]
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_BETWEEN_FLAGS = re.compile(r"[\s,;|]+")
_MAX_TEXT_LENGTH = 100


class Flags(msgspec.Struct, frozen=True, gc=False):
    """All flags of one result.

    band: the worst of them, None without one. low: True low, False high, None not stated or contradictory.
    text: as written. unrecognised: a flag is written that has no known meaning. comparator: of a value beyond
    what the method measures.
    """

    band: Band | None = None
    low: bool | None = None
    text: str = ""
    unrecognised: bool = False
    comparator: str = ""


def flags_of(concepts: Iterable[fhir.CodeableConcept | None], known: FlagWords) -> Flags:
    """The flags of an interpretation, by the codes, displays and texts of its concepts."""
    written: list[str] = []
    meanings: list[_Meaning] = []
    unrecognised = False
    off_scale: set[str] = set()
    for concept in concepts:
        texts = _texts_of(concept) if concept is not None else []
        if not texts:
            continue
        read = [(text, meaning) for text in texts if (meaning := _meaning(text, known)) is not None]
        meanings += [meaning for _, meaning in read]
        off_scale.update(map(known.off_scale.__getitem__, known.off_scale.keys() & map(folded, texts)))
        if read:
            written.append(read[0][0])
        elif not any(_is_neutral(text, known) for text in texts):
            unrecognised = True
    band, low = _worst(meanings)
    comparator = off_scale.pop() if len(off_scale) == 1 else ""
    return Flags(band, low, " ".join(dict.fromkeys(written)), unrecognised or bool(off_scale), comparator)


def _worst(meanings: Iterable[_Meaning]) -> tuple[Band | None, bool | None]:
    """The worst band, and the side where all agree."""
    meanings = set(meanings)
    bands = {band for band, _ in meanings}
    band = next((b for b in (Band.CRITICAL, Band.OUT_OF_RANGE, Band.IN_RANGE) if b in bands), None)
    sides = {low for _, low in meanings if low is not None}
    return band, sides.pop() if len(sides) == 1 else None


def _texts_of(concept: fhir.CodeableConcept) -> list[str]:
    """The code and the display of each coding, and the text."""
    texts: list[str | None] = []
    for coding in codings_of(concept):
        texts += coding.code, coding.display
    return [stripped for text in (*texts, concept.text) if text and (stripped := text.strip())]


def is_flag(text: str, known: FlagWords) -> bool:
    """Whether the whole text is a flag that says normal or abnormal."""
    return _meaning(text, known) is not None


def _is_neutral(text: str, known: FlagWords) -> bool:
    return folded(text) in known.neutral or folded(text) in known.off_scale


def _meaning(text: str, known: FlagWords) -> _Meaning | None:
    """The meaning of a code, of several, or of words; None where it is not recognised."""
    if len(text) > _MAX_TEXT_LENGTH:
        return None
    marks = f"{known.marks} "
    bare = folded(text).strip(marks)
    if not bare:
        return (Band.OUT_OF_RANGE, None) if not known.alone.isdisjoint(text) else None
    return (
        known.codes.get(bare)
        or known.codes.get(folded(_IN_BRACKETS.sub(" ", text)).strip(marks))
        or _of_several(bare, marks, known)
        or _meaning_in_words(text, known)
    )


def _of_several(bare: str, marks: str, known: FlagWords) -> _Meaning | None:
    """The meaning of "H C" or "H, *": all known, and not contradicting each other."""
    parts = [part for part in _BETWEEN_FLAGS.split(bare) if part.strip(marks)]
    if len(parts) < 2:
        return None
    meanings = [known.codes.get(part.strip(marks)) for part in parts]
    read = [meaning for meaning in meanings if meaning is not None]
    if len(read) < len(parts) or len({band is Band.IN_RANGE for band, _ in read}) > 1:
        return None
    band, low = _worst(read)
    contradict = len({side for _, side in read if side is not None}) > 1
    return None if band is None or contradict else (band, low)


def _meaning_in_words(text: str, known: FlagWords) -> _Meaning | None:
    """The meaning of words such as "Critically low" or "Above normal".

    One word outside the vocabulary, such as "not", makes all of them unrecognised.
    """
    words = frozenset(WORD.findall(_IN_BRACKETS.sub(" ", text.casefold())))
    if not words <= known.vocabulary:
        return None
    high, low = bool(words & known.high), bool(words & known.low)
    normal = bool(words & known.normal)
    if (high and low) or (normal and (high or low) and not words & known.between):
        return None  # "above lower limit", "low normal"
    side = _HIGH if high else _LOW if low else None
    if words & known.critical:
        return None if normal else (Band.CRITICAL, side)
    if side is not None:
        return Band.OUT_OF_RANGE, side
    if words & known.abnormal:
        if normal and not words & known.between:
            return None
        return Band.OUT_OF_RANGE, None
    return (Band.IN_RANGE, None) if normal else None
