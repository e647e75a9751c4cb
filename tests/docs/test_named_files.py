"""Documents name only files that exist; docs/architecture.md lists each module of decision and cards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.conftest import PROJECT

FOLDERS = ("artifacts", "deploy", "docs", "examples", "fhir_mappings", "schemas", "service", "tests", "tools")
DOCUMENTS = sorted(
    path
    for path in (*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), PROJECT / "deploy" / "README.md")
    # One is generated; the other may name what was removed.
    if path.name not in ("mutation.md", "CHANGELOG.md")
)
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)(?:::\w+)?`")


def missing(text: str, base: Path) -> list[str]:
    """The paths and links in the text that lead to nothing."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    return [name for name in PATH.findall(text) if not (PROJECT / name).exists()] + [
        link for link in links if not (base / link).exists()
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_what_a_document_names_exists(path: Path) -> None:
    assert missing(path.read_text(encoding="utf-8"), path.parent) == []


def test_a_file_that_is_not_there_is_found() -> None:
    text = "`service/no_such.py`, `service/app.py`, [a](architecture.md), [b](no-such.md), [c](https://x.example)"
    assert missing(text, PROJECT / "docs") == ["service/no_such.py", "no-such.md"]


@pytest.mark.parametrize("heading", ["The decision", "The cards"])
def test_the_architecture_lists_every_module(heading: str) -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    part = text.partition(f"\n### {heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    folder = re.search(r"`(service/\w+)/`", part)
    assert folder is not None
    listed = re.findall(
        r"`(\w+\.py)`", "\n".join(line.split("|")[1] for line in part.splitlines() if "|" in line)
    )
    assert sorted(listed) == sorted(path.name for path in (PROJECT / folder[1]).glob("*.py"))
