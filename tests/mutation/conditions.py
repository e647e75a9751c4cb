"""Deliberate errors in a condition of the table, and whether two conditions can be told apart at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from service.decision.facts import FEATURES

Path = tuple[str | int, ...]
# More combinations of operands than this are not compared: the mutant has to be killed.
_AT_MOST_STATES = 2_000_000
_VALUES = {
    "finding": ("examined", "listed", "reported", "absent", "absent-not-examined", "unknown"),
    "feature": ("true", "false", "unknown"),
    "result": ("true", "false"),
    "drug": ("yes", "possible", "no", "unknown"),
    "current": ("true", "unknown"),
    "stopped": ("true", "unknown"),
}
# What a leaf says after the name of a finding, and the facts that make it true; "" is any basis.
_BASES = {
    "": ("examined", "listed", "reported"),
    "examined": ("examined", "listed"),
    "reported": ("reported",),
    "settled": ("examined", "absent"),
    "absent": ("absent",),
}


@dataclass(frozen=True, slots=True)
class Change:
    """At that path below the condition stands that value instead."""

    kind: str
    says: str
    path: Path
    value: Any


class Operands:
    """What the conditions of a table read: for each kind of leaf the names in use, in a fixed order."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.rows = {row["id"]: row["when"] for row in raw["rows"]}
        self.definitions = raw["definitions"]
        self.results = frozenset(raw["result_facts"])
        self.names: dict[str, list[str]] = {"row": list(self.rows), "definition": list(self.definitions)}
        leaves = [self.split(leaf) for leaf in self._leaves()]
        for kind in _VALUES:
            self.names[kind] = sorted({name for of_kind, name, _ in leaves if of_kind == kind})

    def split(self, leaf: str) -> tuple[str, str, str]:
        """kind, name and basis of a leaf: ("finding", "weakness", "examined")."""
        first, _, second = leaf.partition(" ")
        if first in ("row", "drug", "current", "stopped"):
            return first, second, ""
        if first in self.definitions:
            return "definition", first, ""
        if first in self.results:
            return "result", first, ""
        return ("feature" if first in FEATURES else "finding"), first, second

    def neighbours(self, kind: str, name: str) -> list[str]:
        """The one before and the one after that name among those of its kind, round the end."""
        names = self.names[kind]
        if len(names) < 2:
            return []
        at = names.index(name)
        return list(dict.fromkeys(n for n in (names[at - 1], names[(at + 1) % len(names)]) if n != name))

    def _leaves(self) -> Iterator[str]:
        for condition in conditions_of(self.raw):
            yield from (node for _, node in nodes(condition) if isinstance(node, str))


def conditions_of(raw: Mapping[str, Any]) -> Iterator[Any]:
    """Every condition of the table."""
    for path in condition_paths(raw):
        yield at(raw, path)


def condition_paths(raw: Mapping[str, Any]) -> Iterator[Path]:
    for index, row in enumerate(raw["rows"]):
        yield ("rows", index, "when")
        for number, action in enumerate(row["actions"]):
            if isinstance(action, dict) and "when" in action:
                yield ("rows", index, "actions", number, "when")
    for name in raw["definitions"]:
        yield ("definitions", name)
    for index, advice in enumerate(raw["self_care"]):
        if "unless" in advice:
            yield ("self_care", index, "unless")
    for index, question in enumerate(raw["questions"]):
        if question.get("on_card", "never") != "never":
            yield ("questions", index, "on_card")


def at(content: Any, path: Path) -> Any:
    for step in path:
        content = content[step]
    return content


