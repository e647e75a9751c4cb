"""A site's own codes, from a FHIR R4 ConceptMap or a CSV, added to the tables of the shipped codes."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from fhir_mappings.code_systems import ATC, NDC, CodeKey, code_key
from fhir_mappings.medication_tables import Ingredient
from fhir_mappings.resources.shapes import CodeableConcept, Coding
from fhir_mappings.terminology import FindingCode, Terminology
from fhir_mappings.to_findings.drug_names import named_by
from schemas.base import places_and_reasons
from schemas.site_codes import ConceptMapSchema
from service.knowledge.loading import KnowledgeError, Problem

SETTING = "SITE_CODES"
# The code system of the ids of the knowledge, as target of a ConceptMap.
CONCEPTS = "urn:fasciculation-cds:fhir/CodeSystem/concepts"
HEADER = ["system", "code", "concept"]
_SAME = frozenset({"equal", "equivalent"})
# The local code is narrower than its target.
_NARROWER_SOURCE = frozenset({"wider", "subsumes"})
_NO_MAPPING = frozenset({"unmatched", "disjoint"})
# The absence of a narrower sign or symptom is no absence of the whole; a disease of a family is the family's.
_KINDS_OF_WIDER = frozenset({"diagnosis", "shown", "look-alike"})

# Table of the terminology -> what a code means there.
Meaning = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SiteCodes:
    """How many codes are read, and the places of those whose target means nothing here."""

    read: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """One mapping. target: the system of the concept; "" for an id of the knowledge."""

    place: str
    system: str
    code: str
    target: str
    concept: str
    equivalence: str = "equivalent"


def load_site_codes(path: Path, terminology: Terminology) -> tuple[Terminology, SiteCodes]:
    """The terminology with the codes of the file. Raises KnowledgeError with every problem of the file."""
    reader = _Reader(path, terminology)
    rows = list(reader.rows())
    reader.stop()
    for row in rows:
        reader.read(row)
    if not reader.meanings and not reader.problems:
        reader.problem("", "none of its codes means anything here")
    reader.stop()
    return _extended(terminology, reader.meanings), SiteCodes(len(reader.meanings), tuple(reader.left_out))


def _extended(terminology: Terminology, meanings: Mapping[CodeKey, Meaning]) -> Terminology:
    tables: dict[str, dict[CodeKey, Any]] = defaultdict(dict)
    for key, meaning in meanings.items():
        for table, value in meaning.items():
            tables[table][key] = value
    medications = terminology.medications
    if "medications" in tables:
        codes = {**medications.codes, **tables.pop("medications")}
        medications = replace(medications, codes=codes)
    added: dict[str, Any] = {
        table: {**getattr(terminology, table), **codes} for table, codes in tables.items()
    }
    return replace(terminology, medications=medications, **added)


class _Twice(ValueError):
    """A member that stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Twice(f"a member stands twice in one object: {', '.join(name for name, _ in pairs)[:80]}")
    return members


