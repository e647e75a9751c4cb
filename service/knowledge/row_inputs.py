"""The inputs of a condition: findings, medication classes, analytes, sites and courses, with their codes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fhir_mappings.code_systems import ATC, NDC, CodeKey, written_code
from fhir_mappings.medication_tables import Ingredient
from fhir_mappings.record import Basis
from fhir_mappings.terminology import Terminology
from service.decision.table import Condition
from service.knowledge.page_wording import FeatureWords, PageWording, joined, limits_of
from service.knowledge.rules_in_words import leaves

# (kind, id) of an input.
Operand = tuple[str, str]
# The length of the ATC code of a substance; a shorter code is a family.
_ATC_SUBSTANCE_CHARACTERS = 7
_WITH_VALUE_SET = ("finding", "medication", "analyte", "body-site")


@dataclass(frozen=True, slots=True)
class ClassCodes:
    """What matches a medication class.

    ingredients: name -> code system -> codes. families: ATC prefixes, without those in `excepted`.
    route_decides: a code of the class may also be of a local form.
    """

    ingredients: Mapping[str, Mapping[str, tuple[str, ...]]]
    families: tuple[str, ...]
    excepted: tuple[str, ...]
    names: tuple[str, ...]
    route_decides: bool


class Codes:
    """The codes of the terminology by their meaning."""

    def __init__(self, terminology: Terminology, systems: Mapping[str, str]) -> None:
        self.terminology = terminology
        self.systems = systems

    @cached_property
    def keys(self) -> Mapping[Operand, list[CodeKey]]:
        """(kind, id) -> codes; of the kind "reported", the codes of findings that are reported by nature."""
        terminology = self.terminology
        keys: dict[Operand, list[CodeKey]] = defaultdict(list)
        for key, meanings in terminology.finding_codes.items():
            for meaning in meanings:
                keys["finding", meaning.finding].append(key)
                if meaning.basis is Basis.REPORTED:
                    keys["reported", meaning.finding].append(key)
        for key, analyte in terminology.analyte_codes.items():
            keys["analyte", analyte].append(key)
        for key, site in terminology.sites.items():
            keys["body-site", site.id].append(key)
        for key, course in terminology.courses.items():
            keys["course", course].append(key)
        for key, analytes in terminology.panels.items():
            for analyte in analytes:
                keys["panel", analyte].append(key)
        return keys

    def of_class(self, name: str) -> ClassCodes:
        """The codes of a medication class."""
        return self._classes[name]

    def shown(self, keys: Iterable[CodeKey]) -> list[dict[str, Any]]:
        """The codes by system."""
        by_system: dict[str, set[str]] = defaultdict(set)
        for key in keys:
            by_system[key[0]].add(written_code(key))
        return [self.group(system, codes) for system, codes in sorted(by_system.items())]

    def group(self, system: str, codes: Iterable[str]) -> dict[str, Any]:
        """The codes of one system. The system "" is that of words."""
        listed = sorted(codes)
        name = self.systems.get(system, system or "words")
        return {"system": system, "name": name, "count": len(listed), "codes": listed}

    @cached_property
    def _classes(self) -> Mapping[str, ClassCodes]:
        medications = self.terminology.medications
        codes: dict[str, dict[str, dict[str, set[str]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(set))
        )
        families: dict[str, set[str]] = defaultdict(set)
        names: dict[str, set[str]] = defaultdict(set)
        with_route: set[str] = set()

        def add(ingredient: Ingredient, system: str, code: str) -> None:
            codes[ingredient.medication_class][ingredient.name][system].add(code)
            if ingredient.route_decides:
                with_route.add(ingredient.medication_class)

        coded = {**medications.codes, **{(NDC, code): known for code, known in medications.ndc.items()}}
        for (system, code), ingredients in coded.items():
            for ingredient in ingredients:
                add(ingredient, system, code)
        for prefix, ingredients in medications.atc.items():
            for ingredient in ingredients:
                if len(prefix) < _ATC_SUBSTANCE_CHARACTERS:
                    families[ingredient.medication_class].add(prefix)
                else:
                    add(ingredient, ATC, prefix)
        for term, ingredients in medications.terms.items():
            for ingredient in ingredients:
                names[ingredient.medication_class].add(term)
                # An ingredient may have names and no code.
                codes[ingredient.medication_class].setdefault(ingredient.name, defaultdict(set))
        return {
            name: ClassCodes(
                ingredients={
                    ingredient: {system: tuple(sorted(listed)) for system, listed in sorted(systems.items())}
                    for ingredient, systems in sorted(codes[name].items())
                },
                families=tuple(sorted(families[name])),
                excepted=tuple(sorted(self._excepted(name, tuple(families[name])))),
                names=tuple(sorted(names[name])),
                route_decides=name in with_route,
            )
            for name in medications.class_labels
        }

    def _excepted(self, name: str, families: tuple[str, ...]) -> Iterator[str]:
        for prefix, ingredients in self.terminology.medications.atc.items():
            if prefix.startswith(families) and all(i.medication_class != name for i in ingredients):
                yield prefix


class Operands:
    """The inputs of conditions, as pages show them."""

    def __init__(self, pages: PageWording, terminology: Terminology) -> None:
        self.pages = pages
        self.phrases = pages.phrases
        self.terminology = terminology
        self.codes = Codes(terminology, pages.systems)

    def features(self, condition: Condition) -> list[dict[str, str]]:
        """The computed features that a condition reads, and how each is computed."""
        names = dict.fromkeys(leaf.variable for leaf in leaves(condition))
        features = [self.pages.features[name] for name in names if name in self.pages.features]
        return [{"says": feature.holds, "how": feature.how} for feature in features]

    def of(self, condition: Condition) -> list[Operand]:
        """The inputs of a condition, each once, in the order of the text."""
        operands: dict[Operand, None] = {}
        for leaf in leaves(condition):
            word, _, name = leaf.variable.partition(" ")
            if word in ("drug", "current", "stopped"):
                operands["medication", name] = None
            elif leaf.variable in self.pages.features:
                operands |= dict.fromkeys(self._of_feature(self.pages.features[leaf.variable]))
            else:
                operands["finding", leaf.variable] = None
        return list(operands)

    def _of_feature(self, feature: FeatureWords) -> Iterator[Operand]:
        yield from (("finding", name) for name in feature.findings)
        yield from (("analyte", name) for name in feature.analytes)
        sites = {site.id: site.region or "" for site in self.terminology.sites.values()}
        for name, region in sorted(sites.items(), key=lambda item: (item[1], item[0])):
            # The site "generalized" has no region: it is one.
            if (region or name) in feature.regions or name in feature.sites:
                yield "body-site", name
        yield from (("course", name) for name in feature.courses)
        if feature.patient:
            yield "patient", ""
        if feature.potassium_raising:
            yield "potassium-raising", ""
        if feature.other_rows:
            yield "other-rows", ""

    def label(self, operand: Operand) -> str:
        """The label of an input; "" if it has none."""
        kind, name = operand
        match kind:
            case "finding":
                return self.terminology.findings[name].label
            case "medication":
                return self.terminology.medications.class_labels[name]
            case "analyte":
                return self.terminology.analytes[name].label
            case "body-site":
                return next(site.label for site in self.terminology.sites.values() if site.id == name)
        return name

    def shown(self, operands: Iterable[Operand], *, codes: bool = True) -> list[dict[str, Any]]:
        """Each input with its label, notes and codes; codes=False leaves the codes to its ValueSet."""
        return [self._shown(operand, codes) for operand in operands]

    def _shown(self, operand: Operand, codes: bool) -> dict[str, Any]:
        kind, name = operand
        shown: dict[str, Any] = {"kind": kind, "id": name, "label": self.label(operand)}
        if kind == "medication":
            shown |= self._medication(name, codes)
        else:
            keys = self.codes.keys.get(operand, [])
            notes = list(self._notes(kind, name))
            shown |= {"notes": notes, "count": len(keys), "systems": self.codes.shown(keys) if codes else []}
        if kind in _WITH_VALUE_SET:
            shown["valueSet"] = f"/fhir/ValueSet/{kind}-{name}"
        return shown

    def how(self, operands: Iterable[Operand]) -> list[str]:
        """How each kind of input is matched."""
        medications = self.terminology.medications
        filled = {
            "atc": joined(sorted(medications.potassium_raising_atc)),
            "stems": joined(f"-{stem}" for stem in sorted(medications.potassium_raising_stems)),
        }
        kinds = dict.fromkeys(kind for kind, _ in operands)
        return [self.phrases[f"how_{kind}"].format(**filled) for kind in kinds]

    def _notes(self, kind: str, name: str) -> Iterator[str]:
        match kind:
            case "finding":
                yield from self._finding_notes(name)
            case "analyte":
                yield from self._analyte_notes(name)
            case "body-site":
                site = next(site for site in self.terminology.sites.values() if site.id == name)
                yield site.region or self.phrases["no_region"]

    def _finding_notes(self, name: str) -> Iterator[str]:
        reported = {written_code(key) for key in self.codes.keys.get(("reported", name), ())}
        if reported and len(reported) < len(self.codes.keys["finding", name]):
            yield self.phrases["told_codes"].format(codes=", ".join(sorted(reported)))
        definitions = self.terminology.findings.values()
        for other in definitions:
            if other.specific == name:
                yield self.phrases["specific"].format(label=other.label)
        if self.terminology.findings[name].kind == "family":
            relatives = [other.label for other in definitions if other.neurological]
            yield self.phrases["relatives"].format(names=joined(relatives))

    def _analyte_notes(self, name: str) -> Iterator[str]:
        analyte = self.terminology.analytes[name]
        limits = limits_of(analyte, self.phrases)
        if limits:
            yield self.phrases["limits"].format(limits=limits)
        if analyte.default_low is not None and analyte.default_high is not None:
            unit = f" {analyte.unit}" if analyte.unit else ""
            low, high = f"{analyte.default_low}{unit}", f"{analyte.default_high}{unit}"
            yield self.phrases["default_range"].format(low=low, high=high)
        panels = self.codes.shown(self.codes.keys.get(("panel", name), ()))
        if panels:
            listed = "; ".join(f"{group['name']} {', '.join(group['codes'])}" for group in panels)
            yield f"{self.phrases['panels']}: {listed}"

    def _medication(self, name: str, codes: bool) -> dict[str, Any]:
        matched = self.codes.of_class(name)
        systems: dict[str, set[str]] = defaultdict(set)
        for by_system in matched.ingredients.values():
            for system, values in by_system.items():
                systems[system].update(values)
        shown: dict[str, Any] = {
            "notes": [self.phrases["route_decides"]] if matched.route_decides else [],
            "count": sum(len(values) for values in systems.values()),
            "atcFamilies": list(matched.families),
            "atcExcepted": list(matched.excepted),
            "names": [],
            "ingredients": [],
            "systems": [],
        }
        if codes:
            shown["names"] = list(matched.names)
            shown["ingredients"] = [
                {
                    "name": ingredient,
                    "systems": [
                        {"name": self.codes.systems.get(system, system), "count": len(values)}
                        for system, values in by_system.items()
                    ],
                }
                for ingredient, by_system in matched.ingredients.items()
            ]
            shown["systems"] = [self.codes.group(*item) for item in sorted(systems.items())]
        return shown