def nodes(condition: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every branch and leaf with its path, the whole first."""
    yield path, condition
    if isinstance(condition, dict):
        ((word, part),) = condition.items()
        if word == "not":
            yield from nodes(part, (*path, word))
        else:
            for index, inner in enumerate(part):
                yield from nodes(inner, (*path, word, index))


def shown(condition: Any) -> str:
    """A condition on one line."""
    if isinstance(condition, str):
        return condition
    ((word, part),) = condition.items()
    if word == "not":
        return f"not({shown(part)})"
    return f"{word}({', '.join(shown(inner) for inner in part)})"


def changes(condition: Any, operands: Operands) -> Iterator[Change]:
    """Every deliberate error in that condition: its operators, its operands, their strength and basis."""
    for path, node in nodes(condition):
        yield Change("not added", f"not before {shown(node)}", path, {"not": node})
        if isinstance(node, str):
            yield from _leaf_changes(node, path, operands)
            continue
        ((word, part),) = node.items()
        if word == "not":
            yield Change("not dropped", f"no not before {shown(part)}", path, part)
            continue
        if len(part) > 1:
            other = "any" if word == "all" else "all"
            yield Change("all and any swapped", f"{other} for {shown(node)}", path, {other: part})
            for index, inner in enumerate(part):
                rest = [*part[:index], *part[index + 1 :]]
                yield Change("operand dropped", f"no {shown(inner)} in {shown(node)}", path, {word: rest})


def _leaf_changes(leaf: str, path: Path, operands: Operands) -> Iterator[Change]:
    kind, name, basis = operands.split(leaf)
    if kind == "finding":
        for other in _BASES:
            if other != basis:
                text = f"{name} {other}".strip()
                yield Change("operand weakened or strengthened", f"{text} for {leaf}", path, text)
    for other in ("drug", "current", "stopped"):
        if kind not in ("drug", "current", "stopped") or other == kind:
            continue
        text = f"{other} {name}"
        yield Change("operand weakened or strengthened", f"{text} for {leaf}", path, text)
    for neighbour in operands.neighbours(kind, name):
        text = f"{neighbour} {basis}".strip() if kind == "finding" else neighbour
        text = f"{kind} {neighbour}" if kind in ("row", "drug", "current", "stopped") else text
        yield Change("operand replaced", f"{text} for {leaf}", path, text)


def same(one: Any, other: Any, operands: Operands) -> bool | None:
    """Whether two conditions are true for the same facts: every combination of their operands is tried.

    None: there are too many combinations to try, or a row that reads itself.
    """
    try:
        first, second = _inlined(one, operands), _inlined(other, operands)
    except RecursionError:
        return None
    leaves = {node for tree in (first, second) for _, node in nodes(tree) if isinstance(node, str)}
    by_name: dict[tuple[str, str], set[str]] = {}
    for leaf in leaves:
        kind, name, _ = operands.split(leaf)
        by_name.setdefault((kind, name), set()).add(leaf)
    # Values that no leaf tells apart are one.
    choices: list[Sequence[frozenset[str]]] = []
    states = 1
    for (kind, _), own in sorted(by_name.items()):
        choices.append(
            sorted({frozenset(x for x in own if _true(x, v, operands)) for v in _VALUES[kind]}, key=sorted)
        )
        states *= len(choices[-1])
    if states > _AT_MOST_STATES:
        return None
    return all(
        _holds(first, true) == _holds(second, true)
        for chosen in product(*choices)
        for true in [frozenset().union(*chosen)]
    )


def _inlined(condition: Any, operands: Operands) -> Any:
    if isinstance(condition, str):
        kind, name, _ = operands.split(condition)
        named = operands.rows if kind == "row" else operands.definitions if kind == "definition" else {}
        return _inlined(named[name], operands) if named else condition
    ((word, part),) = condition.items()
    if word == "not":
        return {word: _inlined(part, operands)}
    return {word: [_inlined(inner, operands) for inner in part]}


def _true(leaf: str, value: str, operands: Operands) -> bool:
    kind, _, basis = operands.split(leaf)
    match kind:
        case "finding":
            return value in _BASES[basis]
        case "drug":
            return value in ("yes", "possible")
        case _:
            return value == "true"


def _holds(condition: Any, true: frozenset[str]) -> bool:
    if isinstance(condition, str):
        return condition in true
    ((word, part),) = condition.items()
    if word == "not":
        return not _holds(part, true)
    return (all if word == "all" else any)(_holds(inner, true) for inner in part)
