"""Small exports, and runs over them in this process."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from service.evaluation import Evaluator
from service.knowledge import load_knowledge
from service.population.patient_row import Study
from service.population.report import Report, report_of
from service.population.run import Options, Run
from tools.synthetic_export import Line, patient_lines

AS_OF = date(2026, 6, 15)
DAY = f"--as-of={AS_OF}"
knowledge = cache(load_knowledge)


@cache
def lines_of_patients(count: int = 60, seed: int = 7) -> tuple[Line, ...]:
    """Every resource of that many patients; the twentieth and each eighth after it twitch."""
    # Of fifty numbers one twitches: those around it are taken, so that few patients are enough.
    numbers = [number if number % 8 else 25 + 50 * number for number in range(count)]
    return tuple(line for number in numbers for line in patient_lines(seed, number))


def write(folder: Path, files: dict[str, bytes | Sequence[bytes]]) -> Path:
    """Files of that content; those named .gz are compressed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        body = content if isinstance(content, bytes) else b"".join(content)
        (folder / name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return folder


def export(
    folder: Path, lines: Iterable[Line], *, files: int = 1, suffix: str = ".ndjson", seed: int = 0
) -> Path:
    """An export in that many files of each type, the lines in the order of that seed."""
    shuffled = list(lines)
    random.Random(seed).shuffle(shuffled)
    contents: dict[str, list[bytes]] = {}
    for number, (kind, line) in enumerate(shuffled):
        contents.setdefault(f"{kind}.{number % files}{suffix}", []).append(line)
    return write(folder, dict(contents))


def study(types: Iterable[str], *, whole: bool = False) -> Study:
    return Study(Evaluator(knowledge(), ""), AS_OF, frozenset(types), whole)


def reported(folder: Path, out: Path, **options: Any) -> Report:
    """The report of a run, with small counts shown."""
    run = Run(Options(folder, out, AS_OF, **options), knowledge().version)
    result = run.result(lambda phase, amount: None)
    return report_of(
        result.figures,
        knowledge().table,
        as_of=result.as_of,
        knowledge=knowledge().version,
        files=result.files,
        size=result.bytes,
        hides=False,
    )


def figures_in(report: Report) -> Report:
    """The report without what depends on the split into files: their number, and places in them."""
    figures: Report = json.loads(json.dumps(report))
    for member in ("files", "bytes"):
        del figures["export"][member]
    for fault in figures["faults"].values():
        del fault["places"]
    return figures


def line(**resource: Any) -> bytes:
    return json.dumps(resource).encode() + b"\n"


def patient(name: str, /, **members: Any) -> bytes:
    return line(resourceType="Patient", id=name, birthDate="1970-01-01", **members)


def twitch(owner: str, name: str = "c1") -> bytes:
    """A Condition of the example patient, of another patient."""
    source = Path(__file__).parents[2] / "examples/thigh-day-fifteen/bundle.json"
    content = json.loads(source.read_text(encoding="utf-8"))
    found = [entry["resource"] for entry in content["entry"]]
    condition = next(one for one in found if one["resourceType"] == "Condition")
    return line(**{**condition, "id": name, "subject": {"reference": f"Patient/{owner}"}})
