"""The medication class files as look-up tables: codes, ATC families, NDC, names in text, routes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from fhir_mappings.code_systems import RXNORM, SNOMED, CodeKey
from fhir_mappings.terminology import Ingredient, Medications, NotTaken, words_of


def medications_of(classes: Sequence[Mapping[str, Any]], routes: Mapping[str, Any]) -> Medications:
    """The tables of all classes. A code of a fixed combination is in each of its classes."""
    codes: dict[CodeKey, dict[Ingredient, None]] = defaultdict(dict)
    ndc: dict[str, dict[Ingredient, None]] = defaultdict(dict)
    terms: dict[str, dict[Ingredient, None]] = defaultdict(dict)
    exact: dict[str, dict[Ingredient, None]] = defaultdict(dict)
    for raw in classes:
        for member in raw["members"]:
            ingredient = Ingredient(member["ingredient"], raw["id"], member["route"], member["route_decides"])
            for code in member["rxnorm"]:
                codes[RXNORM, code][ingredient] = None
            for code in member["snomed"]:
                codes[SNOMED, code][ingredient] = None
            for code in member["ndc"]:
                ndc[code][ingredient] = None
            for term in member["terms"]:
                terms[term][ingredient] = None
            for code in member["atc"]:
                exact[code][Ingredient(member["ingredient"], raw["id"])] = None
        for name, more in raw["more_terms"].items():
            for term in more:
                terms[term][Ingredient(name, raw["id"])] = None
    return Medications(
        codes={key: tuple(named) for key, named in codes.items()},
        ndc={key: tuple(named) for key, named in ndc.items()},
        atc=_atc(classes, exact),
        terms={key: tuple(named) for key, named in terms.items()},
        routes={(SNOMED, code): group for group, values in routes["codes"].items() for code in values},
        form_words={word: group for group, words in routes["words"].items() for word in words},
        class_routes={raw["id"]: frozenset(raw["routes"]) for raw in classes if raw["routes"]},
        class_labels={raw["id"]: raw["label"] for raw in classes},
        not_taken=NotTaken(
            anywhere=tuple(f" {words_of(phrase)} " for phrase in routes["not_taken"]["anywhere"]),
            at_start=(at_start := tuple(_beginning(phrase) for phrase in routes["not_taken"]["at_start"])),
            names=tuple(f"{term} " for term in terms if term.startswith(at_start)),
            dosage=tuple(_beginning(phrase) for phrase in routes["not_taken"]["dosage"]),
            codes=frozenset((SNOMED, code) for code in routes["not_taken"]["codes"]),
        ),
        potassium_raising_atc=frozenset(routes["potassium_raising"]["atc"]),
        potassium_raising_stems=frozenset(routes["potassium_raising"]["stems"]),
    )


def _beginning(phrase: str) -> str:
    """How a text begins: with whole words, or with a sign at the end of the phrase."""
    return f"{phrase} " if phrase[-1].isalnum() else phrase


def _atc(
    classes: Sequence[Mapping[str, Any]], exact: Mapping[str, Mapping[Ingredient, None]]
) -> dict[str, tuple[Ingredient, ...]]:
    """ATC prefix -> its ingredients without the exceptions; the longest prefix of a code decides."""
    prefixes = {prefix for raw in classes for prefix in (*raw["atc_families"], *raw["atc_except"])}
    ingredients: dict[str, tuple[Ingredient, ...]] = {}
    for prefix in prefixes | set(exact):
        named = dict(exact.get(prefix, {}))
        known = {ingredient.medication_class for ingredient in named}
        for raw in classes:
            covered = any(prefix.startswith(family) for family in raw["atc_families"])
            excepted = any(prefix.startswith(exception) for exception in raw["atc_except"])
            if covered and not excepted and raw["id"] not in known:
                # The ingredient is not known: the name of the other part of a combination would be wrong.
                named[Ingredient(raw["label"], raw["id"])] = None
        ingredients[prefix] = tuple(named)
    return ingredients