class _Reader:
    """Reads one file and collects its problems."""

    def __init__(self, path: Path, terminology: Terminology) -> None:
        self.path = path
        self.terminology = terminology
        self.problems: list[Problem] = []
        self.meanings: dict[CodeKey, Meaning] = {}
        self.left_out: list[str] = []
        self._places: dict[CodeKey, str] = {}
        self._concepts = _concepts(terminology)

    def problem(self, place: str, reason: str) -> None:
        self.problems.append(Problem(f"{SETTING}: {self.path.name}", place, reason))

    def stop(self) -> None:
        if self.problems:
            raise KnowledgeError(self.problems)

    def rows(self) -> Iterator[_Row]:
        try:
            # Spreadsheets write a byte order mark.
            text = self.path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return self.problem("", "cannot be read as UTF-8")
        yield from self._of_map(text) if text.lstrip().startswith("{") else self._of_csv(text)

    def _of_csv(self, text: str) -> Iterator[_Row]:
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            if [name.strip() for name in next(lines, [])] != HEADER:
                return self.problem("line 1", f"is not {','.join(HEADER)}")
            for cells in lines:
                place, cells = f"line {lines.line_num}", [cell.strip() for cell in cells]
                if not any(cells):
                    continue
                if len(cells) != len(HEADER) or not all(cells):
                    self.problem(place, f"needs {', '.join(HEADER)}, and nothing more")
                    continue
                system, code, concept = cells
                target, _, standard = concept.rpartition("|")
                yield _Row(place, system, code, target, standard)
        except csv.Error as error:
            self.problem(f"line {lines.line_num}", str(error))

    def _of_map(self, text: str) -> Iterator[_Row]:
        try:
            content = json.loads(text, object_pairs_hook=_unique)
            loaded = ConceptMapSchema().load(content)
        except json.JSONDecodeError as error:
            return self.problem(f"line {error.lineno}", f"not JSON: {error.msg}")
        except (RecursionError, _Twice) as error:
            return self.problem("", str(error) if isinstance(error, _Twice) else "nested too deeply")
        except ValidationError as error:
            for place, reason in places_and_reasons(error.normalized_messages(), content):
                self.problem(place, reason)
            return None
        for number, group in enumerate(loaded["group"]):
            for index, element in enumerate(group["element"]):
                place = f"group[{number}].element[{index}]"
                yield from self._of_element(group, element, place)

    def _of_element(self, group: Mapping[str, Any], element: Mapping[str, Any], place: str) -> Iterator[_Row]:
        mapped = [
            (f"{place}.target[{index}]", target)
            for index, target in enumerate(element["target"])
            if target["equivalence"] not in _NO_MAPPING
        ]
        if not mapped:
            self.left_out.append(place)
        for inner, target in mapped:
            if not group["target"] or not target.get("code"):
                self.problem(inner, "needs a code, and its group a target system")
                continue
            own = group["target"].rstrip("/") == CONCEPTS
            system = "" if own else group["target"]
            yield _Row(inner, group["source"], element["code"], system, target["code"], target["equivalence"])

    def read(self, row: _Row) -> None:
        """Add the meaning of one mapping, or the problem that it has."""
        if ":" not in row.system or row.system.split() != [row.system]:
            return self.problem(row.place, f"the system {row.system!r} is no URI")
        if "|" in row.system:
            # No coding has it there, so nothing would match.
            return self.problem(row.place, f"the system {row.system!r} has a version: leave it out")
        if not row.code.isprintable():
            return self.problem(row.place, f"the code {row.code!r} has control characters")
        key = code_key(row.system, row.code)
        written = f"{row.system}|{row.code}"
        meaning = self._meaning_of(row)
        if not meaning:
            return None
        known = self._known(key)
        if not known and key[0] in (ATC, NDC):
            return self.problem(row.place, f"{written}: to ATC and NDC a site cannot add")
        if known and known != meaning:
            return self.problem(row.place, f"{written} already means {_said(known)}, not {_said(meaning)}")
        if key in self.meanings and self.meanings[key] != meaning:
            there = f"{_said(self.meanings[key])} ({self._places[key]})"
            return self.problem(row.place, f"{written} means {_said(meaning)} here and {there}")
        self.meanings[key] = meaning
        self._places.setdefault(key, row.place)
        return None

    def _meaning_of(self, row: _Row) -> Meaning:
        """What the target of a row means; {} with a problem, or where it is left out."""
        if row.target:
            meaning = self._known(code_key(row.target, row.concept), as_target=True)
            if not meaning and row.place.startswith("line"):
                self.problem(row.place, f"{row.target}|{row.concept} means nothing here")
            elif not meaning:
                self.left_out.append(row.place)
        else:
            meaning = self._of_concept(row)
        if not meaning or row.equivalence in _SAME:
            return meaning
        if row.equivalence in _NARROWER_SOURCE and self._holds_for_narrower(meaning):
            return meaning
        self.problem(
            row.place,
            f"{row.equivalence!r} to {_said(meaning)} does not count: write equal or equivalent, or wider for"
            " a disease, a body site or a medicine",
        )
        return {}

    def _of_concept(self, row: _Row) -> Meaning:
        found = self._concepts.get(row.concept.casefold(), {})
        if len(found) > 1:
            self.problem(row.place, f"{row.concept!r} is several: write {' or '.join(sorted(found))}")
            return {}
        if not found:
            self.problem(row.place, f"no finding, body site, analyte, procedure or medicine {row.concept!r}")
            return {}
        return next(iter(found.values()))

    def _holds_for_narrower(self, meaning: Meaning) -> bool:
        kinds = {self.terminology.findings[code.finding].kind for code in meaning.get("finding_codes", ())}
        return meaning.keys() <= {"sites", "medications", "finding_codes"} and kinds <= _KINDS_OF_WIDER

    def _known(self, key: CodeKey, *, as_target: bool = False) -> Meaning:
        """The meaning of a shipped code. as_target: without what a site cannot map to."""
        known = self.terminology
        concept = CodeableConcept(coding=[Coding(system=key[0], code=key[1])])
        meaning: dict[str, Any] = {
            "finding_codes": known.finding_of(key),
            "medications": named_by(concept, known.medications).coded,
        }
        tables = ["sites", "analyte_codes", "panels", "panel_names", "procedures", "asked_for"]
        for table in tables if as_target else [*tables, "sides", "courses", "answers"]:
            meaning[table] = getattr(known, table).get(key)
        return {table: value for table, value in meaning.items() if value}


