"""The knowledge files, read once more and by nobody else's code."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "service" / "knowledge" / "data"
LEVELS = ("none", "info", "warning", "critical")


@cache
def knowledge(folder: Path = FOLDER) -> dict[str, Any]:
    """The decision table, and under "findings" and "analytes" the file of each id, as they stand in YAML."""
    table: dict[str, Any] = yaml.safe_load((folder / "decision_table.yaml").read_text(encoding="utf-8"))
    return {**table, "findings": _heads(folder / "findings"), "analytes": _heads(folder / "analytes")}


def _heads(folder: Path) -> dict[str, Any]:
    # What stands below the mark is a list of codes, long and of no interest to a decision.
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml")))
    return {entry["id"]: entry for entry in (yaml.safe_load(t.split("# Compiled")[0]) for t in texts)}


def leaves(condition: Any) -> Iterator[tuple[str, bool]]:
    """Each leaf of a condition, and whether it stands under an even number of "not"."""
    if isinstance(condition, str):
        yield condition, True
    elif "not" in condition:
        yield from ((leaf, not straight) for leaf, straight in leaves(condition["not"]))
    else:
        for part in condition.get("all") or condition["any"]:
            yield from leaves(part)


def actions_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions of a row, each in its long form."""
    return [{"id": action} if isinstance(action, str) else action for action in row["actions"]]


def row_named(table: dict[str, Any], name: str) -> dict[str, Any]:
    (row,) = (row for row in table["rows"] if row["id"] == name)
    return row


def names_in(table: dict[str, Any], row: dict[str, Any]) -> set[str]:
    """Findings and features that a row reads, those of rows that it names with them."""
    found: set[str] = set()
    for leaf, _ in leaves(row["when"]):
        word, _, rest = leaf.partition(" ")
        if word == "row":
            found |= names_in(table, row_named(table, rest))
        else:
            found.add(word)
    return found
