"""Which drug ingredients a medicine's codings and text name.

Codes are matched on system and code. Text is the medicine's own name, and the display of a coding whose code
is unknown; only the filter for ACE inhibitors and angiotensin blockers reads every display.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fhir_mappings.resources.concepts import text_of
from fhir_mappings.resources.shapes import CodeableConcept
from fhir_mappings.terminology import ATC, NDC, WORD, Ingredient, Medications, code_key

# A medicine's name is short; what follows in an overlong text is not one.
_MOST_CHARACTERS = 2_000
_MOST_WORDS = 10
# "losartan" has two letters before its stem, the month of April one.
_LETTERS_BEFORE_STEM = 2


class Named(msgspec.Struct, frozen=True):
    """What one concept names, or several of one medicine.

    coded: ingredients its codes stand for. written: ingredients its text names. raising: names with the stem
    of an ACE inhibitor or angiotensin blocker. raises: such a name, or an ATC code of theirs.
    form_routes: route groups of the form words in its text. code_routes: those its codes carry.
    name: as written, else the code, "" if neither. has_text: something to read is there, a display included.
    """

    coded: tuple[Ingredient, ...] = ()
    written: tuple[Ingredient, ...] = ()
    raising: frozenset[str] = frozenset()
    raises: bool = False
    form_routes: frozenset[str] = frozenset()
    code_routes: frozenset[str] = frozenset()
    name: str = ""
    has_text: bool = False


class Names:
    """Reads the names of one record, each of them once: a record of years repeats its prescriptions."""

    def __init__(self, medications: Medications) -> None:
        self.medications = medications
        self._read: dict[tuple[Any, ...], Named] = {}

    def named_by(self, concept: CodeableConcept | None) -> Named:
        """All that a concept's codings and text name; of no concept, nothing."""
        if concept is None:
            return NOTHING
        key = written_in(concept)
        named = self._read.get(key)
        if named is None:
            named = self._read[key] = named_by(concept, self.medications)
        return named


NOTHING = Named()


def written_in(concept: CodeableConcept) -> tuple[Any, ...]:
    """All that is read of a concept, to know the same one again."""
    codings = [(one.system, one.code, one.display) if one else None for one in concept.coding or ()]
    return concept.text, *codings


def named_by(concept: CodeableConcept | None, medications: Medications) -> Named:
    """All that a concept's codings and text name; of no concept, nothing."""
    if concept is None:
        return NOTHING
    coded: list[Ingredient] = []
    texts = [concept.text or ""]
    spoken = {texts[0]: _scanned(texts[0])}
    raises = False
    for coding in concept.coding or ():
        if coding is None:
            continue
        key = code_key(coding.system or "", coding.code or "")
        hits = _of_code(key[0], key[1], medications)
        coded.extend(hits)
        raises = raises or (key[0] == ATC and _has_prefix(key[1].upper(), medications.potassium_raising_atc))
        display = coding.display or ""
        # A display mostly repeats the text.
        if display not in spoken:
            spoken[display] = _scanned(display)
        if not hits:
            texts.append(display)
    terms, forms = medications.terms, medications.form_words
    written: list[Ingredient] = []
    form_routes: set[str] = set()
    for text in texts:
        if not medications.beginnings.isdisjoint(spoken[text].words):
            phrases = _phrases(spoken[text], medications.beginnings)
            written += (hit for term in _longest(phrases, terms) for hit in terms[term])
            form_routes.update(forms[word] for word in _longest(phrases, forms))
    raising = _raising([word for scanned in spoken.values() for word in scanned.words], medications.stems)
    return Named(
        coded=tuple(coded),
        written=tuple(written),
        raising=raising,
        raises=raises or bool(raising),
        form_routes=frozenset(form_routes),
        code_routes=frozenset([hit.route for hit in coded if hit.route]),
        name=text_of(concept).strip(),
        has_text=any(text.strip() for text in spoken),
    )


def together(named: Sequence[Named]) -> Named:
    """What several concepts of one medicine name between them; its name is the first there is."""
    if len(named) == 1:
        return named[0]
    return Named(
        coded=tuple(hit for one in named for hit in one.coded),
        written=tuple(hit for one in named for hit in one.written),
        raising=frozenset(name for one in named for name in one.raising),
        raises=any(one.raises for one in named),
        form_routes=frozenset(route for one in named for route in one.form_routes),
        code_routes=frozenset(route for one in named for route in one.code_routes),
        name=next((one.name for one in named if one.name), ""),
        has_text=any(one.has_text for one in named),
    )


