"""Codings of a CodeableConcept as look-up keys, and its words."""

from __future__ import annotations

from fhir_mappings.resources import CodeableConcept
from fhir_mappings.terminology import CodeKey, code_key


def keys_of(concept: CodeableConcept | None) -> list[CodeKey]:
    """The key of every coding that names a system and a code, in the order given."""
    if concept is None or not concept.coding:
        return []
    return [
        code_key(coding.system, coding.code)
        for coding in concept.coding
        if coding is not None and coding.system and coding.code
    ]


def text_of(concept: CodeableConcept | None) -> str:
    """The concept in words: its text, else the first display, else the first code; "" if it has none."""
    if concept is None:
        return ""
    if concept.text:
        return concept.text
    codings = [coding for coding in concept.coding or () if coding is not None]
    return next((c.display for c in codings if c.display), next((c.code for c in codings if c.code), ""))
