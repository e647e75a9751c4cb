"""What each code of the finding files says: finding, sites, basis; no two things that contradict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fhir_mappings.record import Basis, Site
from fhir_mappings.terminology import CodeKey, FindingCode, code_key
from service.knowledge.terminology_files import KnowledgeFiles, keys_of_file


def finding_codes(
    files: KnowledgeFiles, raws: list[dict[str, Any]], sites: Mapping[str, Site]
) -> dict[CodeKey, tuple[FindingCode, ...]]:
    """code -> what it says. A code of several findings is allowed unless they contradict each other."""
    found: dict[CodeKey, dict[str, FindingCode]] = {}
    for raw in raws:
        for key, code in _codes_of_finding(files, raw, sites):
            known = found.setdefault(key, {})
            if raw["id"] not in known or code.sites:
                known[raw["id"]] = code
    by_id = {raw["id"]: raw for raw in raws}
    for key, codes in found.items():
        if len(codes) > 1:
            reason = _contradiction([by_id[name] for name in codes])
            if reason:
                files.problem(f"findings/{min(codes)}.yaml", "|".join(key), reason)
    return {key: tuple(codes.values()) for key, codes in found.items()}


def _codes_of_finding(
    files: KnowledgeFiles, raw: Mapping[str, Any], sites: Mapping[str, Site]
) -> Iterator[tuple[CodeKey, FindingCode]]:
    file = f"findings/{raw['id']}.yaml"
    for concept in raw["sited"]:
        if concept not in raw["concepts"]:
            files.problem(file, f"sited.{concept}", "none of its concepts")
    by_concept = {concept: _site(files, site, sites, file) for concept, site in raw["sited"].items()}
    by_code = {
        code: tuple(place for name in names for place in _site(files, name, sites, file))
        for code, names in raw["sited_codes"].items()
    }
    told = set(raw["told_codes"])
    unused = {*by_code, *told}
    for concept, key in keys_of_file(raw):
        # The key has lost the dot of an ICD code, so the code of the head is made a key as well.
        own = next((code for code in (*by_code, *told) if code_key(key[0], code) == key), None)
        unused.discard(own or "")
        places = by_code.get(own or "") or by_concept.get(concept, ())
        yield key, FindingCode(raw["id"], places, Basis.REPORTED if own in told else None)
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


def _contradiction(definitions: list[dict[str, Any]]) -> str | None:
    """Why one code cannot stand for all of these; None if it can."""
    names = " and ".join(sorted(raw["id"] for raw in definitions))
    directions = {(raw["analyte"], raw["low"]) for raw in definitions if raw["low"] is not None}
    if any((analyte, not low) in directions for analyte, low in directions):
        return f"stands for two opposites: {names}"
    silent = {raw["kind"] in ("shown", "look-alike") for raw in definitions}
    if len(silent) > 1:
        return f"makes a finding present and makes none: {names}"
    return None
