"""One code for each thing that a patient can be built of, chosen from the terminology that is loaded.

No code is typed here: of all codes that say just this thing, SNOMED CT's and then the shortest is taken,
always the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fhir_mappings.terminology import HPO, ICD_10, ICD_10_CM, LOINC, RXNORM, SNOMED, CodeKey, written_code
from service.knowledge import Knowledge

_ORDER = (SNOMED, LOINC, RXNORM, HPO, ICD_10_CM, ICD_10)
# Kinds of findings that a record can say are there or not.
_KINDS = frozenset({"sign", "symptom", "trigger", "diagnosis", "family"})

Concept = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine by the name of its ingredient. class_label: what it is. code: None = it goes by its name."""

    name: str
    class_label: str
    code: CodeKey | None


class Codings:
    """Concepts as FHIR writes them. Each method raises KeyError for what the knowledge does not know."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.terminology = knowledge.terminology

    @cached_property
    def findings(self) -> Mapping[str, CodeKey]:
        """Finding -> code, of those that the table reads or names and that have a code of their own."""
        table, definitions = self.knowledge.table, self.terminology.findings
        read = {literal.variable for row in table.rows for term in row.terms for literal in term}
        read |= {*table.named, *table.closes_gate, *(one.trigger for one in table.self_care if one.trigger)}
        own: dict[str, list[CodeKey]] = {}
        for key, codes in self.terminology.finding_codes.items():
            if len(codes) == 1 and not codes[0].sites and codes[0].basis is None:
                own.setdefault(codes[0].finding, []).append(key)
        return {
            name: definition.answer or _first(own[name])
            for name, definition in definitions.items()
            if definition.kind in _KINDS and name in read and (definition.answer or name in own)
        }

    @cached_property
    def sites(self) -> Mapping[tuple[str, str], CodeKey]:
        """(site, side or "") -> code."""
        found: dict[tuple[str, str], list[CodeKey]] = {}
        for key, site in self.terminology.sites.items():
            found.setdefault((site.id, site.side or ""), []).append(key)
        return {place: _first(keys) for place, keys in sorted(found.items())}

    @cached_property
    def courses(self) -> Mapping[str, CodeKey]:
        """Course -> code; those that are only a word are left out."""
        found: dict[str, list[CodeKey]] = {}
        for key, course in self.terminology.courses.items():
            if key[0]:
                found.setdefault(course, []).append(key)
        return {course: _first(keys) for course, keys in sorted(found.items())}

    @cached_property
    def medicines(self) -> Mapping[str, Medicine]:
        """Name of the ingredient -> medicine, those of the table's classes alone."""
        tables = self.terminology.medications
        classes = frozenset().union(*(row.drug_classes for row in self.knowledge.table.rows))
        # A name that is in several classes by its route cannot stand for one of them.
        named = {
            term: ingredients[0].medication_class
            for term, ingredients in tables.terms.items()
            if len({one.medication_class for one in ingredients}) == 1 and term == ingredients[0].name
        }
        codes: dict[str, list[CodeKey]] = {}
        for key, ingredients in tables.codes.items():
            if len(ingredients) == 1 and not ingredients[0].route_decides:
                codes.setdefault(ingredients[0].name, []).append(key)
        return {
            name: Medicine(name, tables.class_labels[kind], _first(codes[name]) if name in codes else None)
            for name, kind in sorted(named.items())
            if kind in classes
        }

    @cached_property
    def analytes(self) -> Mapping[str, CodeKey]:
        """Analyte -> code, of the results that a card shows."""
        found: dict[str, list[CodeKey]] = {}
        for key, analyte in self.terminology.analyte_codes.items():
            found.setdefault(analyte, []).append(key)
        orders = self.knowledge.order_codes
        return {
            name: (orders[name].codings[0][0], orders[name].codings[0][1])
            if name in orders
            else _first(found[name])
            for name in self.knowledge.table.shown_results
            if name in found
        }

    @cached_property
    def studies(self) -> Mapping[str, CodeKey]:
        """Study -> code, of those that the table asks for."""
        wanted = {study for action in self.knowledge.table.actions.values() for study in action.studies}
        found: dict[str, list[CodeKey]] = {}
        for key, name in self.terminology.procedures.items():
            found.setdefault(name, []).append(key)
        return {name: _first(keys) for name, keys in sorted(found.items()) if name in wanted}

    @cached_property
    def orders(self) -> tuple[str, ...]:
        """What can be ordered by a code: an order without one is not understood."""
        return tuple(self.knowledge.order_codes)


def concept(key: CodeKey, text: str) -> Concept:
    """A CodeableConcept of that code."""
    return {"coding": [{"system": key[0], "code": written_code(key)}], "text": text}


def _first(keys: Iterable[CodeKey]) -> CodeKey:
    def rank(key: CodeKey) -> tuple[int, int, str]:
        place = _ORDER.index(key[0]) if key[0] in _ORDER else len(_ORDER)
        return place, len(key[1]), key[1]

    return min(keys, key=rank)
