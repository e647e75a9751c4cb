"""One knowledge folder, read file by file; what is wrong is collected and reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

from marshmallow import Schema, ValidationError

from fhir_mappings.record import Site
from fhir_mappings.terminology import Analyte, CodeKey, code_key
from schemas import knowledge_terminology as shapes
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

_SIDES = {"_left": "left", "_right": "right"}


def keys_of_file(raw: Mapping[str, Any]) -> Iterator[tuple[str, CodeKey]]:
    """Each code of a file with its concept in the tables; "" for one that is not from the tables."""
    for concept, systems in raw["codes"].items():
        for system, values in systems.items():
            for code in values:
                yield concept, code_key(system, code)
    for coding in raw.get("more_codes", ()):
        yield "", code_key(coding["system"], coding["code"])


class KnowledgeFiles:
    """Reads the files of one knowledge folder and collects what is wrong with them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems: list[Problem] = []

    def problem(self, file: str, place: str, reason: str) -> None:
        self.problems.append(Problem(file, place, reason))

    def stop(self) -> None:
        """Raises KnowledgeError if anything was wrong so far."""
        if self.problems:
            raise KnowledgeError(self.problems)

    def file(self, name: str, shape: Schema) -> dict[str, Any]:
        try:
            return cast(dict[str, Any], shape.load(load_yaml(self.directory / name)))
        except KnowledgeError as error:
            self.problems += [Problem(name, problem.place, problem.reason) for problem in error.problems]
        except ValidationError as error:
            for member, reason in error.normalized_messages().items():
                self.problem(name, str(member), str(reason))
        return {}

    def folder(self, name: str, shape: Schema) -> list[dict[str, Any]]:
        """Every file of a folder; a file is named after the concept it holds."""
        found = []
        for path in sorted((self.directory / name).glob("*.yaml")):
            raw = self.file(f"{name}/{path.name}", shape)
            if raw and raw["id"] != path.stem:
                self.problem(f"{name}/{path.name}", "id", f"is {raw['id']!r}, not the name of its file")
            if raw:
                found.append(raw)
        if not found:
            self.problem(name, "", "no file that can be read")
        return found

    def codes_of(self, raws: list[dict[str, Any]], folder: str) -> dict[CodeKey, str]:
        """code -> the id of its file; a code in two files is a problem."""
        found: dict[CodeKey, str] = {}
        for raw in raws:
            for _, key in keys_of_file(raw):
                other = found.setdefault(key, raw["id"])
                if other != raw["id"]:
                    self.problem(f"{folder}/{raw['id']}.yaml", "|".join(key), f"stands in {other} too")
        return found

    def sites(self) -> tuple[dict[CodeKey, Site], dict[str, Site]]:
        by_code: dict[CodeKey, Site] = {}
        by_id: dict[str, Site] = {}
        for raw in self.folder("body_sites", shapes.BodySiteSchema()):
            by_id[raw["id"]] = Site(raw["id"], raw["label"], raw["region"])
            for concept, key in keys_of_file(raw):
                side = next((_SIDES[end] for end in _SIDES if concept.endswith(end)), None)
                site = Site(raw["id"], raw["label"], raw["region"], side)
                if by_code.setdefault(key, site) != site:
                    self.problem(f"body_sites/{raw['id']}.yaml", "|".join(key), "is another site too")
        return by_code, by_id

    def analyte(self, raw: Mapping[str, Any]) -> Analyte:
        place = f"analytes/{raw['id']}.yaml"
        limits = {name: raw[name] or {} for name in ("default_range", "critical")}

        def bound(name: str, side: str) -> Decimal | None:
            text = limits[name].get(side)
            return None if text is None else self.number(text, place, name)

        return Analyte(
            id=raw["id"],
            label=raw["label"],
            counts_as=raw["counts_as"] or raw["id"],
            unit=raw["unit"],
            units={
                unit: self.number(factor, place, f"units.{unit}") for unit, factor in raw["units"].items()
            },
            default_low=bound("default_range", "low"),
            default_high=bound("default_range", "high"),
            critical_low=bound("critical", "low"),
            critical_high=bound("critical", "high"),
        )

    def number(self, text: str, file: str, place: str) -> Decimal:
        """ "0.5", or a quotient such as "10/40.078"."""
        top, _, bottom = text.partition("/")
        try:
            return Decimal(top) / Decimal(bottom or "1")
        except (InvalidOperation, ZeroDivisionError):
            self.problem(file, place, "not a number or a quotient of two")
            return Decimal(1)
