"""Requests that the contract tests send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"
SERVICE = "/cds-services/fasciculation-patient-view"
APPLY = "/fhir/PlanDefinition/fasciculation/$apply"
DAY = "2026-06-15"


def example(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return content


def hook_call(**changes: Any) -> dict[str, Any]:
    """The patient-view example; a member set to None is left out."""
    call = {**example("thigh-day-fifteen/patient-view.json"), **changes}
    return {name: value for name, value in call.items() if value is not None}


def applied(bundle: Any, **others: Any) -> dict[str, Any]:
    """Parameters of $apply with that Bundle. others: names of further parameters -> their valueString."""
    named = [{"name": name, "valueString": value} for name, value in others.items()]
    return {"resourceType": "Parameters", "parameter": [*named, {"name": "data", "resource": bundle}]}
