"""Every value set that the reading uses, as a ValueSet.

Codes are those of the look-up tables, without displays: titles of most terminologies may not be passed on. A
code counts by system and code; what a server knows as a descendant counts only where a filter says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from fhir_mappings.code_systems import ATC, ICD_10, ICD_10_CM, NDC, CodeKey, written_code
from fhir_mappings.medication_tables import Ingredient
from fhir_mappings.record import Basis, Site
from fhir_mappings.terminology import Analyte, FindingCode, FindingDefinition, Terminology
from tools.artifacts.expansions import expansion
from tools.artifacts.families import filters_of
from tools.artifacts.publication import Publication
from tools.cql.medicines import MedicineSet

_ICD = (ICD_10, ICD_10_CM)


@dataclass(frozen=True, slots=True)
class _Members:
    """families: system -> listed code -> whether it belongs. parts: ids of value sets that it unites."""

    id: str
    title: str
    says: tuple[str, ...]
    codes: tuple[CodeKey, ...] = ()
    families: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


def value_sets_of(
    terminology: Terminology, medicines: Iterable[MedicineSet], publication: Publication
) -> Iterator[dict[str, Any]]:
    """The value sets of that terminology, and those of single ingredients."""
    reader = _Reader(terminology, publication)
    yield from (reader.value_set(members) for members in reader.all())
    yield from (reader.value_set(reader.medicine(one)) for one in medicines)


def _bounds(analyte: Analyte, low: Decimal | None, high: Decimal | None, below: str, above: str) -> str:
    bounds = [f"{sign} {value}" for sign, value in ((below, low), (above, high)) if value is not None]
    return f"{' or '.join(bounds)} {analyte.unit}" if bounds else ""


def _places(sites: Iterable[Site]) -> str:
    return " and ".join(f"{site.side} {site.label}" if site.side else site.label for site in sites)


_Key = TypeVar("_Key")


def _by_class(table: Mapping[_Key, Iterable[Ingredient]]) -> dict[str, list[_Key]]:
    found: dict[str, list[_Key]] = {}
    for key, ingredients in table.items():
        for name in {one.medication_class for one in ingredients}:
            found.setdefault(name, []).append(key)
    return found


def _by_value(table: Mapping[CodeKey, str]) -> dict[str, tuple[CodeKey, ...]]:
    found: dict[str, tuple[CodeKey, ...]] = {}
    for key, value in table.items():
        found[value] = (*found.get(value, ()), key)
    return dict(sorted(found.items()))


class _Reader:
    """Turns the look-up tables into value sets, kind by kind."""

    def __init__(self, terminology: Terminology, publication: Publication) -> None:
        self.terminology = terminology
        self.publication = publication
        # Id of a value set -> its expansion; those that a value set unites come before it.
        self.expansions: dict[str, dict[str, Any]] = {}

    def say(self, place: str, **names: object) -> str:
        return self.publication.say(f"value_sets.{place}", **names)

    def all(self) -> Iterator[_Members]:
        yield from self.findings()
        yield from self.medications()
        yield from self.analytes()
        yield from self.sites()
        yield from self.procedures()
        yield from self.qualifiers()

    def value_set(self, members: _Members) -> dict[str, Any]:
        by_system: dict[str, list[str]] = {}
        for system, code in sorted(set(members.codes)):
            by_system.setdefault(system, []).append(code)
        include: list[dict[str, Any]] = [
            {"system": system, "concept": [{"code": code} for code in codes]}
            for system, codes in by_system.items()
        ]
        exclude: list[dict[str, Any]] = []
        for system, belongs in members.families.items():
            more, less = filters_of(system, belongs)
            include += more
            exclude += less
        # Several in one entry would be what they have in common.
        include += [{"valueSet": [self.publication.pinned("ValueSet", part)]} for part in members.parts]
        says = list(members.says)
        if any("filter" in entry for entry in include):
            says.append(self.say("below"))
        for system in sorted({entry["system"] for entry in exclude}):
            codes = ", ".join(e["filter"][0]["value"] for e in exclude if e["system"] == system)
            says.append(self.say("excluded", system=system, codes=codes))
        if not include:
            says.append(self.say("no_code"))
        resource = self.publication.head("ValueSet", members.id, members.title, " ".join(says))
        systems = {entry["system"] for entry in include if "system" in entry}
        if members.parts:
            systems |= {system for system, _ in self.terminology.sites}
        if include:
            terms = self.publication.terms_of(systems)
            resource |= {"copyright": terms} if terms else {}
            resource["compose"] = {"include": include} | ({"exclude": exclude} if exclude else {})
        resource["expansion"] = self.expansions[members.id] = self._expansion(members)
        return resource

    def _expansion(self, members: _Members) -> dict[str, Any]:
        codes = set(members.codes)
        for system, belongs in members.families.items():
            codes |= {(system, code) for code, belonging in belongs.items() if belonging}
        open_ended = any(any(belongs.values()) for belongs in members.families.values())
        return expansion(
            codes, self.publication.date, [self.expansions[p] for p in members.parts], open_ended
        )

    def findings(self) -> Iterator[_Members]:
        codes = self.terminology.finding_codes
        listed = {system: [key for key in codes if key[0] == system] for system in _ICD}
        by_finding: dict[str, dict[CodeKey, FindingCode]] = {}
        for key, found in codes.items():
            for code in found:
                by_finding.setdefault(code.finding, {})[key] = code
        for definition in self.terminology.findings.values():
            own = by_finding.get(definition.id, {})
            yield _Members(
                f"finding-{definition.id}",
                definition.label,
                tuple(self._about(definition, own)),
                codes=tuple(key for key in own if key[0] not in _ICD),
                families={
                    system: {written_code(key): key in own for key in listed[system]}
                    for system in _ICD
                    if any(key[0] == system for key in own)
                },
            )

    def _about(self, definition: FindingDefinition, own: Mapping[CodeKey, FindingCode]) -> Iterator[str]:
        yield self.say("finding", label=definition.label)
        if definition.kind in ("shown", "look-alike"):
            yield self.say(definition.kind.replace("-", "_"))
        if definition.specific:
            yield self.say("specific", finding=definition.specific)
        told = sorted(written_code(key) for key, code in own.items() if code.basis is Basis.REPORTED)
        if told:
            yield self.say("told", codes=", ".join(told))
        sited = sorted(
            f"{written_code(key)} ({_places(code.sites)})" for key, code in own.items() if code.sites
        )
        if sited:
            yield self.say("sited", codes=", ".join(sited))

    def medications(self) -> Iterator[_Members]:
        tables = self.terminology.medications
        codes, ndc, atc = (_by_class(tables.codes), _by_class(tables.ndc), _by_class(tables.atc))
        for name, label in tables.class_labels.items():
            says = [self.say("medication", label=label)]
            if name in tables.class_routes:
                says.append(self.say("routes", routes=", ".join(sorted(tables.class_routes[name]))))
            prefixes = set(atc.get(name, ()))
            yield _Members(
                f"medication-{name}",
                label,
                tuple(says),
                codes=(*codes.get(name, ()), *((NDC, code) for code in ndc.get(name, ()))),
                families={ATC: {prefix: prefix in prefixes for prefix in tables.atc}},
            )
        endings = ", ".join(f"-{stem}" for stem in sorted(tables.potassium_raising_stems))
        yield _Members(
            "potassium-raising",
            "medicines that can raise potassium",
            (self.say("potassium_raising", endings=endings),),
            families={ATC: dict.fromkeys(tables.potassium_raising_atc, True)},
        )

    def medicine(self, one: MedicineSet) -> _Members:
        """The codes of one ingredient in one class."""
        label = self.terminology.medications.class_labels[one.drug_class]
        says = [self.say("ingredient", ingredient=one.ingredient, label=label)]
        says += [self.say("by_route")] if one.by_route else []
        title = f"{one.ingredient}, {label}{', by route' if one.by_route else ''}"
        return _Members(one.id, title, tuple(says), one.codes)

    def analytes(self) -> Iterator[_Members]:
        by_analyte = _by_value(self.terminology.analyte_codes)
        for analyte in self.terminology.analytes.values():
            says = [self.say("analyte", label=analyte.label)]
            if analyte.counts_as != analyte.id:
                says.append(self.say("counts_as", analyte=analyte.counts_as))
            usual = _bounds(analyte, analyte.default_low, analyte.default_high, "<", ">")
            critical = _bounds(analyte, analyte.critical_low, analyte.critical_high, "<=", ">=")
            says += [self.say("default_range", bounds=usual)] if usual else []
            says += [self.say("critical", bounds=critical)] if critical else []
            codes = by_analyte.get(analyte.id, ())
            yield _Members(f"analyte-{analyte.id}", analyte.label, tuple(says), codes)

    def sites(self) -> Iterator[_Members]:
        sites = {site.id: site for site in self.terminology.sites.values()}
        codes = _by_value({key: site.id for key, site in self.terminology.sites.items()})
        for name, site in sorted(sites.items()):
            region = self.say("region", region=site.region) if site.region else self.say("no_region")
            says = (self.say("body_site", label=site.label), region)
            yield _Members(f"body-site-{name}", site.label, says, codes[name])
        for region in sorted({site.region for site in sites.values() if site.region}):
            parts = tuple(f"body-site-{name}" for name in sorted(sites) if sites[name].region == region)
            yield _Members(
                f"body-region-{region}", region, (self.say("body_region", region=region),), parts=parts
            )

    def procedures(self) -> Iterator[_Members]:
        labels, panels = self.terminology.procedure_labels, self.terminology.panels
        for name, codes in _by_value(self.terminology.procedures).items():
            says = (self.say("procedure", label=labels[name]),)
            yield _Members(f"procedure-{name}", labels[name], says, codes)
        for name, codes in _by_value(self.terminology.asked_for).items():
            says = (self.say("asks_for", label=labels[name]),)
            yield _Members(f"asks-for-{name}", f"{labels[name]}, asked for", says, codes)
        for name, codes in _by_value(self.terminology.panel_names).items():
            analytes = ", ".join(sorted(panels[codes[0]]))
            says = (self.say("panel", label=labels[name], analytes=analytes),)
            yield _Members(f"panel-{name}", labels[name], says, codes)

    def qualifiers(self) -> Iterator[_Members]:
        """Courses, answers, sides, routes: what is read beside a finding or medicine. Words are no codes."""
        answers = {key: status.value for key, status in self.terminology.answers.items()}
        routes = self.terminology.medications.routes
        for kind, table in (
            ("course", self.terminology.courses),
            ("answer", answers),
            ("side", self.terminology.sides),
            ("medication-route", routes),
        ):
            for name, keys in _by_value(table).items():
                codes = tuple(key for key in keys if key[0])
                says = (self.say(kind.replace("-", "_"), name=name),)
                yield _Members(f"{kind}-{name}", f"{kind.replace('-', ' ')}: {name}", says, codes)
        codes = tuple(self.terminology.tobacco_status)
        yield _Members("tobacco-status", "tobacco smoking status", (self.say("tobacco_status"),), codes)
