"""The codes of one ingredient in one class: what a medicine on record is recognised by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fhir_mappings.code_systems import ATC, NDC, RXNORM, SNOMED
from tools.cql.conditions import Conditions
from tools.cql.files import Files

_SYSTEMS = {"rxnorm": RXNORM, "snomed": SNOMED, "ndc": NDC, "atc": ATC}


@dataclass(frozen=True, slots=True)
class MedicineSet:
    """id: of its value set. by_route: the recorded route decides about the class. codes: (system, code)."""

    id: str
    ingredient: str
    drug_class: str
    by_route: bool
    codes: tuple[tuple[str, str], ...]


def medicine_sets(files: Files) -> list[MedicineSet]:
    """Those of every ingredient of a class that a row reads, in each of its classes, by id."""
    conditions = Conditions(files.table, files.findings)
    read = set[str]().union(*(conditions.classes(row["when"]) for row in files.table["rows"]))
    wanted = {member["ingredient"] for name in read for member in files.classes[name]["members"]}
    found: dict[tuple[str, str, bool], list[tuple[str, str]]] = {}
    for drug_class, raw in files.classes.items():
        for member in raw["members"]:
            if member["ingredient"] in wanted:
                for by_route, codes in _codes_of(member):
                    found.setdefault((drug_class, member["ingredient"], by_route), []).extend(codes)
    made = (
        MedicineSet(_id(drug_class, ingredient, by_route), ingredient, drug_class, by_route, tuple(codes))
        for (drug_class, ingredient, by_route), codes in found.items()
        if codes
    )
    return sorted(made, key=lambda one: one.id)


def _codes_of(member: dict[str, object]) -> Iterator[tuple[bool, list[tuple[str, str]]]]:
    for kind, system in _SYSTEMS.items():
        codes = member.get(kind, ())
        assert isinstance(codes, Iterable)
        # A class of ATC names its route.
        yield bool(member.get("route_decides")) and system != ATC, [(system, str(code)) for code in codes]


def _id(drug_class: str, ingredient: str, by_route: bool) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", ingredient.lower()).strip("-")
    return f"{drug_class}.{slug}{'.by-route' if by_route else ''}"
