"""What the mapping of medicines looks up: ingredients by code and name, routes, and words that deny them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir_mappings.code_systems import WORD, CodeKey
from fhir_mappings.national_names import NationalNames


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A drug ingredient in one class. route: the route group a code or term belongs to ("" = any)."""

    name: str
    medication_class: str
    route: str = ""
    route_decides: bool = False


def words_of(text: str) -> str:
    """The words of a text with single blanks, without other signs.

    >>> words_of("Isn't  taken: (x)")
    'isn t taken x'
    """
    return " ".join(WORD.findall(text.lower()))


@dataclass(frozen=True, slots=True)
class NotTaken:
    """What says that a medicine is not taken.

    anywhere: words of its name, between blanks. unless: words that say no such thing though they contain
    those. at_start, dosage: how its name, or the text of its dosage, begins. parts: how a part of that text
    begins. whole: that text, or a part of a name. names: medicines whose own name begins so. codes: of an
    adherence. none, none_codes: names and codes of no medicine at all.
    """

    anywhere: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    at_start: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    dosage: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    whole: frozenset[str] = frozenset()
    codes: frozenset[CodeKey] = frozenset()
    none: frozenset[str] = frozenset()
    none_codes: frozenset[CodeKey] = frozenset()
    _anywhere: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Without a phrase a pattern that matches nothing.
        pattern = "|".join(map(re.escape, self.anywhere)) or "(?!)"
        object.__setattr__(self, "_anywhere", re.compile(pattern))

    def in_words(self, words: str) -> bool:
        """Whether the words, with a blank on both sides, say so anywhere."""
        if not self._anywhere.search(words):
            return False
        for phrase in self.unless:
            words = words.replace(phrase, "  ")
        return self._anywhere.search(words) is not None


@dataclass(frozen=True, slots=True)
class Medications:
    """Drug matching tables.

    codes: RxNorm and SNOMED/dm+d (system, code) -> ingredients. ndc: 11 digits -> ingredients.
    atc: prefix -> ingredients. terms: lower-case name -> ingredients. national: generic names in other
    languages.
    routes: SNOMED route codes -> route group. form_words: word of a form or name -> route group.
    class_routes: the route groups of a class where one ingredient is in several.
    potassium_raising_atc, potassium_raising_stems: ATC prefixes and word endings of ACE inhibitors and
    angiotensin blockers. beginnings: the first word of every term and form word, to skip other words of a
    name. stems: the word endings for str.endswith. longest_atc: length of the longest ATC prefix.
    """

    codes: Mapping[CodeKey, tuple[Ingredient, ...]] = field(default_factory=dict)
    ndc: Mapping[str, tuple[Ingredient, ...]] = field(default_factory=dict)
    atc: Mapping[str, tuple[Ingredient, ...]] = field(default_factory=dict)
    terms: Mapping[str, tuple[Ingredient, ...]] = field(default_factory=dict)
    national: NationalNames[Ingredient] = field(default_factory=NationalNames)
    routes: Mapping[CodeKey, str] = field(default_factory=dict)
    form_words: Mapping[str, str] = field(default_factory=dict)
    class_routes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    class_labels: Mapping[str, str] = field(default_factory=dict)
    not_taken: NotTaken = NotTaken()
    potassium_raising_atc: frozenset[str] = frozenset()
    potassium_raising_stems: frozenset[str] = frozenset()
    beginnings: frozenset[str] = field(init=False)
    stems: tuple[str, ...] = field(init=False)
    longest_atc: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest_atc", max(map(len, self.atc), default=0))
        object.__setattr__(self, "stems", tuple(self.potassium_raising_stems))
        words = (WORD.match(term) for term in (*self.terms, *self.form_words))
        object.__setattr__(self, "beginnings", frozenset(word[0] for word in words if word))
