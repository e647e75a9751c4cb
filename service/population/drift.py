"""Two reports of populations: which figures changed, and which patients moved between levels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.population.export_files import DECISIONS, MOVED
from service.population.figures import LEVELS
from service.population.patient_row import NO_CARD
from service.population.report import SHAPE, Cells, Report

# Beside the levels: of a patient in the earlier decisions alone, and of one whose record was refused.
ABSENT, UNDECIDED = "absent", "undecided"


class NotComparable(Exception):
    """The file is no report of this shape. The message says what to do."""


@dataclass(frozen=True)
class Other:
    """An earlier report. levels: patient id -> level, of those with a card; None without decisions.ndjson."""

    report: Report
    levels: dict[str, str] | None


def read_other(path: Path) -> Other:
    """The report in that file, with the decisions beside it. Raises NotComparable."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = type(error).__name__
        raise NotComparable(f"{path}: cannot be read as JSON ({why}): name a report.json") from None
    if not isinstance(report, dict) or report.get("shape") != SHAPE:
        raise NotComparable(f"{path}: no report.json of shape {SHAPE}: make it anew with this version")
    decisions = path.with_name(DECISIONS)
    if not decisions.exists():
        return Other(report, None)
    try:
        return Other(report, dict(_levels(decisions)))
    except (OSError, ValueError, KeyError, TypeError):
        raise NotComparable(
            f"{decisions}: it cannot be read, or a line is no decision: remove the file, or make it anew"
        ) from None


def drift_of(other: Other, report: Report, out: Path, *, hides: bool) -> dict[str, Any]:
    """What changed since the other report, for the member `compared` of this one.

    Writes MOVED (patient id, before, now) into `out` where both have decisions.
    """
    before = other.report
    drift: dict[str, Any] = {
        "with": {name: before[name] for name in ("service", "knowledge", "asOf")},
        "patients": {"before": before["patients"]["living"], "now": report["patients"]["living"]},
        "cards": {"before": before["cards"]["perThousand"], "now": report["cards"]["perThousand"]},
        "critical": {
            "before": before["cards"]["critical"]["perThousand"],
            "now": report["cards"]["critical"]["perThousand"],
        },
        "examination": {
            state: {"before": before["examination"].get(state), "now": count}
            for state, count in report["examination"].items()
        },
        "rows": list(_rows(before, report)),
    }
    decisions = out / DECISIONS
    if other.levels is not None and decisions.exists():
        moves: dict[str, int] = {}
        with (out / MOVED).open("w", encoding="utf-8") as file:
            for name, was, now in _moves(other.levels, decisions):
                moves[f"{was}>{now}"] = moves.get(f"{was}>{now}", 0) + 1
                file.write(json.dumps({"patient": name, "before": was, "now": now}) + "\n")
        drift["moved"] = Cells(hides).parts(dict(sorted(moves.items(), key=lambda item: (-item[1], item[0]))))
    return drift


def _rows(before: Report, report: Report) -> Iterator[dict[str, Any]]:
    """The rows whose rate differs, the largest change first."""
    was = {row["row"]: row for row in before["rows"]}
    now = {row["row"]: row for row in report["rows"]}
    changed = []
    for name in {*was, *now}:
        label = (now.get(name) or was[name])["label"]
        rates = [found[name]["perThousand"] if name in found else 0.0 for found in (was, now)]
        if rates[0] != rates[1]:
            size = abs((rates[1] or 0.0) - (rates[0] or 0.0))
            changed.append((-size, name, {"row": name, "label": label, "before": rates[0], "now": rates[1]}))
    return (row for _, _, row in sorted(changed, key=lambda item: item[:2]))


def _moves(levels: dict[str, str], decisions: Path) -> Iterator[tuple[str, str, str]]:
    """(patient, level before, level now) of those whose level differs.

    levels: of those who had a card; memory grows with them alone.
    """
    left = dict(levels)
    for name, level in _all_levels(decisions):
        was = left.pop(name, NO_CARD)
        if was != level:
            yield name, was, level
    yield from ((name, was, ABSENT) for name, was in sorted(left.items()))


def _levels(decisions: Path) -> Iterator[tuple[str, str]]:
    return ((name, level) for name, level in _all_levels(decisions) if level != NO_CARD)


def _all_levels(decisions: Path) -> Iterator[tuple[str, str]]:
    """Patient id and level of each line; of a patient who was not decided, that."""
    with decisions.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            level = row["level"] if "refused" not in row else UNDECIDED
            if level not in (*LEVELS, UNDECIDED):
                raise ValueError(level)
            yield str(row["patient"]), level
