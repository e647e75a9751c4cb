"""The terminology files as look-up tables: no code has two meanings, every reference exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhir_mappings.code_systems import ICD_10, ICD_10_CM, CodeKey, code_key, name_key
from fhir_mappings.record import Basis, Site, Status
from fhir_mappings.terminology import Certainty, FindingCode, FindingDefinition, OrderCode, Terminology
from schemas import knowledge_files as schemas
from schemas.knowledge_medicines import MedicationClassSchema, MedicationRoutesSchema
from schemas.knowledge_questionnaire import FormFileSchema
from service.knowledge.analyte_files import (
    analyte_names_of,
    analyte_of,
    check_adjustments,
    result_words_of,
    units_of,
)
from service.knowledge.loading import Directory, KnowledgeFiles
from service.knowledge.medication_classes import medications_of
from service.knowledge.questionnaire import FORM_FILE, form_of

_SIDES = {"_left": "left", "_right": "right"}
# Kinds of findings whose codes do not make a finding present.
_NEVER_PRESENT = ("shown", "look-alike")


def load_terminology(directory: Directory) -> Terminology:
    """Load the terminology of a knowledge folder. Raises KnowledgeError with every problem."""
    files = KnowledgeFiles(directory)
    findings = files.folder("findings", schemas.FindingSchema())
    sites_by_code, sites_by_id = _sites(files)
    analytes = files.folder("analytes", schemas.AnalyteSchema())
    procedures = files.folder("procedures", schemas.ProcedureSchema())
    courses = files.file("courses.yaml", schemas.CoursesSchema())
    answers = files.file("answers.yaml", schemas.AnswersSchema())
    statuses = files.file("statuses.yaml", schemas.StatusesSchema())
    sides = files.file("sides.yaml", schemas.SidesSchema())
    classes = files.folder("medication_classes", MedicationClassSchema())
    routes = files.file("medication_routes.yaml", MedicationRoutesSchema())
    left_out = files.file("left_out.yaml", schemas.LeftOutSchema())
    form = files.file(FORM_FILE, FormFileSchema())
    units_file = files.file("units.yaml", schemas.UnitsSchema())
    names_file = files.file("analyte_names.yaml", schemas.AnalyteNamesSchema())
    words_file = files.file("result_words.yaml", schemas.ResultWordsSchema())
    files.stop()
    units, words = units_of(files, units_file), result_words_of(files, words_file)
    analyte_names = analyte_names_of(files, names_file, analytes)
    finding_codes = _finding_codes(files, findings, sites_by_id)
    analyte_codes = _codes_of_files(files, analytes, "analytes")
    _codes_of_files(files, procedures, "procedures")
    terminology = Terminology(
        findings={raw["id"]: _definition(raw) for raw in findings},
        finding_codes=finding_codes,
        # An ICD code means all codes below it that have no meaning of their own.
        finding_prefixes={
            key: codes for key, codes in finding_codes.items() if key[0] in (ICD_10, ICD_10_CM)
        },
        sites=sites_by_code,
        sides={key: sides["sides"][concept] for concept, key in _keys_of(sides) if concept in sides["sides"]},
        courses={key: courses["courses"][concept] for concept, key in _keys_of(courses)}
        | {("", word): course for word, course in courses["words"].items()},
        answers=_answers(answers),
        clinical=_statuses(statuses["clinical"]),
        verification=_statuses(statuses["verification"]),
        certainty=Certainty(**statuses["certainty"]),
        analytes={
            raw["id"]: analyte_of(files, raw, units, words, _named(analyte_names, raw["id"]))
            for raw in analytes
        },
        analyte_codes=analyte_codes,
        analyte_names=analyte_names,
        panels={
            key: frozenset(raw["analytes"])
            for raw in procedures
            if raw["kind"] == "panel"
            for _, key in _keys_of(raw)
        },
        procedures={
            key: raw["id"]
            for raw in procedures
            if raw["kind"] != "panel"
            for concept, key in _keys_of(raw)
            if concept not in raw["asks_only"]
        },
        studies=frozenset(raw["id"] for raw in procedures if raw["kind"] == "study"),
        completed_as={raw["id"]: raw["completed_as"] for raw in procedures if raw["completed_as"]},
        asked_for={
            key: raw["id"]
            for raw in procedures
            for concept, key in _keys_of(raw)
            if concept in raw["asks_only"]
        },
        panel_names={
            key: raw["id"] for raw in procedures if raw["kind"] == "panel" for _, key in _keys_of(raw)
        },
        procedure_labels={raw["id"]: raw["label"] for raw in procedures},
        left_out=frozenset(key for _, key in _keys_of(left_out)),
        tobacco_status=frozenset(
            key for concept, key in _keys_of(answers) if concept in answers["tobacco_status"]
        ),
        medications=medications_of(classes, routes),
        form=form_of(files, form, sites_by_code.values()),
    )
    _check_references(files, terminology, findings, procedures)
    check_adjustments(files, terminology)
    files.stop()
    return terminology


def _named(names: Mapping[str, str], wanted: str) -> frozenset[str]:
    return frozenset(name for name, analyte in names.items() if analyte == wanted)


def load_order_codes(directory: Directory) -> Mapping[str, OrderCode]:
    """The codes to order each analyte, study and referral with. Raises KnowledgeError with every problem."""
    files = KnowledgeFiles(directory)
    order_codes = {}
    for folder, schema in (("analytes", schemas.AnalyteSchema()), ("procedures", schemas.ProcedureSchema())):
        for raw in files.folder(folder, schema):
            if raw["order"]:
                coding = (raw["order"]["system"], raw["order"]["code"], raw["order"]["display"])
                if code_key(coding[0], coding[1]) not in {key for _, key in _keys_of(raw)}:
                    files.problem(folder, raw["id"], "its order code is none of its codes")
                order_codes[raw["id"]] = OrderCode(raw["id"], raw["label"], (coding,))
    files.stop()
    return order_codes


def _keys_of(raw: Mapping[str, Any]) -> Iterator[tuple[str, CodeKey]]:
    """Each code of a file with its concept in the code tables; "" for a code that is not in the tables."""
    for concept, systems in raw["codes"].items():
        for system, values in systems.items():
            for code in values:
                yield concept, code_key(system, code)
    for coding in raw.get("more_codes", ()):
        yield "", code_key(coding["system"], coding["code"])


def _codes_of_files(
    files: KnowledgeFiles, raws: Sequence[Mapping[str, Any]], folder: str
) -> dict[CodeKey, str]:
    """code -> the id of its file; a code in two files is a problem."""
    ids: dict[CodeKey, str] = {}
    for raw in raws:
        for _, key in _keys_of(raw):
            other = ids.setdefault(key, raw["id"])
            if other != raw["id"]:
                files.problem(f"{folder}/{raw['id']}.yaml", "|".join(key), f"stands in {other} too")
    return ids


def _sites(files: KnowledgeFiles) -> tuple[dict[CodeKey, Site], dict[str, Site]]:
    """The body sites by code, with the side that the code has, and by id."""
    by_code: dict[CodeKey, Site] = {}
    by_id: dict[str, Site] = {}
    for raw in files.folder("body_sites", schemas.BodySiteSchema()):
        by_id[raw["id"]] = Site(raw["id"], raw["label"], raw["region"])
        for concept, key in _keys_of(raw):
            side = next((side for ending, side in _SIDES.items() if concept.endswith(ending)), None)
            site = replace(by_id[raw["id"]], side=side)
            if by_code.setdefault(key, site) != site:
                files.problem(f"body_sites/{raw['id']}.yaml", "|".join(key), "is another site too")
    return by_code, by_id


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
        acute=raw["acute"],
        from_history=raw["from_history"],
        near_twitch=raw["near_twitch"],
        only_lowers=raw["only_lowers"],
        neurological=raw["neurological"],
        analyte=raw["analyte"],
        low=raw["low"],
        any_electrolyte=raw["any_electrolyte"],
        specific=raw["specific"],
        names=frozenset(name_key(form.format(name)) for name in raw["names"] for form in raw["name_forms"]),
    )


def _answers(raw: Mapping[str, Any]) -> dict[CodeKey, Status]:
    answers = {
        key: Status(raw["answers"][concept]) for concept, key in _keys_of(raw) if concept in raw["answers"]
    }
    answers |= {code_key(a["system"], a["code"]): Status(a["means"]) for a in raw["sourced"]}
    return answers | {("", word): Status(means) for word, means in raw["words"].items()}


def _statuses(raw: Mapping[str, Any]) -> dict[CodeKey, str]:
    known = {
        code_key(system, code): status
        for system, codes in raw["codes"].items()
        for code, status in codes.items()
    }
    return known | {("", word): status for word, status in raw["words"].items()}


def _check_references(
    files: KnowledgeFiles,
    terminology: Terminology,
    findings: Sequence[Mapping[str, Any]],
    procedures: Sequence[Mapping[str, Any]],
) -> None:
    """Check the references between files, and that each question has an answer."""
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
        if raw["kind"] in _NEVER_PRESENT and (raw["category"] or raw["answer"]):
            files.problem(file, "kind", "makes nothing present and cannot be asked")
    for raw in procedures:
        for concept in raw["asks_only"]:
            if concept not in raw["concepts"]:
                files.problem(f"procedures/{raw['id']}.yaml", "asks_only", f"no concept {concept!r}")
        for analyte in raw["analytes"]:
            if analyte not in terminology.analytes:
                files.problem(f"procedures/{raw['id']}.yaml", "analytes", f"no analyte {analyte!r}")
        if raw["completed_as"] and raw["completed_as"] not in terminology.studies:
            files.problem(f"procedures/{raw['id']}.yaml", "completed_as", "no study of that name")


def _finding_codes(
    files: KnowledgeFiles, raws: Sequence[Mapping[str, Any]], sites: Mapping[str, Site]
) -> dict[CodeKey, tuple[FindingCode, ...]]:
    """code -> its meanings. A code may be of several findings unless they contradict each other."""
    meanings: dict[CodeKey, dict[str, FindingCode]] = {}
    for raw in raws:
        for key, code in _codes_of_finding(files, raw, sites):
            known = meanings.setdefault(key, {})
            other = known.get(raw["id"])
            if other is not None and other.acute != code.acute:
                # By one of its concepts it lasts.
                other, code = replace(other, acute=False), replace(code, acute=False)
            known[raw["id"]] = code if other is None or code.sites else other
    by_id = {raw["id"]: raw for raw in raws}
    for key, codes in meanings.items():
        if len(codes) > 1:
            reason = _contradiction([by_id[name] for name in codes])
            if reason:
                files.problem(f"findings/{min(codes)}.yaml", "|".join(key), reason)
    return {key: tuple(codes.values()) for key, codes in meanings.items()}


def _codes_of_finding(
    files: KnowledgeFiles, raw: Mapping[str, Any], sites: Mapping[str, Site]
) -> Iterator[tuple[CodeKey, FindingCode]]:
    file = f"findings/{raw['id']}.yaml"
    for member in ("sited", "acute_concepts"):
        for concept in raw[member]:
            if concept not in raw["concepts"]:
                files.problem(file, f"{member}.{concept}", "none of its concepts")
    if raw["acute"] and (raw["chronic"] or raw["from_history"]):
        files.problem(file, "acute", "a state that is over in days neither lasts nor speaks from history")
    by_concept = {concept: _site(files, site, sites, file) for concept, site in raw["sited"].items()}
    by_code = {
        code: tuple(place for name in names for place in _site(files, name, sites, file))
        for code, names in raw["sited_codes"].items()
    }
    reported = set(raw["told_codes"])
    unused = {*by_code, *reported}
    for concept, key in _keys_of(raw):
        # A key has no dot of an ICD code, so compare keys, not codes.
        own = next((code for code in (*by_code, *reported) if code_key(key[0], code) == key), None)
        unused.discard(own or "")
        places = by_code.get(own or "") or by_concept.get(concept, ())
        basis = Basis.REPORTED if own in reported else None
        yield key, FindingCode(raw["id"], places, basis, raw["acute"] or concept in raw["acute_concepts"])
    for code in sorted(unused):
        files.problem(file, f"sited_codes or told_codes: {code}", "none of its codes")


def _site(files: KnowledgeFiles, name: str, sites: Mapping[str, Site], file: str) -> tuple[Site, ...]:
    """The site of "hand" or "left hand"."""
    *side, site = name.split()
    known = sites.get(site)
    if known is None or side not in ([], ["left"], ["right"]):
        files.problem(file, f"sited: {name}", "no such site in body_sites/")
        return ()
    return (replace(known, side=side[0]) if side else known,)


def _contradiction(definitions: Sequence[Mapping[str, Any]]) -> str | None:
    """Why one code cannot mean all of these findings; None if it can."""
    names = " and ".join(sorted(raw["id"] for raw in definitions))
    directions = {(raw["analyte"], raw["low"]) for raw in definitions if raw["low"] is not None}
    if any((analyte, not low) in directions for analyte, low in directions):
        return f"stands for two opposites: {names}"
    if len({raw["kind"] in _NEVER_PRESENT for raw in definitions}) > 1:
        return f"makes a finding present and makes none: {names}"
    return None
