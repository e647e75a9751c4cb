"""Which codes mean what, turned round: from a finding, medicine class, analyte, site, course to its codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fhir_mappings.record import Basis
from fhir_mappings.terminology import ATC, NDC, CodeKey, Ingredient, Terminology, written_code

# The length of an ATC code of a substance; what is shorter is a family of them.
_ATC_SUBSTANCE = 7


@dataclass(frozen=True, slots=True)
class ClassCodes:
    """What a medicine class is matched by. ingredients: name -> code system -> codes; families: ATC
    prefixes, less what is in `excepted`; route_decides: a code of it that a local form could have too."""

    ingredients: Mapping[str, Mapping[str, tuple[str, ...]]]
    families: tuple[str, ...]
    excepted: tuple[str, ...]
    names: tuple[str, ...]
    route_decides: bool


class Codes:
    """Every code of the terminology by what it means. Built at its first use."""

    def __init__(self, terminology: Terminology, systems: Mapping[str, str]) -> None:
        self.terminology = terminology
        self.systems = systems

    @cached_property
    def of_finding(self) -> Mapping[str, list[CodeKey]]:
        found = defaultdict(list)
        for key, meanings in self.terminology.finding_codes.items():
            for meaning in meanings:
                found[meaning.finding].append(key)
        return found

    @cached_property
    def told(self) -> Mapping[str, list[CodeKey]]:
        """Of each finding, the codes that are told by nature."""
        found = defaultdict(list)
        for key, meanings in self.terminology.finding_codes.items():
            for meaning in meanings:
                if meaning.basis is Basis.REPORTED:
                    found[meaning.finding].append(key)
        return found

    @cached_property
    def of_analyte(self) -> Mapping[str, list[CodeKey]]:
        return _turned(self.terminology.analyte_codes)

    @cached_property
    def of_site(self) -> Mapping[str, list[CodeKey]]:
        return _turned({key: site.id for key, site in self.terminology.sites.items()})

    @cached_property
    def of_course(self) -> Mapping[str, list[CodeKey]]:
        return _turned(self.terminology.courses)

    @cached_property
    def of_procedure(self) -> Mapping[str, list[CodeKey]]:
        return _turned({**self.terminology.procedures, **self.terminology.asked_for})

    def panels_with(self, analyte: str) -> list[CodeKey]:
        return [key for key, analytes in self.terminology.panels.items() if analyte in analytes]

    def of_class(self, name: str) -> ClassCodes:
        """The codes of one medicine class."""
        return self._classes[name]

    def shown(self, keys: Iterable[CodeKey]) -> list[dict[str, Any]]:
        """The codes by system: system, name, codes. Words without a system stand under "words"."""
        by_system: dict[str, set[str]] = defaultdict(set)
        for key in keys:
            by_system[key[0]].add(written_code(key))
        return [self.group(system, codes) for system, codes in sorted(by_system.items())]

    def group(self, system: str, codes: Iterable[str]) -> dict[str, Any]:
        """One system's codes."""
        found = sorted(codes)
        return {
            "system": system,
            "name": self.systems.get(system, system or "words"),
            "count": len(found),
            "codes": found,
        }

    @cached_property
    def _classes(self) -> Mapping[str, ClassCodes]:
        medicines = self.terminology.medications
        codes: dict[str, dict[str, dict[str, set[str]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(set))
        )
        routed: set[str] = set()
        names: dict[str, set[str]] = defaultdict(set)

        def add(one: Ingredient, system: str, code: str) -> None:
            codes[one.medication_class][one.name][system].add(code)
            if one.route_decides:
                routed.add(one.medication_class)

        for (system, code), ingredients in medicines.codes.items():
            for one in ingredients:
                add(one, system, code)
        for code, ingredients in medicines.ndc.items():
            for one in ingredients:
                add(one, NDC, code)
        for term, ingredients in medicines.terms.items():
            for one in ingredients:
                names[one.medication_class].add(term)
                codes[one.medication_class].setdefault(one.name, defaultdict(set))
        families: dict[str, set[str]] = defaultdict(set)
        for prefix, ingredients in medicines.atc.items():
            for one in ingredients:
                if len(prefix) < _ATC_SUBSTANCE:
                    families[one.medication_class].add(prefix)
                else:
                    add(one, ATC, prefix)
        return {
            name: ClassCodes(
                ingredients={
                    ingredient: {system: tuple(sorted(found)) for system, found in sorted(systems.items())}
                    for ingredient, systems in sorted(codes[name].items())
                },
                families=tuple(sorted(families[name])),
                excepted=self._excepted(name, families[name]),
                names=tuple(sorted(names[name])),
                route_decides=name in routed,
            )
            for name in medicines.class_labels
        }

    def _excepted(self, name: str, families: Iterable[str]) -> tuple[str, ...]:
        families = tuple(families)
        return tuple(
            sorted(
                prefix
                for prefix, ingredients in self.terminology.medications.atc.items()
                if any(prefix.startswith(family) for family in families)
                and all(one.medication_class != name for one in ingredients)
            )
        )


def _turned(meanings: Mapping[CodeKey, str]) -> Mapping[str, list[CodeKey]]:
    found: dict[str, list[CodeKey]] = defaultdict(list)
    for key, name in meanings.items():
        found[name].append(key)
    return found
