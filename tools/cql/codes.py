"""What codes mean, as CQL: findings, places, medicines, results, tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.cql.files import Files
from tools.cql.literals import boolean, number, record, text, texts
from tools.cql.medicines import medicine_sets

_SIDES = ("left", "right")


class Codes:
    """The definitions of one knowledge that look codes up."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def lines(self) -> Iterator[str]:
        """The definitions, line by line."""
        kinds = {name: raw["kind"] for name, raw in self._files.findings.items()}
        looked_for = [name for name, kind in kinds.items() if kind != "look-alike"]
        yield 'define function "All findings of"(Codes List<System.Code>):'
        yield from _first_matching((f"finding-{name}", name) for name in looked_for)
        lists = {
            "Shown findings": [n for n, k in kinds.items() if k == "shown"],
            "Twitches": [n for n, k in kinds.items() if k == "fasciculation"],
            "Diagnoses": [n for n, k in kinds.items() if k == "diagnosis"],
            "Family findings": [n for n, k in kinds.items() if k == "family"],
            "Findings that pass": [n for n, k in kinds.items() if k in ("sign", "symptom", "trigger")],
            "Chronic findings": self._with("chronic"),
            "Acute findings": self._with("acute"),
            "Neurological findings": self._with("neurological"),
            "Findings from history": self._with("from_history"),
            "Findings that only lower": self._with("only_lowers"),
            "Findings near the twitch": self._with("near_twitch"),
            "General findings": self._with("specific"),
        }
        for name, members in lists.items():
            yield f'\ndefine "{name}": {texts(members)}'
        yield '\ndefine function "Specific finding"(Finding System.String):'
        cases = " ".join(
            f"when {text(n)} then {text(r['specific'])}"
            for n, r in self._files.findings.items()
            if r.get("specific")
        )
        yield f"  case Finding {cases} else Finding end"
        yield from self._code_details()
        yield from self._places()
        yield from self._qualifiers()
        yield from self._medicines()
        yield from self._analytes()
        yield from self._tests()

    def _with(self, member: str) -> list[str]:
        return [name for name, raw in self._files.findings.items() if raw.get(member)]

    def _code_details(self) -> Iterator[str]:
        told = [
            f"{name}|{code}"
            for name, raw in self._files.findings.items()
            for code in raw.get("told_codes", ())
        ]
        yield f'\ndefine "Told codes": {texts(told)}'
        acute = [
            f"{name}|{code}"
            for name, raw in self._files.findings.items()
            for concept in raw.get("acute_concepts", ())
            for code in _codes_of(raw, concept)
        ]
        yield f'\ndefine "Acute codes": {texts(acute)}'
        sited: dict[tuple[str, str], list[str]] = {}
        for name, raw in self._files.findings.items():
            for concept, site in raw.get("sited", {}).items():
                for code in _codes_of(raw, concept):
                    sited[name, code] = [site]
            for code, sites in raw.get("sited_codes", {}).items():
                sited[name, code] = sites
        yield from _listed(
            "Sited codes of findings",
            (
                record(key=text(f"{name}|{code}"), places=texts(map(_place, sites)))
                for (name, code), sites in sited.items()
            ),
        )

    def _places(self) -> Iterator[str]:
        yield '\ndefine function "Sites of"(Codes List<System.Code>):'
        yield from _first_matching((f"body-site-{name}", name) for name in self._files.sites)
        yield '\ndefine function "Region of"(Site System.String):'
        regions = " ".join(
            f"when {text(name)} then {text(raw['region'])}"
            for name, raw in self._files.sites.items()
            if raw.get("region")
        )
        yield f"  case Site {regions} else null end"
        yield from _listed(
            "Sided codes",
            (
                record(system=text(system), code=text(code), side=text(side))
                for raw in self._files.sites.values()
                for concept, systems in raw["codes"].items()
                for side in _SIDES
                if concept.endswith(f"_{side}")
                for system, codes in systems.items()
                for code in codes
            ),
        )

    def _qualifiers(self) -> Iterator[str]:
        courses = ("continuous", "improving", "intermittent", "recurrent", "stable", "worsening")
        yield '\ndefine function "Courses of"(Codes List<System.Code>):'
        yield from _first_matching((f"course-{name}", name) for name in courses)
        yield '\ndefine function "Routes of"(Codes List<System.Code>):'
        yield from _first_matching((f"medication-route-{name}", name) for name in self._files.routes["codes"])

    # --- medicines

    def _medicines(self) -> Iterator[str]:
        yield '\ndefine function "Ingredients of"(Codes List<System.Code>):\n  ({'
        yield ",\n".join(
            "    "
            + record(
                found=f'Codes in "{one.id}"',
                ingredient=text(one.ingredient),
                **{"class": text(one.drug_class)},
                routeDecides=boolean(one.by_route),
            )
            for one in medicine_sets(self._files)
        )
        yield "  }) H where H.found"
        yield '\ndefine function "Routes of class"(Class System.String):'
        cases = " ".join(
            f"when {text(name)} then {texts(raw['routes'])}"
            for name, raw in self._files.classes.items()
            if raw.get("routes")
        )
        yield f"  case Class {cases} else {{}} as List<System.String> end"

    # --- results

    def _analytes(self) -> Iterator[str]:
        yield '\ndefine function "Analyte of"(Codes List<System.Code>):'
        yield from _first_matching((f"analyte-{name}", name) for name in self._files.analytes)
        group = {name: raw.get("counts_as", name) for name, raw in self._files.analytes.items()}
        adjusted = {
            name: raw["adjustment"] for name, raw in self._files.analytes.items() if raw.get("adjustment")
        }
        yield '\ndefine function "Group of"(Analyte System.String):'
        cases = " ".join(f"when {text(n)} then {text(g)}" for n, g in group.items() if g != n)
        yield f"  case Analyte {cases} else Analyte end"
        yield f'\ndefine "Adjusted groups": {texts(adjusted)}'
        yield f'\ndefine "Adjusting analytes": {texts(one["analyte"] for one in adjusted.values())}'
        codes = ", ".join(
            f"System.Code {{ code: {text(code['code'])}, system: {text(code['system'])} }}"
            for one in adjusted.values()
            for code in one["adjusted"]
        )
        yield f'\ndefine "Adjusted codes": {{ {codes} }}'
        yield from _listed(
            "Analytes",
            (
                record(
                    id=text(name),
                    low=_bound(raw, "default_range", "low"),
                    high=_bound(raw, "default_range", "high"),
                    criticalLow=_bound(raw, "critical", "low"),
                    criticalHigh=_bound(raw, "critical", "high"),
                )
                for name, raw in self._files.analytes.items()
            ),
        )
        yield from _listed(
            "Units",
            (
                record(analyte=text(name), unit=text(unit), factor=number(factor))
                for name, raw in self._files.analytes.items()
                for unit, factor in self._unit_factors(raw).items()
            ),
            "Units by UCUM, folded: lower case, without brackets, IU as U.",
        )
        yield '\ndefine function "Meaning of flag"(Flag System.String):\n  case'
        flags = self._files.words["flags"]
        for band, written in flags["codes"].items():
            yield f"    when Flag in {texts(written)} then {text(band)}"
        yield f"    when Flag in {texts(map(str, flags['neutral']))} then 'neutral'"
        yield f"    when Flag in {texts(flags['off_scale'])} then 'neutral'"
        yield "    else 'unrecognised' end"
        beside = self._files.table["critical_beside"]
        yield from _listed(
            "Critical beside",
            (
                record(analyte=text(name), low=number(one["low"]), findings=texts(one["findings"]))
                for name, one in beside.items()
            ),
        )
        yield f'\ndefine "Long analytes": {texts(self._files.table["long_analytes"])}'
        electrolytes = self._files.table["electrolytes"]
        disorders: dict[str, list[str]] = {
            name: electrolytes if raw.get("any_electrolyte") else [raw.get("analyte", "")]
            for name, raw in self._files.findings.items()
        }
        yield from _listed(
            "Electrolyte disorders",
            (
                record(finding=text(name), analytes=texts(analytes))
                for name, analytes in disorders.items()
                if set(analytes) <= set(electrolytes)
            ),
        )

    def _unit_factors(self, raw: Mapping[str, Any]) -> dict[str, float]:
        factors: dict[str, float] = {}
        for unit, factor in raw.get("units", {}).items():
            upper, _, lower = str(factor).partition("/")
            value = float(upper) / float(lower or 1)
            spelled = [unit, *self._files.units["units"].get(unit, ())]
            if unit.startswith("mL/min"):
                spelled.append("mL/min/{1.73_m2}")
            factors |= {folded_unit(one): value for one in spelled}
        return factors

    # --- orders and studies

    def _tests(self) -> Iterator[str]:
        procedures = self._files.procedures
        studies = [name for name, raw in procedures.items() if raw["kind"] == "study"]
        known = [name for name, raw in procedures.items() if raw["kind"] != "panel"]
        yield '\ndefine function "Studies of"(Codes List<System.Code>):'
        yield from _first_matching((f"procedure-{name}", name) for name in studies)
        yield '\ndefine function "Tests of"(Codes List<System.Code>):\n  distinct (flatten {'
        named = [(f"procedure-{name}", [name]) for name in known]
        named += [(f"asks-for-{name}", [name]) for name, raw in procedures.items() if raw.get("asks_only")]
        named += [
            (f"analyte-{name}", list(dict.fromkeys([name, raw.get("counts_as", name)])))
            for name, raw in self._files.analytes.items()
        ]
        named += [
            (f"panel-{name}", raw["analytes"]) for name, raw in procedures.items() if raw["kind"] == "panel"
        ]
        parts = [f"    {_if_in(name)} then {texts(tests)} else {texts(())}" for name, tests in named]
        yield ",\n".join(parts)
        yield "  })"
        yield from _listed(
            "Completed as",
            (
                record(test=text(name), study=text(raw["completed_as"]))
                for name, raw in procedures.items()
                if raw.get("completed_as")
            ),
        )


def folded_unit(unit: str) -> str:
    """A unit as the library folds it."""
    return re.sub(r"[\[\] ]", "", unit.lower()).replace("iu", "u")


def _first_matching(sets: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "  ({"
    yield ",\n".join(f"    {_if_in(value_set)} then {text(name)} else null" for value_set, name in sets)
    yield "  }) F where F is not null"


def _if_in(value_set: str) -> str:
    return f'if Codes in "{value_set}"'


def _listed(name: str, records: Iterable[str], about: str = "") -> Iterator[str]:
    """A definition that is a list."""
    yield f'\n// {about}\ndefine "{name}":\n  {{' if about else f'\ndefine "{name}":\n  {{'
    yield ",\n".join(f"    {one}" for one in records)
    yield "  }"


def _place(written: str) -> str:
    side, _, site = written.rpartition(" ")
    return f"{site}|{side}"


def _bound(raw: Mapping[str, Any], member: str, side: str) -> str:
    return number(raw.get(member, {}).get(side))


def _codes_of(raw: Mapping[str, Any], concept: str) -> list[str]:
    return [code for codes in raw["codes"].get(concept, {}).values() for code in codes]
