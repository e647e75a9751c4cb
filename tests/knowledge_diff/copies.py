"""Copies of the knowledge folder with one thing changed, told against the folder as it is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from service.knowledge import HERE, Knowledge, load_knowledge
from tools.knowledge_diff import Change, differences, written

TABLE = "decision_table.yaml"


@cache
def now() -> Knowledge:
    return load_knowledge()


def copied(to: Path) -> Path:
    shutil.copytree(HERE, to, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return to


def change(folder: Path, file: str, pattern: str, replacement: str) -> None:
    """One replacement, which must find its place."""
    text = (folder / file).read_text(encoding="utf-8")
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.DOTALL)
    assert count == 1
    (folder / file).write_text(changed, encoding="utf-8")


@cache
def written_now() -> Mapping[str, Any]:
    return written(HERE)


def found(old: Path) -> dict[str, tuple[Change, ...]]:
    """Section -> its changes from that folder to what is there now; sections without one left out."""
    return changed(written(old))


def changed(old: Mapping[str, Any]) -> dict[str, tuple[Change, ...]]:
    sections = differences(old, written_now())
    return {section.title: section.changes for section in sections if section.changes}
