"""Conditions of the decision table as CQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_BASES = {
    "examined": ("examined", "listed"),
    "listed": ("listed",),
    "reported": ("reported",),
    "settled": ("examined", "absent"),
    "absent": ("absent",),
}
_DRUGS = {"drug": "Drug", "current": "Current", "stopped": "Stopped"}


class Conditions:
    """The conditions of one table: what a leaf stands for. findings: the ids of all findings."""

    def __init__(self, table: Mapping[str, Any], findings: Iterable[str]) -> None:
        self._table = table
        self._rows = {row["id"]: row["when"] for row in table["rows"]}
        self._findings = frozenset(findings)

    def cql(self, condition: Any) -> str:
        """A CQL expression that is never null."""
        if isinstance(condition, str):
            return self._leaf(condition)
        if "not" in condition:
            return f"not ({self.cql(condition['not'])})"
        parts, word = (condition["all"], " and ") if "all" in condition else (condition["any"], " or ")
        return "(" + word.join(map(self.cql, parts)) + ")"

    def _leaf(self, leaf: str) -> str:
        word, _, rest = leaf.partition(" ")
        if word == "row":
            return f'"Row {rest}"'
        if word in _DRUGS:
            return f"\"{_DRUGS[word]}\"('{rest}')"
        if rest:
            bases = ", ".join(f"'{basis}'" for basis in _BASES[rest])
            return f'"Finding {word}" in {{ {bases} }}'
        if leaf in self._table["definitions"]:
            return f'"Definition {leaf}"'
        if leaf in self._table["result_facts"]:
            return f'exists "Results {leaf}"'
        if leaf in self._findings:
            return f"\"Finding {leaf}\" in {{ 'examined', 'listed', 'reported' }}"
        return f'"Fact {leaf}" is true'

    def findings(self) -> set[str]:
        """The findings that conditions read."""
        conditions = [
            *(row["when"] for row in self._table["rows"]),
            *(
                a["when"]
                for row in self._table["rows"]
                for a in row["actions"]
                if isinstance(a, dict) and "when" in a
            ),
            *self._table["definitions"].values(),
        ]
        named = {leaf.partition(" ")[0] for one in conditions for leaf in _leaves(one)}
        return named & self._findings

    def positive(self, condition: Any, sign: bool = True) -> set[str]:
        """The names that are to be true, those of rows and definitions put in."""
        if isinstance(condition, str):
            word, _, rest = condition.partition(" ")
            if word == "row":
                return self.positive(self._rows[rest], sign)
            if condition in self._table["definitions"]:
                return self.positive(self._table["definitions"][condition], sign)
            return {word} if sign and word not in _DRUGS else set()
        if "not" in condition:
            return self.positive(condition["not"], not sign)
        return set().union(*(self.positive(p, sign) for p in condition.get("all") or condition["any"]))

    def classes(self, condition: Any) -> set[str]:
        """The classes of medicines that the condition reads."""
        found: set[str] = set()
        for leaf in _leaves(condition):
            word, _, rest = leaf.partition(" ")
            if word in _DRUGS:
                found.add(rest)
            elif word == "row":
                found |= self.classes(self._rows[rest])
            elif leaf in self._table["definitions"]:
                found |= self.classes(self._table["definitions"][leaf])
        return found


def _leaves(condition: Any) -> list[str]:
    if isinstance(condition, str):
        return [condition]
    parts = [condition["not"]] if "not" in condition else condition.get("all") or condition["any"]
    return [leaf for part in parts for leaf in _leaves(part)]
