"""The medication class files as look-up tables: codes, ATC families, NDC, names in text, routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from fhir_mappings.code_systems import RXNORM, SNOMED, CodeKey, code_key
from fhir_mappings.medication_tables import Ingredient, Medications, NotTaken, words_of
from fhir_mappings.national_names import Folding, NationalNames, national_names_of

K = TypeVar("K")


def medications_of(classes: Sequence[Mapping[str, Any]], routes: Mapping[str, Any]) -> Medications:
    """The tables of all classes. A code of a fixed combination is in each of its classes."""
    codes: dict[CodeKey, tuple[Ingredient, ...]] = {}
    ndc: dict[str, tuple[Ingredient, ...]] = {}
    terms: dict[str, tuple[Ingredient, ...]] = {}
    exact: dict[str, tuple[Ingredient, ...]] = {}
    for raw in classes:
        for member in raw["members"]:
            ingredient = Ingredient(member["ingredient"], raw["id"], member["route"], member["route_decides"])
            _add(codes, [(RXNORM, code) for code in member["rxnorm"]], ingredient)
            _add(codes, [(SNOMED, code) for code in member["snomed"]], ingredient)
            _add(ndc, member["ndc"], ingredient)
            _add(terms, member["terms"], ingredient)
            _add(exact, member["atc"], Ingredient(member["ingredient"], raw["id"]))
        for name, more in raw["more_terms"].items():
            _add(terms, more, Ingredient(name, raw["id"]))
    return Medications(
        codes=codes,
        ndc=ndc,
        atc=_atc(classes, exact),
        terms=terms,
        national=_national(routes["national_names"], terms),
        routes={(SNOMED, code): group for group, values in routes["codes"].items() for code in values},
        form_words={word: group for group, words in routes["words"].items() for word in words},
        class_routes={raw["id"]: frozenset(raw["routes"]) for raw in classes if raw["routes"]},
        class_labels={raw["id"]: raw["label"] for raw in classes},
        not_taken=_not_taken(routes["not_taken"], terms),
        potassium_raising_atc=frozenset(routes["potassium_raising"]["atc"]),
        potassium_raising_stems=frozenset(
            stem + ending
            for stem in routes["potassium_raising"]["stems"]
            for ending in ("", *routes["national_names"]["endings"])
        ),
    )


def _add(table: dict[K, tuple[Ingredient, ...]], keys: Iterable[K], ingredient: Ingredient) -> None:
    alone = (ingredient,)
    for key in keys:
        # Nearly every code has one ingredient, and all codes of an ingredient share the tuple.
        others = table.setdefault(key, alone)
        if ingredient not in others:
            table[key] = (*others, ingredient)


def _not_taken(raw: Mapping[str, Any], terms: Iterable[str]) -> NotTaken:
    """What says that a medicine is not taken. terms: the names of medicines."""
    at_start = tuple(map(_beginning, raw["at_start"]))
    none = raw["none"]
    return NotTaken(
        anywhere=tuple(f" {words_of(phrase)} " for phrase in raw["anywhere"]),
        unless=tuple(f" {words_of(phrase)} " for phrase in raw["unless"]),
        at_start=at_start,
        names=tuple(f"{term} " for term in terms if term.startswith(at_start)),
        dosage=tuple(f"{words_of(phrase)} " for phrase in raw["dosage"]),
        parts=tuple(f"{words_of(phrase)} " for phrase in raw["parts"]),
        whole=frozenset(map(words_of, raw["whole"])),
        codes=frozenset((SNOMED, code) for code in raw["codes"]),
        none=frozenset(words_of(form.format(word)) for form in none["forms"] for word in none["words"])
        | frozenset(map(words_of, none["alone"])),
        none_codes=frozenset(code_key(c["system"], c["code"]) for c in none["codes"]),
    )


def _national(
    raw: Mapping[str, Any], terms: Mapping[str, tuple[Ingredient, ...]]
) -> NationalNames[Ingredient]:
    generic = {i.name for ingredients in terms.values() for i in ingredients} | set(raw["generic"])
    folding = Folding(tuple(raw["endings"]), raw["letters"], raw["beginnings"], tuple(raw["salts"]))
    return national_names_of(folding, terms, generic)


def _beginning(phrase: str) -> str:
    """How a text begins: with whole words, or with a sign at the end of the phrase."""
    return f"{phrase} " if phrase[-1].isalnum() else phrase


def _atc(
    classes: Sequence[Mapping[str, Any]], exact: Mapping[str, tuple[Ingredient, ...]]
) -> dict[str, tuple[Ingredient, ...]]:
    """ATC prefix -> its ingredients without the exceptions; the longest prefix of a code decides."""
    families = {raw["id"]: tuple(raw["atc_families"]) for raw in classes}
    exceptions = {raw["id"]: tuple(raw["atc_except"]) for raw in classes}
    prefixes = {prefix for raw in classes for prefix in (*raw["atc_families"], *raw["atc_except"])}
    ingredients: dict[str, tuple[Ingredient, ...]] = {}
    for prefix in prefixes | set(exact):
        named = dict.fromkeys(exact.get(prefix, ()))
        known = {ingredient.medication_class for ingredient in named}
        for raw in classes:
            covered = prefix.startswith(families[raw["id"]])
            if covered and not prefix.startswith(exceptions[raw["id"]]) and raw["id"] not in known:
                # The ingredient is not known: the name of the other part of a combination would be wrong.
                named[Ingredient(raw["label"], raw["id"])] = None
        ingredients[prefix] = tuple(named)
    return ingredients