def _said(meaning: Meaning) -> str:
    """The ids that a meaning names."""
    names: dict[str, None] = {}
    for value in meaning.values():
        for part in value if isinstance(value, tuple | frozenset) else (value,):
            name = getattr(part, "finding", None) or getattr(part, "name", None) or getattr(part, "id", part)
            names[str(name)] = None
    return " and ".join(sorted(names))


def _concepts(terminology: Terminology) -> dict[str, dict[str, Meaning]]:
    """What a site may write, in lower case -> the same with its folder -> its meaning."""
    named: dict[str, Meaning] = {}
    for finding in terminology.findings.values():
        code = FindingCode(finding.id, acute=finding.acute)
        named[f"findings/{finding.id}"] = {"finding_codes": (code,)}
    for site in terminology.sites.values():
        for side in (None, "left", "right"):
            name = f"body_sites/{f'{side} ' if side else ''}{site.id}"
            named[name] = {"sites": replace(site, side=side)}
    named |= {f"analytes/{name}": {"analyte_codes": name} for name in terminology.analytes}
    studies = set(terminology.procedures.values())
    named |= {f"procedures/{name}": {"procedures": name} for name in studies}
    for key, name in terminology.panel_names.items():
        named[f"procedures/{name}"] = {"panels": terminology.panels[key], "panel_names": name}
    medications = terminology.medications
    for name, label in medications.class_labels.items():
        named[f"medication_classes/{name}"] = {"medications": (Ingredient(label, name),)}
    ingredients: dict[str, dict[Ingredient, None]] = defaultdict(dict)
    for coded in (medications.codes, medications.terms):
        for found in coded.values():
            for ingredient in found:
                if not ingredient.route:
                    ingredients[ingredient.name][ingredient] = None
    for name, meant in ingredients.items():
        # Where a code leaves the class to the route, so does the name.
        undecided = tuple(ingredient for ingredient in meant if ingredient.route_decides)
        named[f"ingredients/{name}"] = {"medications": undecided or tuple(meant)}
    written: dict[str, dict[str, Meaning]] = defaultdict(dict)
    for name, meaning in named.items():
        for form in (name, name.partition("/")[2]):
            written[form.casefold()][name] = meaning
    return dict(written)
