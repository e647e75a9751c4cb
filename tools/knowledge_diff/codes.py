"""The codes of a terminology file apart from its head."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from fhir_mappings.code_systems import ATC, HPO, ICD_10, ICD_10_CM, LOINC, NDC, RXNORM, SNOMED

_NAMES = {
    SNOMED: "SNOMED CT",
    LOINC: "LOINC",
    ICD_10: "ICD-10 (WHO)",
    ICD_10_CM: "ICD-10-CM",
    HPO: "HPO",
    RXNORM: "RxNorm",
    ATC: "ATC",
    NDC: "NDC",
}
_OF_A_MEDICINE = {"rxnorm": "RxNorm", "snomed": "SNOMED CT", "ndc": "NDC", "atc": "ATC", "terms": "names"}


def codes_of(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, set[str]]]:
    """The file without its codes, and "system, concept" -> the codes there."""
    head = dict(raw)
    codes: dict[str, set[str]] = defaultdict(set)
    # Only what has the shape of codes is taken out; anything else stays in the head and is compared there.
    if _is_codes(head.get("codes")):
        for where, code in _of_concepts(head.pop("codes")):
            codes[where].add(code)
    if _is_members(head.get("members")):
        for where, code in _of_members(head.pop("members")):
            codes[where].add(code)
    return head, codes


def _is_codes(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(systems, Mapping) and all(isinstance(found, list) for found in systems.values())
        for systems in value.values()
    )


def _of_concepts(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for concept, systems in value.items():
        for system, found in systems.items():
            for code in found:
                yield f"{_NAMES.get(system, system)}, {concept}", str(code)


def _is_members(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, Mapping) and "ingredient" in item for item in value
    )


def _of_members(value: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """An ingredient by a route; that it is there, and each other member of it, counts like a code."""
    for item in value:
        concept = " ".join(str(part) for part in (item["ingredient"], item.get("route", "")) if part)
        if item.get("route_decides"):
            concept += " (route decides)"
        yield "ingredients", concept
        for name, found in item.items():
            if name in ("ingredient", "route", "route_decides"):
                continue
            for code in found if isinstance(found, list) else [found]:
                yield f"{_OF_A_MEDICINE.get(name, name)}, {concept}", str(code)
