"""What feeds a condition: each finding, medicine class, result, site and course it reads, with its codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_mappings.terminology import Terminology
from service.decision.table import Condition
from service.knowledge.explained.codes import Codes
from service.knowledge.explained.rules import leaves
from service.knowledge.page_wording import FeatureWords, PageWording, joined, limits_of

# (kind, id): one thing that feeds a rule.
Operand = tuple[str, str]
_WITHOUT_CODES = ("patient", "potassium-raising", "other-rows")


class Operands:
    """Finds and shows what conditions read."""

    def __init__(self, pages: PageWording, terminology: Terminology, codes: Codes) -> None:
        self.pages = pages
        self.phrases = pages.phrases
        self.terminology = terminology
        self.codes = codes

    def features(self, condition: Condition) -> list[dict[str, str]]:
        """The computed features that it reads, and how each is read."""
        names = dict.fromkeys(leaf.variable for leaf in leaves(condition))
        found = [self.pages.features[name] for name in names if name in self.pages.features]
        return [{"says": feature.holds, "how": feature.how} for feature in found]

    def of(self, condition: Condition) -> list[Operand]:
        """What feeds it, in the order of the text, each once."""
        found: dict[Operand, None] = {}
        for leaf in leaves(condition):
            word, _, name = leaf.variable.partition(" ")
            if word in ("drug", "current"):
                found["medication", name] = None
            elif leaf.variable in self.pages.features:
                found |= dict.fromkeys(self._of_feature(self.pages.features[leaf.variable]))
            else:
                found["finding", leaf.variable] = None
        return list(found)

    def _of_feature(self, feature: FeatureWords) -> Iterator[Operand]:
        yield from (("finding", name) for name in feature.findings)
        yield from (("analyte", name) for name in feature.analytes)
        sites = {site.id: site.region or "" for site in self.terminology.sites.values()}
        regions = ["" if region == "generalized" else region for region in feature.regions]
        for name, region in sorted(sites.items(), key=lambda item: (item[1], item[0])):
            plain = region in regions if region else name == "generalized" and "" in regions
            if plain or name in feature.sites:
                yield "body-site", name
        yield from (("course", name) for name in feature.courses)
        if feature.patient:
            yield "patient", ""
        if feature.potassium_raising:
            yield "potassium-raising", ""
        if feature.other_rows:
            yield "other-rows", ""

    def label(self, operand: Operand) -> str:
        """What the operand is called; "" for one that has no name of its own."""
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
            case "course":
                return name
        return ""

    def shown(self, operands: Iterable[Operand], *, codes: bool = True) -> list[dict[str, Any]]:
        """Each operand with its label, notes and codes; codes=False leaves the codes to its ValueSet."""
        return [self._shown(operand, codes) for operand in operands]

    def _shown(self, operand: Operand, codes: bool) -> dict[str, Any]:
        kind, name = operand
        if kind == "medication":
            content = self._medication(name, codes)
        elif kind in _WITHOUT_CODES:
            content = {"notes": [], "count": 0, "systems": []}
        else:
            keys = getattr(self.codes, f"of_{kind.removeprefix('body-')}")[name]
            content = {
                "notes": list(self._notes(kind, name)),
                "count": len(keys),
                "systems": self.codes.shown(keys) if codes else [],
            }
        shown = {"kind": kind, "id": name, "label": self.label(operand), **content}
        if kind in ("finding", "medication", "analyte", "body-site"):
            shown["valueSet"] = f"/fhir/ValueSet/{kind}-{name}"
        return shown

    def how(self, operands: Iterable[Operand]) -> list[str]:
        """How each kind among them is matched."""
        return [self._how(kind) for kind in dict.fromkeys(kind for kind, _ in operands)]

    def _how(self, kind: str) -> str:
        if kind != "potassium-raising":
            return self.phrases[f"how_{kind}"]
        medicines = self.terminology.medications
        return self.phrases[f"how_{kind}"].format(
            atc=joined(sorted(medicines.potassium_raising_atc)),
            stems=joined(f"-{stem}" for stem in sorted(medicines.potassium_raising_stems)),
        )

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
        told = {code for group in self.codes.shown(self.codes.told[name]) for code in group["codes"]}
        if told and len(told) < len(self.codes.of_finding[name]):
            yield self.phrases["told_codes"].format(codes=", ".join(sorted(told)))
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
            yield self.phrases["default_range"].format(
                low=f"{analyte.default_low}{unit}", high=f"{analyte.default_high}{unit}"
            )
        panels = self.codes.shown(self.codes.panels_with(name))
        if panels:
            listed = "; ".join(f"{group['name']} {', '.join(group['codes'])}" for group in panels)
            yield f"{self.phrases['panels']}: {listed}"

    def _medication(self, name: str, codes: bool) -> dict[str, Any]:
        found = self.codes.of_class(name)
        systems: dict[str, set[str]] = {}
        for by_system in found.ingredients.values():
            for system, values in by_system.items():
                systems.setdefault(system, set()).update(values)
        return {
            "notes": [self.phrases["route_decides"]] if found.route_decides else [],
            "count": sum(len(values) for values in systems.values()),
            "atcFamilies": list(found.families),
            "atcExcepted": list(found.excepted),
            "names": list(found.names) if codes else [],
            "ingredients": [
                {
                    "name": ingredient,
                    "systems": [
                        {"name": self.codes.systems.get(system, system), "count": len(values)}
                        for system, values in by_system.items()
                    ],
                }
                for ingredient, by_system in found.ingredients.items()
            ]
            if codes
            else [],
            "systems": [self.codes.group(system, values) for system, values in sorted(systems.items())]
            if codes
            else [],
        }
