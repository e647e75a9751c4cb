"""The knowledge files as they are in YAML, read past the service's own loader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Files:
    """The YAML of one folder: single files, and of folders id -> file."""

    table: Raw
    units: Raw
    words: Raw
    routes: Raw
    findings: dict[str, Raw]
    sites: dict[str, Raw]
    analytes: dict[str, Raw]
    procedures: dict[str, Raw]
    classes: dict[str, Raw]


def read(directory: Path) -> Files:
    """All of them. Raises OSError and yaml.YAMLError: the service's loader names what is wrong."""
    return Files(
        table=_read(directory / "decision_table.yaml"),
        units=_read(directory / "units.yaml"),
        words=_read(directory / "result_words.yaml"),
        routes=_read(directory / "medication_routes.yaml"),
        findings=_folder(directory / "findings"),
        sites=_folder(directory / "body_sites"),
        analytes=_folder(directory / "analytes"),
        procedures=_folder(directory / "procedures"),
        classes=_folder(directory / "medication_classes"),
    )


def _read(path: Path) -> Raw:
    content: Raw = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return content


def _folder(folder: Path) -> dict[str, Raw]:
    return {raw["id"]: raw for raw in map(_read, sorted(folder.glob("*.yaml")))}
