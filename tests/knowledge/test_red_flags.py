"""Every red flag can be said in two code systems; docs/coverage.md lists those that cannot, and is right."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_mappings.code_systems import HPO, ICD_10, ICD_10_CM, SNOMED
from service.knowledge.loading import load_yaml
from tests.knowledge.terminologies import KNOWLEDGE, terminology

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
NAMES = {SNOMED: "SNOMED CT", ICD_10_CM: "ICD-10-CM", ICD_10: "WHO ICD-10", HPO: "HPO"}

# What a critical row reads. Twitching of the tongue is a bulbar sign.
RED_FLAGS = {
    "alcohol-withdrawal",
    "atrophy",
    "breathing-difficulty",
    "bulbar",
    "cauda-equina",
    "cholinergic-poisoning",
    "coordination",
    "cramps",
    "guillain-barre",
    "lithium-poisoning",
    "low-tone",
    "motor-regression",
    "movement",
    "orthopnea",
    "rigidity",
    "sensory-loss",
    "tingling",
    "upper-motor-sign",
    "weakness",
}
OF_THE_TWITCH = {"tongue_fasciculation"}
# What a critical row reads only to be silent, or to say another row is meant.
TAKES_AWAY = {"heart-failure", "lung-disease", "multiple-sclerosis", "central-lesion"}


def systems() -> dict[str, set[str]]:
    """Concept -> the systems that it has codes in, over all files of red flags."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in RED_FLAGS | {"fasciculation"}:
        for concept, codes in load_yaml(KNOWLEDGE / "findings" / f"{name}.yaml")["codes"].items():
            if name != "fasciculation" or concept in OF_THE_TWITCH:
                found[concept] |= {NAMES[system] for system, values in codes.items() if values}
    return found


def listed() -> dict[str, tuple[str, str]]:
    """Concept -> the one system and where the others were looked for, as the page says it."""
    rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"))
    return {concept: (only.strip(), looked.strip()) for concept, only, looked in rows}


def test_every_red_flag_has_two_systems_or_is_listed() -> None:
    found = systems()
    assert len(found) > 40
    few = {concept: " and ".join(names) for concept, names in found.items() if len(names) < 2}
    assert few == {concept: only for concept, (only, _) in listed().items()}


def test_the_list_is_short_and_says_where_it_was_looked_for() -> None:
    assert 0 < len(listed()) <= 8
    for concept, (_, looked) in listed().items():
        assert len(looked.split()) >= 8, concept


def test_each_finding_of_a_red_flag_has_two_systems_but_lithium_poisoning() -> None:
    reach: dict[str, set[str]] = defaultdict(set)
    for key, codes in terminology().finding_codes.items():
        for code in codes:
            reach[code.finding].add(key[0])
    assert {name for name in RED_FLAGS if len(reach[name]) < 2} == {"lithium-poisoning"}


def test_no_critical_row_reads_a_finding_that_is_not_looked_after_here() -> None:
    table = load_yaml(KNOWLEDGE / "decision_table.yaml")
    findings = set(terminology().findings)
    read = set()
    for row in table["rows"]:
        if row["level"] == "critical":
            for words in _texts(row["when"]):
                read |= set(re.findall(r"[a-z0-9-]+", re.sub(r"\b(row|drug|current|stopped) \S+", "", words)))
    assert {"weakness", "atrophy"} <= read
    assert read & findings <= RED_FLAGS | TAKES_AWAY


def _texts(condition: Any) -> Iterator[str]:
    """Every text of a condition, in whatever it is nested."""
    if isinstance(condition, str):
        yield condition
    elif isinstance(condition, dict):
        for inner in condition.values():
            yield from _texts(inner)
    elif isinstance(condition, list):
        for inner in condition:
            yield from _texts(inner)
