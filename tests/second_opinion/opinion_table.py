"""The knowledge files, read independently of the service: conditions, actions and levels of version 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "service" / "knowledge" / "data"
LEVELS = ("none", "info", "warning", "critical")
URGENCIES = ("routine", "urgent", "now")
# The priorities of an order that satisfy an urgency (4.2).
PRIORITIES = {"urgent": {"urgent", "asap", "stat"}, "now": {"asap", "stat"}}
PRESENT = ("examined", "listed", "reported")
# What a second word after the name of a finding means.
WORDS = {
    "examined": {"examined", "listed"},
    "listed": {"listed"},
    "reported": {"reported"},
    "settled": {"examined", "absent"},
    "absent": {"absent"},
}
DRUG_WORDS = ("drug", "current", "stopped")

Table = dict[str, Any]


@cache
def knowledge(folder: Path = FOLDER) -> Table:
    """The decision table, and under "findings" and "analytes" the file of each id, as they are in YAML."""
    table: Table = yaml.safe_load((folder / "decision_table.yaml").read_text(encoding="utf-8"))
    return {**table, "findings": _heads(folder / "findings"), "analytes": _heads(folder / "analytes")}


def _heads(folder: Path) -> dict[str, Any]:
    # Below the mark there is only a long list of codes, which a decision does not read.
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml")))
    return {entry["id"]: entry for entry in (yaml.safe_load(t.split("# Compiled")[0]) for t in texts)}


def condition_named(table: Table, leaf: str) -> Any:
    """The condition that a leaf stands for: that of a row or a definition, else None."""
    if leaf.startswith("row "):
        return row_named(table, leaf[4:])["when"]
    return table.get("definitions", {}).get(leaf)


def row_named(table: Table, name: str) -> dict[str, Any]:
    row: dict[str, Any]
    (row,) = (row for row in table["rows"] if row["id"] == name)
    return row


def actions_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions of a row, each in its long form."""
    return [{"id": action} if isinstance(action, str) else action for action in row["actions"]]


def role_of(table: Table, role: str) -> str:
    """The id of the one action with that role."""
    (action,) = (action["id"] for action in table["actions"] if role in action.get("roles", ()))
    return str(action)


def leaves(condition: Any) -> Iterator[str]:
    if isinstance(condition, str):
        yield condition
        return
    parts = [condition["not"]] if "not" in condition else condition.get("all") or condition["any"]
    for part in parts:
        yield from leaves(part)


def names_in(table: Table, condition: Any) -> set[str]:
    """Findings and features that a condition reads, including those of rows and definitions that it names."""
    found: set[str] = set()
    for leaf in leaves(condition):
        named = condition_named(table, leaf)
        found |= {leaf.split()[0]} if named is None else names_in(table, named)
    return found


def witnesses(condition: Any, holds: Callable[[str], bool]) -> list[str] | None:
    """The leaves that make the condition true, or None if it is false.

    A "not" contributes "not LEAF" for a leaf, and nothing for a group.
    """
    if isinstance(condition, str):
        return [condition] if holds(condition) else None
    if "not" in condition:
        if witnesses(condition["not"], holds) is not None:
            return None
        return [f"not {condition['not']}"] if isinstance(condition["not"], str) else []
    parts = [witnesses(part, holds) for part in condition.get("all") or condition["any"]]
    true = [part for part in parts if part is not None]
    if (len(true) < len(parts)) if "all" in condition else not true:
        return None
    return [leaf for part in true for leaf in part]
