"""The drug ingredients that a medicine's codings and text name.

Codes match on system and code. Text is the medicine's own name, and the display of a coding of unknown code;
only the filter for ACE inhibitors and angiotensin blockers reads every display.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

import msgspec

from fhir_mappings.code_systems import ATC, NDC, WORD, code_key
from fhir_mappings.medication_tables import Ingredient, Medications, NotTaken, words_of
from fhir_mappings.national_names import unaccented
from fhir_mappings.resources.concepts import text_of
from fhir_mappings.resources.shapes import CodeableConcept

# A medicine's name is short; what follows in an overlong text is not one.
_MAX_TEXT_CHARACTERS = 2_000
_MAX_TERM_WORDS = 10
_PARTS = re.compile(r"[()\[\];,:]|\.\s|\s[-\u2013\u2014]\s")
# Of a generic name in any language: "litio".
_MIN_LETTERS = 5
# "losartan" has two letters before its stem, the month of April one.
_MIN_LETTERS_BEFORE_STEM = 2


class Named(msgspec.Struct, frozen=True):
    """The ingredients and routes that one concept names, or several of one medicine.

    coded: ingredients of its codes. written: ingredients in its text. spelled: the names of those among
    them that it spells as another language does. raising: words with the stem of an ACE
    inhibitor or angiotensin blocker. raises: such a word, or an ATC code of theirs.
    form_routes: route groups of the form words in its text. code_routes: those of its codes.
    name: as written, else the code, "" if neither. has_text: it has text, or a display.
    denied: its text says that it is not taken. none: it says that there is no medicine at all.
    """

    coded: tuple[Ingredient, ...] = ()
    written: tuple[Ingredient, ...] = ()
    spelled: frozenset[str] = frozenset()
    raising: frozenset[str] = frozenset()
    raises: bool = False
    form_routes: frozenset[str] = frozenset()
    code_routes: frozenset[str] = frozenset()
    name: str = ""
    has_text: bool = False
    denied: bool = False
    none: bool = False


NOTHING = Named()


def named_by(concept: CodeableConcept, medications: Medications) -> Named:
    """All that a concept's codings and text name."""
    coded: list[Ingredient] = []
    texts = [concept.text or ""]
    scans = {texts[0]: _scan(texts[0])}
    raises = False
    for coding in concept.coding or ():
        if coding is None:
            continue
        key = code_key(coding.system or "", coding.code or "")
        hits = _of_code(key[0], key[1], medications)
        coded.extend(hits)
        if key[0] == ATC and key[1].upper().startswith(tuple(medications.potassium_raising_atc)):
            raises = True
        display = coding.display or ""
        # A display mostly repeats the text.
        if display not in scans:
            scans[display] = _scan(display)
        if not hits:
            texts.append(display)
    terms, forms = medications.terms, medications.form_words
    written: list[Ingredient] = []
    spelled: list[Ingredient] = []
    form_routes: set[str] = set()
    for text in texts:
        exact: list[str] = []
        if not medications.beginnings.isdisjoint(scans[text].words):
            phrases = _phrases(scans[text], medications.beginnings)
            exact = _longest(phrases, terms)
            written += (hit for term in exact for hit in terms[term])
            form_routes.update(forms[word] for word in _longest(phrases, forms))
        spelled += _national(scans[text].words, exact, medications)
    raising = _raising([word for scan in scans.values() for word in scan.words], medications.stems)
    return Named(
        coded=tuple(coded),
        written=(*written, *spelled),
        spelled=frozenset([hit.name for hit in spelled]) - {hit.name for hit in (*coded, *written)},
        raising=raising,
        raises=raises or bool(raising),
        form_routes=frozenset(form_routes),
        code_routes=frozenset([hit.route for hit in coded if hit.route]),
        name=text_of(concept).strip(),
        has_text=any(map(str.strip, scans)),
        denied=any(_denies(scan, medications.not_taken) for scan in scans.values()),
        none=_is_none(concept, scans.values(), medications.not_taken),
    )


