"""The terminology files as look-up tables, checked: no code means two things, no reference is loose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fhir_mappings.record import Status
from fhir_mappings.terminology import (
    ICD_10,
    ICD_10_CM,
    CodeKey,
    FindingDefinition,
    OrderCode,
    Terminology,
    code_key,
    folded,
)
from schemas import knowledge_terminology as shapes
from service.knowledge.finding_codes import finding_codes
from service.knowledge.medications import medications_of
from service.knowledge.terminology_files import KnowledgeFiles, keys_of_file

_ICD = (ICD_10, ICD_10_CM)


def load_terminology(directory: Path) -> Terminology:
    """The terminology of that knowledge folder. Raises KnowledgeError with every problem found."""
    reader = KnowledgeFiles(directory)
    findings = reader.folder("findings", shapes.FindingSchema())
    sites = reader.sites()
    analytes = reader.folder("analytes", shapes.AnalyteSchema())
    procedures = reader.folder("procedures", shapes.ProcedureSchema())
    courses = reader.file("courses.yaml", shapes.CoursesSchema())
    answers = reader.file("answers.yaml", shapes.AnswersSchema())
    sides = reader.file("sides.yaml", shapes.SidesSchema())
    classes = reader.folder("medication_classes", shapes.MedicationClassSchema())
    routes = reader.file("medication_routes.yaml", shapes.MedicationRoutesSchema())
    reader.file("left_out.yaml", shapes.LeftOutSchema())
    reader.stop()
    codes = finding_codes(reader, findings, sites[1])
    analyte_codes = reader.codes_of(analytes, "analytes")
    reader.codes_of(procedures, "procedures")
    terminology = Terminology(
        findings={raw["id"]: _definition(raw) for raw in findings},
        finding_codes=codes,
        # An ICD code stands for all below it, where the tables name no closer one.
        finding_prefixes={key: codes for key, codes in codes.items() if key[0] in _ICD},
        sites=sites[0],
        sides={
            key: sides["sides"][concept] for concept, key in keys_of_file(sides) if concept in sides["sides"]
        },
        courses={key: courses["courses"][concept] for concept, key in keys_of_file(courses)}
        | {("", word): course for word, course in courses["words"].items()},
        answers=_answers(answers),
        analytes={raw["id"]: reader.analyte(raw) for raw in analytes},
        analyte_codes=analyte_codes,
        panels={
            key: frozenset(raw["analytes"])
            for raw in procedures
            if raw["kind"] == "panel"
            for _, key in keys_of_file(raw)
        },
        procedures={
            key: raw["id"]
            for raw in procedures
            if raw["kind"] != "panel"
            for concept, key in keys_of_file(raw)
            if concept not in raw["asks_only"]
        },
        studies=frozenset(raw["id"] for raw in procedures if raw["kind"] == "study"),
        asked_for={
            key: raw["id"]
            for raw in procedures
            for concept, key in keys_of_file(raw)
            if concept in raw["asks_only"]
        },
        panel_names={
            key: raw["id"] for raw in procedures if raw["kind"] == "panel" for _, key in keys_of_file(raw)
        },
        procedure_labels={raw["id"]: raw["label"] for raw in procedures},
        tobacco_status=frozenset(
            key for concept, key in keys_of_file(answers) if concept in answers["tobacco_status"]
        ),
        medications=medications_of(classes, routes),
    )
    _check(reader, terminology, findings, procedures)
    reader.stop()
    return terminology


def load_order_codes(directory: Path) -> Mapping[str, OrderCode]:
    """What each orderable analyte, study and referral is coded with."""
    reader = KnowledgeFiles(directory)
    found = {}
    for folder, shape in (("analytes", shapes.AnalyteSchema()), ("procedures", shapes.ProcedureSchema())):
        for raw in reader.folder(folder, shape):
            if raw["order"]:
                coding = (raw["order"]["system"], raw["order"]["code"], raw["order"]["display"])
                if code_key(coding[0], coding[1]) not in {key for _, key in keys_of_file(raw)}:
                    reader.problem(folder, raw["id"], "its order code is none of its codes")
                found[raw["id"]] = OrderCode(raw["id"], raw["label"], (coding,))
    reader.stop()
    return found


def _definition(raw: Mapping[str, Any]) -> FindingDefinition:
    answer = raw["answer"]
    return FindingDefinition(
        id=raw["id"],
        label=raw["label"],
        kind=raw["kind"],
        category=raw["category"],
        question=raw["question"],
        answer=(answer["system"], answer["code"]) if answer else None,
        answer_display=answer["display"] if answer else "",
        chronic=raw["chronic"],
        neurological=raw["neurological"],
        analyte=raw["analyte"],
        low=raw["low"],
        any_electrolyte=raw["any_electrolyte"],
        specific=raw["specific"],
        names=frozenset(map(folded, raw["names"])),
    )


def _answers(raw: Mapping[str, Any]) -> dict[CodeKey, Status]:
    found = {
        key: Status(raw["answers"][concept])
        for concept, key in keys_of_file(raw)
        if concept in raw["answers"]
    }
    found |= {code_key(a["system"], a["code"]): Status(a["means"]) for a in raw["hl7"]}
    return found | {("", word): Status(means) for word, means in raw["words"].items()}


def _check(
    files: KnowledgeFiles,
    terminology: Terminology,
    findings: list[dict[str, Any]],
    procedures: list[dict[str, Any]],
) -> None:
    """References between files, and questions that a click can answer."""
    for raw in findings:
        file = f"findings/{raw['id']}.yaml"
        if raw["analyte"] and raw["analyte"] not in terminology.analytes:
            files.problem(file, "analyte", f"no analyte {raw['analyte']!r}")
        if raw["specific"] and raw["specific"] not in terminology.findings:
            files.problem(file, "specific", f"no finding {raw['specific']!r}")
        if bool(raw["category"]) != bool(raw["question"]):
            files.problem(file, "category", "a finding that is asked has a category and a question")
        answer = raw["answer"]
        if answer:
            codes = terminology.finding_codes.get(code_key(answer["system"], answer["code"]), ())
            if [code.finding for code in codes] != [raw["id"]]:
                files.problem(file, "answer", "is not a code of this finding alone")
        if bool(raw["names"]) != (raw["kind"] == "fasciculation"):
            files.problem(file, "names", "a fasciculation has names, no other finding")
        stem = raw["kind"] in ("shown", "look-alike")
        if stem and (raw["category"] or raw["answer"]):
            files.problem(file, "kind", "makes nothing present and cannot be asked")
    for raw in procedures:
        for concept in raw["asks_only"]:
            if concept not in raw["concepts"]:
                files.problem(f"procedures/{raw['id']}.yaml", "asks_only", f"no concept {concept!r}")
        for analyte in raw["analytes"]:
            if analyte not in terminology.analytes:
                files.problem(f"procedures/{raw['id']}.yaml", "analytes", f"no analyte {analyte!r}")
