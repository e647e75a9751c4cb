"""hooks.yaml: the services of CDS Hooks discovery, their prefetch templates filled with codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from fhir_mappings.code_systems import HPO, ICD_10, ICD_10_CM, CodeKey
from fhir_mappings.terminology import Terminology
from schemas import hooks as hook_schemas
from schemas.knowledge_files import HooksSchema
from service.decision.table import Table
from service.knowledge.loading import Directory, KnowledgeError, Problem, load_file

FILE = "hooks.yaml"
# Servers and proxies take an address of 8 KiB, of which the base URL and the patient are a part.
MAX_TEMPLATE_CHARACTERS = 7_500
# The kinds of findings that an Observation can hold; a diagnosis comes as a Condition.
_OBSERVED_KINDS = frozenset({"fasciculation", "sign", "symptom", "trigger"})


def load_hooks(directory: Directory, table: Table, terminology: Terminology) -> tuple[dict[str, Any], ...]:
    """The discovery entries, each with the kind of its `cards`. Raises KnowledgeError with every problem."""
    content = load_file(directory, FILE, HooksSchema())
    problems = [
        Problem(
            FILE,
            hook["id"],
            f"no context class for the hook {hook['hook']} with a patientId in schemas/hooks.py",
        )
        for hook in content["hooks"]
        if hook["hook"] not in hook_schemas.CONTEXTS
        or "patientId" not in hook_schemas.CONTEXTS[hook["hook"]]().fields
    ]
    if problems:
        raise KnowledgeError(problems)
    # A total calcium is adjusted by them.
    adjusting = {a.adjustment.analyte for a in terminology.analytes.values() if a.adjustment is not None}
    read = adjusting.union(table.shown_results)
    codes = {
        "{codes:findings}": _codes(
            key
            for key, meanings in terminology.finding_codes.items()
            if _is_observed({terminology.findings[meaning.finding].kind for meaning in meanings})
        )
        + "".join(f",{code}" for _, code in sorted(terminology.tobacco_status)),
        "{codes:labs}": _codes(key for key, analyte in terminology.analyte_codes.items() if analyte in read)
        # A result may be a component of its panel.
        + "".join(
            f",{_searched(code)}"
            for _, code in sorted(key for key, analytes in terminology.panels.items() if analytes & read)
        ),
        "{codes:reports}": _codes(
            key for key, name in terminology.procedures.items() if name in terminology.studies
        ),
    }
    codes["{questionnaire}"] = quote(terminology.form.canonical, safe=":/")
    entries = []
    too_long: dict[str, int] = {}
    for hook in content["hooks"]:
        prefetch = dict(hook["prefetch"])
        for key in prefetch:
            for placeholder, listed in codes.items():
                prefetch[key] = prefetch[key].replace(placeholder, listed)
            if len(prefetch[key]) > MAX_TEMPLATE_CHARACTERS:
                too_long[key] = len(prefetch[key])
        entry = {**hook, "prefetch": prefetch, "usageRequirements": content["usage_requirements"]}
        entry["version"] = content["version"]
        if "hook_version" in hook:
            entry["hookVersion"] = entry.pop("hook_version")
        entries.append(entry)
    if too_long:
        raise KnowledgeError(
            [
                Problem(
                    FILE,
                    f"prefetch.{key}",
                    f"{length} characters with all codes, at most {MAX_TEMPLATE_CHARACTERS}: map fewer codes",
                )
                for key, length in too_long.items()
            ]
        )
    return tuple(entries)


def by_combo_code(hooks: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The entries for servers that search by combo-code: it looks into components, so no list of panels."""
    found = []
    for hook in hooks:
        prefetch = {key: text for key, text in hook["prefetch"].items() if key != "examinations"}
        for key in ("findings", "labs"):
            if key in prefetch:
                prefetch[key] = prefetch[key].replace("&code=", "&combo-code=")
        found.append({**hook, "prefetch": prefetch})
    return tuple(found)


def _codes(keys: Iterable[CodeKey]) -> str:
    """The codes, separated by commas, without those of Conditions: an address has some thousand bytes.

    ICD and HPO code problems and features of a disease; Conditions are asked for as a whole.
    """
    codes = {code for system, code in keys if system not in (ICD_10, ICD_10_CM, HPO)}
    return ",".join(_searched(code) for code in sorted(codes))


def _searched(code: str) -> str:
    """A code as the value of a search: what FHIR escapes is escaped, what no address holds encoded."""
    for character in "\\,|$":
        code = code.replace(character, f"\\{character}")
    return quote(code, safe="")


def _is_observed(kinds: set[str]) -> bool:
    """Whether a code of those kinds is recorded as an Observation; one of a diagnosis is a Condition's."""
    return bool(kinds & _OBSERVED_KINDS) and "diagnosis" not in kinds
