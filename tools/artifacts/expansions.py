"""The expansion of a value set: every code that the knowledge lists, on the day of its last change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fhir_mappings.code_systems import CodeKey

# FHIR's own extension: the value set holds more codes than its expansion lists.
_UNCLOSED = {"url": "http://hl7.org/fhir/StructureDefinition/valueset-unclosed", "valueBoolean": True}


def expansion(
    codes: Iterable[CodeKey], day: str, parts: Sequence[dict[str, Any]] = (), open_ended: bool = False
) -> dict[str, Any]:
    """The expansion of those (system, code) and of the parts that the value set unites.

    open_ended: the codes below some of them belong as well; only the terminology itself knows them.
    """
    listed = {*codes, *((one["system"], one["code"]) for part in parts for one in part.get("contains", ()))}
    made: dict[str, Any] = {}
    if open_ended or any("extension" in part for part in parts):
        made["extension"] = [_UNCLOSED]
    made |= {"timestamp": day, "total": len(listed)}
    if listed:
        made["contains"] = [{"system": system, "code": code} for system, code in sorted(listed)]
    return made
