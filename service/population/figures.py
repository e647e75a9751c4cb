"""Figures of a part of the patients, as plain JSON; `merged` adds parts in any order and grouping."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from service.population.patient_row import DECEASED, NO_CARD, Row

# Kinds of faults have so many places in the report, the first by file and line.
PLACES = 20
LEVELS = (NO_CARD, "info", "warning", "critical")

Figures = dict[str, Any]


def add_row(figures: Figures, row: Row) -> None:
    """Add one patient, in place.

    Leaves are counts. `unknown`: type -> system -> code -> patients, resources and displays.
    """
    _count(figures, "patients")
    if "refused" in row:
        return _count(figures, "refused", row["refused"])
    level, age = row["level"], row["age"]
    _count(figures, "gates", row["gate"])
    if row["gate"] != DECEASED:
        _count(figures, "living")
        _count(figures, "levels", level)
        _count(figures, "ages", age, level)
    if row["examined"]:
        _count(figures, "examined", row["examined"])
    for name in dict.fromkeys(row["rows"]):
        _count(figures, "rows", name, level)
    for name in dict.fromkeys(row["recommendations"]):
        _count(figures, "recommendations", name)
    for name, lower in row["without"].items():
        _count(figures, "without", name, f"{level}>{lower}")
    unknown = figures.setdefault("unknown", {})
    met: set[tuple[str, str, str]] = set()
    for kind, system, code, display, count in row["unknown"]:
        codes = unknown.setdefault(kind, {}).setdefault(system, {})
        one = codes.setdefault(code, {"patients": 0, "resources": 0, "displays": {}})
        one["resources"] += count
        if (kind, system, code) not in met:
            met.add((kind, system, code))
            one["patients"] += 1
        if display:
            one["displays"][display] = one["displays"].get(display, 0) + 1
    for kind, place, why, count in row["notes"]:
        _count(figures, "notes", kind, place, why, "patients")
        _count(figures, "notes", kind, place, why, "notes", by=count)


def _count(figures: Figures, *names: str, by: int = 1) -> None:
    for name in names[:-1]:
        figures = figures.setdefault(name, {})
    figures[names[-1]] = figures.get(names[-1], 0) + by


def fault(kind: str, place: list[Any]) -> Figures:
    """The figures of one fault. place: [file, line], or [file, 0] for the whole file."""
    return {"faults": {kind: {"count": 1, "places": [place]}}}


def add(total: Figures, part: Figures) -> None:
    """Add the part to the total, in place: counts are added, of places the first are kept."""
    for name, value in part.items():
        if name not in total:
            total[name] = _copied(value)
        elif isinstance(value, dict):
            add(total[name], value)
        elif isinstance(value, list):
            total[name] = sorted([*total[name], *value])[:PLACES]
        else:
            total[name] += value


def merged(parts: Iterable[Figures]) -> Figures:
    """The figures of all parts; the parts stay as they are."""
    total: Figures = {}
    for part in parts:
        add(total, part)
    return total


def _copied(value: Any) -> Any:
    return {name: _copied(inner) for name, inner in value.items()} if isinstance(value, dict) else value
