"""The second opinion is worth something only while it shares no code with the first."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = [*sorted(HERE.glob("opinion*.py")), HERE / "plain.py"]
# The standard library it needs, the reader of YAML, and itself.
ALLOWED = {
    "__future__",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "itertools",
    "pathlib",
    "typing",
    "yaml",
}


def imports_of(path: Path) -> set[str]:
    """Every module that the file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import says not where it leads"
            found.add(node.module or "")
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            found.add(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_it_imports_nothing_of_the_service(path: Path) -> None:
    own = {f"tests.second_opinion.{module.stem}" for module in MODULES}
    assert {name for name in imports_of(path) if name.split(".")[0] not in ALLOWED} <= own


def test_every_module_of_it_is_looked_at() -> None:
    names = {path.stem for path in MODULES}
    parts = {"facts", "table", "conditions", "outcome", "questions"}
    assert {"opinion", *(f"opinion_{part}" for part in parts)} <= names