def together(named: Sequence[Named]) -> Named:
    """All that several concepts of one medicine name; its name is the first there is."""
    none: frozenset[str] = frozenset()
    return Named(
        coded=tuple(hit for part in named for hit in part.coded),
        written=tuple(hit for part in named for hit in part.written),
        spelled=none.union(*(part.spelled for part in named)),
        raising=none.union(*(part.raising for part in named)),
        raises=any(part.raises for part in named),
        form_routes=none.union(*(part.form_routes for part in named)),
        code_routes=none.union(*(part.code_routes for part in named)),
        name=next((part.name for part in named if part.name), ""),
        has_text=any(part.has_text for part in named),
        denied=any(part.denied for part in named),
        none=any(part.none for part in named),
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
    words = medications.form_words
    return frozenset(words[word] for text in texts for word in terms_in(text, words))


def _denies(scan: _Scan, not_taken: NotTaken) -> bool:
    """Whether the name of a medicine says that it is not taken."""
    beginning = f"{scan.lowered} "
    if beginning.startswith(not_taken.at_start) and not beginning.startswith(not_taken.names):
        return True
    *parts, last = _PARTS.split(scan.lowered)
    if any(words_of(part) in not_taken.whole for part in (*parts, last) if parts):
        return True
    return not_taken.in_words(f" {' '.join(scan.words)} ")


def _is_none(concept: CodeableConcept, scans: Iterable[_Scan], not_taken: NotTaken) -> bool:
    """Whether a medicine is a statement that there is none: by its code, else by every text that it has."""
    if any(
        c and code_key(c.system or "", c.code or "") in not_taken.none_codes for c in concept.coding or ()
    ):
        return True
    texts = [" ".join(scan.words) for scan in scans if scan.words]
    return bool(texts) and not_taken.none.issuperset(texts)


def dosage_denies(text: str | None, not_taken: NotTaken) -> bool:
    """Whether the text of a dosage, or a part of it, begins with words that say that it is not taken."""
    text = (text or "")[:_MAX_TEXT_CHARACTERS]
    words = words_of(text)
    if words in not_taken.whole or f"{words} ".startswith(not_taken.dosage):
        return True
    return any(f"{words_of(part)} ".startswith(not_taken.parts) for part in _PARTS.split(text))


def terms_in(text: str, terms: Container[str]) -> list[str]:
    """The terms that stand in a text as whole words, the longest first; no word is used twice.

    >>> terms_in("Methylprednisolone 4mg", {"prednisolone"})
    []
    """
    return _longest(_phrases(_scan(text)), terms)


class _Scan(msgspec.Struct, frozen=True, gc=False):
    """A text in lower case with single blanks, and its words."""

    lowered: str
    words: list[str]


_Phrases = list[tuple[str, int, int]]


def _scan(text: str) -> _Scan:
    text = text[:_MAX_TEXT_CHARACTERS]
    if not text.isascii():
        # A letter and its accent apart are two words. A soft hyphen is no letter, nor the dot that is left
        # of a Turkish capital.
        text = unicodedata.normalize("NFC", text).lower().replace("\u00ad", "").replace("i\u0307", "i")
    lowered = " ".join(text.lower().replace("’", "'").split())
    return _Scan(lowered, WORD.findall(lowered))


def _phrases(scan: _Scan, beginnings: Container[str] | None = None) -> _Phrases:
    """Every run of words as (phrase, start, end), or those alone that begin with one of these words."""
    spans = [match.span() for match in WORD.finditer(scan.lowered)]
    return [
        (scan.lowered[start:end], start, end)
        for index, (word, (start, _)) in enumerate(zip(scan.words, spans, strict=True))
        if beginnings is None or word in beginnings
        for _, end in spans[index : index + _MAX_TERM_WORDS]
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
            return family
    return ()


def _of_ndc(code: str, ndc: Mapping[str, tuple[Ingredient, ...]]) -> tuple[Ingredient, ...]:
    found = {ndc[spelling] for spelling in ndc_spellings(code) if spelling in ndc}
    # Ten bare digits can be three products: only one answer counts.
    return found.pop() if len(found) == 1 else ()


def _national(words: list[str], exact: list[str], medications: Medications) -> Iterator[Ingredient]:
    """The ingredients that words outside the exact names spell as another language does."""
    left = set(words).difference(medications.form_words, *map(WORD.findall, exact))
    for word in words:
        if len(word) >= _MIN_LETTERS and word in left:
            left.remove(word)
            yield from medications.national.of(word)


def _raising(words: list[str], stems: tuple[str, ...]) -> frozenset[str]:
    shortest = {stem: len(stem) + _MIN_LETTERS_BEFORE_STEM for stem in stems}
    return frozenset(
        word
        for word in words
        for plain in (word if word.isascii() else unaccented(word),)
        # Most words end with no stem at all.
        if plain.endswith(stems)
        and any(plain.endswith(stem) and len(plain) >= length for stem, length in shortest.items())
    )
