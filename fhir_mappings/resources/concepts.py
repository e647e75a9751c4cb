"""Codes of a CodeableConcept as look-up keys, and its text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_mappings.code_systems import SNOMED, CodeKey, code_key, name_key
from fhir_mappings.resources.shapes import CodeableConcept, Coding, LooseConcept
from fhir_mappings.terminology import Terminology

MAX_NAME_LENGTH = 200


def keys_of(concept: CodeableConcept | None) -> list[CodeKey]:
    """The key of every coding with a system and a code, in order."""
    if concept is None or not concept.coding:
        return []
    keys = []
    # A comprehension would be another call for each of thousands of concepts, as is `code_key`.
    for coding in concept.coding:
        if coding is not None and (system := coding.system) and (code := coding.code):
            as_written = system == SNOMED and code.isdigit()
            keys.append((system, code) if as_written else code_key(system, code))
    return keys


def codings_of(concept: CodeableConcept) -> list[Coding]:
    """Its codings, or the one that stands in its place."""
    codings = [coding for coding in concept.coding or () if coding is not None]
    if not codings and isinstance(concept, LooseConcept) and (concept.code or concept.display):
        return [Coding(concept.system, concept.code, concept.display)]
    return codings


def text_of(concept: CodeableConcept | None) -> str:
    """Its text, else its first display, else its first code; "" if it has none."""
    if concept is None:
        return ""
    if concept.text:
        return concept.text
    codings = [coding for coding in concept.coding or () if coding is not None]
    return next((c.display for c in codings if c.display), next((c.code for c in codings if c.code), ""))


def twitch_named_by(concept: Any, terminology: Terminology) -> str | None:
    """The finding whose name is the whole text, or a whole display, of a concept without a known code."""
    if concept is None or any(terminology.finding_of(key) for key in keys_of(concept)):
        return None
    return twitch_in_words(concept, terminology)


def twitch_in_words(concept: Any, terminology: Terminology) -> str | None:
    """The finding whose name is the whole text, or a whole display, of the concept."""
    return _named(concept, terminology.twitch_names)


def analyte_in_words(concept: Any, terminology: Terminology) -> str | None:
    """The analyte whose name is the whole text, or a whole display, of the concept."""
    return _named(concept, terminology.analyte_names)


def _named(concept: Any, names: Mapping[str, str]) -> str | None:
    texts = (concept.text, *(coding.display for coding in concept.coding or () if coding is not None))
    for text in texts:
        if isinstance(text, str) and len(text) <= MAX_NAME_LENGTH and (found := names.get(name_key(text))):
            return found
    return None
