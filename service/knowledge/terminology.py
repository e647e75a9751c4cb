"""The terminology files as look-up tables, checked: no code means two things, no reference is loose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

from marshmallow import Schema, ValidationError

from fhir_mappings.findings import Site, Status
from fhir_mappings.terminology import (
    Analyte,
    CodeKey,
    FindingCode,
    FindingDefinition,
    OrderCode,
    Terminology,
    code_key,
)
from schemas import knowledge_terminology as shapes
from service.knowledge.medications import medications_of
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

_SIDES = {"_left": "left", "_right": "right"}
_ICD = ("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm")


def load_terminology(directory: Path) -> Terminology:
    """The terminology of that knowledge folder. Raises KnowledgeError with every problem found."""
    reader = _Files(directory)
    findings = reader.folder("findings", shapes.FindingSchema())
    sites = reader.sites()
    analytes = reader.folder("analytes", shapes.AnalyteSchema())
    procedures = reader.folder("procedures", shapes.ProcedureSchema())
    courses = reader.file("courses.yaml", shapes.CoursesSchema())
    answers = reader.file("answers.yaml", shapes.AnswersSchema())
    sides = reader.file("sides.yaml", shapes.SidesSchema())
    classes = reader.folder("medication_classes", shapes.MedicationClassSchema())
    routes = reader.file("medication_routes.yaml", shapes.MedicationRoutesSchema())
    reader.stop()
    finding_codes = reader.finding_codes(findings, sites[1])
    analyte_codes = reader.codes_of(analytes, "analytes")
    procedure_codes = reader.codes_of(procedures, "procedures")
    terminology = Terminology(
        findings={raw["id"]: _definition(raw) for raw in findings},
        finding_codes=finding_codes,
        # An ICD code stands for all below it, where the tables name no closer one.
        finding_prefixes={key: codes for key, codes in finding_codes.items() if key[0] in _ICD},
        sites=sites[0],
        sides={
            key: sides["sides"][concept]
            for concept, key in _keys(sides["codes"])
            if concept in sides["sides"]
        },
        courses={key: courses["courses"][concept] for concept, key in _keys(courses["codes"])}
        | {("", word): course for word, course in courses["words"].items()},
        answers=_answers(answers),
        analytes={raw["id"]: reader.analyte(raw) for raw in analytes},
        analyte_codes=analyte_codes,
        panels={
            key: frozenset(raw["analytes"])
            for raw in procedures
            if raw["kind"] == "panel"
            for _, key in _keys(raw["codes"])
        },
        procedures={
            key: name
            for key, name in procedure_codes.items()
            if next(raw["kind"] for raw in procedures if raw["id"] == name) != "panel"
        },
        tobacco_status=frozenset(
            key for concept, key in _keys(answers["codes"]) if concept in answers["tobacco_status"]
        ),
        medications=medications_of(classes, routes),
    )
    reader.check(terminology, findings, procedures)
    reader.stop()
    return terminology


def load_order_codes(directory: Path) -> Mapping[str, OrderCode]:
    """What each orderable analyte, study and referral is coded with."""
    reader = _Files(directory)
    found = {}
    for folder, shape in (("analytes", shapes.AnalyteSchema()), ("procedures", shapes.ProcedureSchema())):
        for raw in reader.folder(folder, shape):
            if raw["order"]:
                coding = (raw["order"]["system"], raw["order"]["code"], raw["label"])
                if code_key(coding[0], coding[1]) not in {key for _, key in _keys(raw["codes"])}:
                    reader.problem(folder, raw["id"], "its order code is none of its codes")
                found[raw["id"]] = OrderCode(raw["id"], raw["label"], (coding,))
    reader.stop()
    return found


def _keys(codes: Mapping[str, Mapping[str, list[str]]]) -> Iterator[tuple[str, CodeKey]]:
    for concept, systems in codes.items():
        for system, values in systems.items():
            for code in values:
                yield concept, code_key(system, code)


def _definition(raw: Mapping[str, Any]) -> FindingDefinition:
    answer = raw["answer"]
    return FindingDefinition(
        id=raw["id"],
        label=raw["label"],
        kind=raw["kind"],
        category=raw["category"],
        question=raw["question"],
        answer=(answer["system"], answer["code"]) if answer else None,
        chronic=raw["chronic"],
        neurological=raw["neurological"],
        analyte=raw["analyte"],
        low=raw["low"],
        any_electrolyte=raw["any_electrolyte"],
        specific=raw["specific"],
    )


def _answers(raw: Mapping[str, Any]) -> dict[CodeKey, Status]:
    found = {
        key: Status(raw["answers"][concept])
        for concept, key in _keys(raw["codes"])
        if concept in raw["answers"]
    }
    found |= {code_key(a["system"], a["code"]): Status(a["means"]) for a in raw["hl7"]}
    return found | {("", word): Status(means) for word, means in raw["words"].items()}


class _Files:
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
            for _, key in _keys(raw["codes"]):
                other = found.setdefault(key, raw["id"])
                if other != raw["id"]:
                    self.problem(f"{folder}/{raw['id']}.yaml", "|".join(key), f"stands in {other} too")
        return found

    def sites(self) -> tuple[dict[CodeKey, Site], dict[str, Site]]:
        by_code: dict[CodeKey, Site] = {}
        by_id: dict[str, Site] = {}
        for raw in self.folder("body_sites", shapes.BodySiteSchema()):
            by_id[raw["id"]] = Site(raw["id"], raw["label"], raw["region"])
            for concept, key in _keys(raw["codes"]):
                side = next((_SIDES[end] for end in _SIDES if concept.endswith(end)), None)
                site = Site(raw["id"], raw["label"], raw["region"], side)
                if by_code.setdefault(key, site) != site:
                    self.problem(f"body_sites/{raw['id']}.yaml", "|".join(key), "is another site too")
        return by_code, by_id

    def finding_codes(
        self, raws: list[dict[str, Any]], sites: Mapping[str, Site]
    ) -> dict[CodeKey, tuple[FindingCode, ...]]:
        """code -> what it says. A code of several findings is allowed unless they are opposites."""
        found: dict[CodeKey, dict[str, FindingCode]] = {}
        for raw in raws:
            for concept, site in raw["sited"].items():
                if site not in sites or concept not in raw["concepts"]:
                    self.problem(f"findings/{raw['id']}.yaml", f"sited.{concept}", f"no site {site!r}")
            for concept, key in _keys(raw["codes"]):
                site = raw["sited"].get(concept)
                code = FindingCode(raw["id"], (sites[site],) if site in sites else ())
                known = found.setdefault(key, {})
                if raw["id"] not in known or code.sites:
                    known[raw["id"]] = code
        for key, codes in found.items():
            definitions = [raw for raw in raws if raw["id"] in codes]
            sides = {(raw["analyte"], raw["low"]) for raw in definitions if raw["low"] is not None}
            if any((analyte, not low) in sides for analyte, low in sides):
                self.problem("findings", "|".join(key), "stands for two opposites")
            kinds = {raw["kind"] for raw in definitions}
            if {"look-alike", "fasciculation"} <= kinds:
                self.problem("findings", "|".join(key), "is twitching and a look-alike")
        return {key: tuple(codes.values()) for key, codes in found.items()}

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

    def check(
        self, terminology: Terminology, findings: list[dict[str, Any]], procedures: list[dict[str, Any]]
    ) -> None:
        """References between files, and questions that a click can answer."""
        for raw in findings:
            file = f"findings/{raw['id']}.yaml"
            if raw["analyte"] and raw["analyte"] not in terminology.analytes:
                self.problem(file, "analyte", f"no analyte {raw['analyte']!r}")
            if raw["specific"] and raw["specific"] not in terminology.findings:
                self.problem(file, "specific", f"no finding {raw['specific']!r}")
            if bool(raw["category"]) != bool(raw["question"]):
                self.problem(file, "category", "a finding that is asked has a category and a question")
            answer = raw["answer"]
            if answer:
                codes = terminology.finding_codes.get(code_key(answer["system"], answer["code"]), ())
                if [code.finding for code in codes] != [raw["id"]]:
                    self.problem(file, "answer", "is not a code of this finding alone")
        for raw in procedures:
            for analyte in raw["analytes"]:
                if analyte not in terminology.analytes:
                    self.problem(f"procedures/{raw['id']}.yaml", "analytes", f"no analyte {analyte!r}")