def routes_of(concept: CodeableConcept | None, medications: Medications) -> frozenset[str]:
    """The route groups of a route or dose form: by its codes, else by the words of its text and displays."""
    if concept is None:
        return frozenset()
    codings = [coding for coding in concept.coding or () if coding is not None]
    keys = (code_key(coding.system or "", coding.code or "") for coding in codings)
    by_code = frozenset(medications.routes[key] for key in keys if key in medications.routes)
    if by_code:
        return by_code
    texts = [concept.text or "", *(coding.display or "" for coding in codings)]
    return frozenset(route for text in texts for route in routes_in(text, medications))


def routes_in(text: str, medications: Medications) -> frozenset[str]:
    """The route groups that form words of a name or text point to."""
    return frozenset(medications.form_words[word] for word in terms_in(text, medications.form_words))


def terms_in(text: str, terms: Container[str]) -> list[str]:
    """The terms that stand in a text as whole words, the longest first; no word is used twice.

    >>> terms_in("Methylprednisolone 4mg", {"prednisolone"})
    []
    """
    return _longest(_phrases(_scanned(text)), terms)


class _Scanned(msgspec.Struct, frozen=True, gc=False):
    """A text in lower case with single blanks, and its words."""

    lowered: str
    words: list[str]


_Phrases = list[tuple[str, int, int]]


def _scanned(text: str) -> _Scanned:
    lowered = " ".join(text[:_MOST_CHARACTERS].lower().replace("’", "'").split())
    return _Scanned(lowered, WORD.findall(lowered))


def _phrases(scanned: _Scanned, beginnings: Container[str] | None = None) -> _Phrases:
    """Every run of words as (phrase, start, end), or those alone that begin with one of these words."""
    spans = [match.span() for match in WORD.finditer(scanned.lowered)]
    return [
        (scanned.lowered[start:end], start, end)
        for index, (word, (start, _)) in enumerate(zip(scanned.words, spans, strict=True))
        if beginnings is None or word in beginnings
        for _, end in spans[index : index + _MOST_WORDS]
    ]


def _longest(phrases: _Phrases, terms: Container[str]) -> list[str]:
    """Those of the phrases that are terms, the longest first; no word is used twice."""
    found = [phrase for phrase in phrases if phrase[0] in terms]
    if not found:
        return []
    found.sort(key=lambda phrase: (phrase[1] - phrase[2], phrase[1]))
    taken: list[str] = []
    covered: set[int] = set()
    for phrase, start, end in found:
        # None is longer than those before it: of what it shares with one, its first or last letter is a part.
        if start not in covered and end - 1 not in covered:
            taken.append(phrase)
            covered.update(range(start, end))
    return taken


def ndc_spellings(code: str) -> tuple[str, ...]:
    """The 11-digit spellings (5-4-2) an NDC can stand for; several where ten digits lack their hyphens.

    >>> ndc_spellings("1234-5678-90")
    ('01234567890',)
    """
    parts = code.strip().split("-")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return ()
    if len(parts) == 3 and all(len(part) <= size for part, size in zip(parts, (5, 4, 2), strict=True)):
        return ("".join(part.zfill(size) for part, size in zip(parts, (5, 4, 2), strict=True)),)
    if len(parts) > 1:
        return ()
    digits = parts[0]
    if len(digits) == 11:
        return (digits,)
    if len(digits) == 10:
        return ("0" + digits, digits[:5] + "0" + digits[5:], digits[:9] + "0" + digits[9:])
    return ()


def _of_code(system: str, code: str, medications: Medications) -> tuple[Ingredient, ...]:
    if system == ATC:
        return _of_atc(code.upper(), medications)
    if system == NDC:
        return _of_ndc(code, medications.ndc)
    return medications.codes.get((system, code), ())


def _of_atc(code: str, medications: Medications) -> tuple[Ingredient, ...]:
    # None is longer: of a code of megabytes not every beginning is looked up.
    for length in range(min(len(code), medications.longest_atc), 0, -1):
        prefix = code[:length]
        family = medications.atc.get(prefix)
        if family is not None:
            excepted = any(
                family_prefix == prefix and code.startswith(exception)
                for family_prefix, exception in medications.atc_exceptions
            )
            return () if excepted else family
    return ()


def _of_ndc(code: str, ndc: Mapping[str, tuple[Ingredient, ...]]) -> tuple[Ingredient, ...]:
    found = {ndc[spelling] for spelling in ndc_spellings(code) if spelling in ndc}
    # Ten bare digits can be three products: only one answer counts.
    return found.pop() if len(found) == 1 else ()


def _raising(words: Iterable[str], stems: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        [
            word
            for word in words
            if word.endswith(stems)
            and any(word.endswith(stem) and len(word) >= len(stem) + _LETTERS_BEFORE_STEM for stem in stems)
        ]
    )


def _has_prefix(code: str, prefixes: Iterable[str]) -> bool:
    return any(code.startswith(prefix) for prefix in prefixes)
