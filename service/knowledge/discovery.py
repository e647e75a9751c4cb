"""The discovery entries, their prefetch templates filled with the codes of the knowledge files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from marshmallow import ValidationError

from fhir_mappings.terminology import ICD_10, ICD_10_CM, CodeKey, Terminology
from schemas import contexts
from schemas.knowledge_hooks import HooksSchema
from service.decision.table import Table
from service.knowledge.problems import KnowledgeError, Problem
from service.knowledge.yaml_files import load_yaml

FILE = "hooks.yaml"
# What an Observation can be coded with; a diagnosis comes as a Condition.
_OBSERVED = frozenset({"fasciculation", "sign", "symptom", "trigger"})


def load_hooks(directory: Path, table: Table, terminology: Terminology) -> tuple[dict[str, Any], ...]:
    """CDS Hooks service entries, and under `cards`, which is not theirs, what answers each.

    Raises KnowledgeError.
    """
    try:
        raw = cast(dict[str, Any], HooksSchema().load(load_yaml(directory / FILE)))
    except ValidationError as error:
        raise KnowledgeError(
            [Problem(FILE, str(key), str(reason)) for key, reason in error.normalized_messages().items()]
        ) from None
    problems = [
        Problem(
            FILE,
            hook["id"],
            f"no context class for the hook {hook['hook']} with a patientId in schemas/contexts.py",
        )
        for hook in raw["hooks"]
        # Whom a call is about is all that is read of a context: its class must ask for it.
        if hook["hook"] not in contexts.CONTEXTS
        or "patientId" not in contexts.CONTEXTS[hook["hook"]]().fields
    ]
    if problems:
        raise KnowledgeError(problems)
    lists = {
        "{codes:findings}": _codes(
            key
            for key, found in terminology.finding_codes.items()
            if any(terminology.findings[code.finding].kind in _OBSERVED for code in found)
        )
        + "".join(f",{code}" for _, code in sorted(terminology.tobacco_status)),
        "{codes:labs}": _codes(
            key for key, analyte in terminology.analyte_codes.items() if analyte in table.shown_results
        ),
        "{codes:reports}": _codes(
            key for key, name in terminology.procedures.items() if name in terminology.studies
        ),
    }
    entries = []
    for hook in raw["hooks"]:
        prefetch = {}
        for key, template in hook["prefetch"].items():
            for mark, codes in lists.items():
                template = template.replace(mark, codes)
            prefetch[key] = template
        entry = {**hook, "prefetch": prefetch, "usageRequirements": raw["usage_requirements"]}
        entry["version"] = raw["version"]
        if "hook_version" in hook:
            entry["hookVersion"] = entry.pop("hook_version")
        entries.append(entry)
    return tuple(entries)


def _codes(keys: Iterable[CodeKey]) -> str:
    # ICD codes are of Conditions; their dots were dropped for look-up anyway.
    return ",".join(sorted({code for system, code in keys if system not in (ICD_10, ICD_10_CM)}))
