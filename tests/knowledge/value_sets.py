"""Which codes a published value set holds, worked out from its own text alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def holds(value_set: Mapping[str, Any], system: str, code: str) -> bool:
    """Whether the code is included and not excluded. Parts (value sets it unites) are not followed.

    ATC and ICD-10: a code is below those that it begins with.
    """
    compose = value_set.get("compose", {})
    return any(_in(entry, system, code) for entry in compose.get("include", ())) and not any(
        _in(entry, system, code) for entry in compose.get("exclude", ())
    )


def _in(entry: Mapping[str, Any], system: str, code: str) -> bool:
    if entry.get("system") != system:
        return False
    if "concept" in entry:
        return code in {concept["code"] for concept in entry["concept"]}
    return all(_passes(one, code) for one in entry["filter"])


def _passes(one: Mapping[str, str], code: str) -> bool:
    assert one["property"] == "concept"
    below = code.startswith(one["value"])
    return {"is-a": below, "is-not-a": not below}[one["op"]]
