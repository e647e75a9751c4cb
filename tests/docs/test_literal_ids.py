"""No module of the runtime knows a row or an action of the decision table by its id."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.knowledge import HERE
from service.knowledge.decision_table import FILE
from service.knowledge.loading import load_yaml

ROOT = Path(__file__).parents[2]
RAW = load_yaml(HERE / FILE)
IDS = frozenset(entry["id"] for entry in (*RAW["rows"], *RAW["actions"]))
# What takes the id of a row or an action, as a call or in brackets.
_CALLED = frozenset({"fired", "recommends", "row"})
_INDEXED = frozenset({"actions", "rows"})


def literal_ids(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every literal that names a row or an action.

    An id without a hyphen can be another word as well: it counts where it is used as an id.
    """
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            # "actions.self-care.short" names one too.
            if any("-" in part and part in IDS for part in node.value.split(".")):
                yield node.lineno, node.value
        elif isinstance(node, ast.Call) and _name(node.func) in _CALLED:
            yield from _literals(node.args)
        elif isinstance(node, ast.Subscript) and _name(node.value) in _INDEXED:
            yield from _literals([node.slice])
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(_name(side) == "id" for side in sides):
                inner = [one for side in sides for one in getattr(side, "elts", [side])]
                yield from (found for found in _literals(inner) if found[1] in IDS)


def _name(node: ast.AST) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _literals(nodes: list[ast.expr]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_no_row_and_no_action_is_called_by_its_id() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for folder in ("service", "schemas", "fhir_mappings")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in literal_ids(path.read_text(encoding="utf-8"))
    ]
    assert found == [], "give the row or action a role in decision_table.yaml, and ask for that"


@pytest.mark.parametrize(
    "source",
    [
        'x = {"nothing-calls-for-tests"}',
        'say("actions.self-care.short")',
        'decision.fired("bulbar")',
        'decision.recommends("emg")',
        'table.row("pain")',
        'table.actions["emg"]',
        'made.id == "emg"',
        'made.id in ("emg", "ncs")',
        'made.id != "self-care"',
    ],
)
def test_it_is_seen(source: str) -> None:
    assert {line for line, _ in literal_ids(source)} == {1}


@pytest.mark.parametrize(
    "source",
    ['def f():\n    """Of self-care."""', 'facts.get("weakness")', 'site.id == "eyelid"', 'kind == "child"'],
)
def test_another_word_is_none(source: str) -> None:
    assert list(literal_ids(source)) == []
