"""Second phase: a partition of sorted lines -> patients, each decided -> the figures of the partition."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from service.population.figures import Figures, add, add_row, fault
from service.population.patient_row import Row, Study, patient_row
from service.population.sorting import Sorted, lines_in, write_json

DUPLICATE, TOO_LARGE, FAILED = "duplicate id", "record too large", "internal error"
UNKNOWN_PATIENT = "its patient is not in the export"
_PATIENT = "Patient"
_MEDICATIONS = "medications.sqlite3"
_KEPT_MEDICATIONS = 10_000


@dataclass(slots=True)
class PatientLines:
    """The lines of one patient. largest: bytes of the largest line; place: of the first that is as large."""

    most_bytes: int
    lines: list[Sorted] = field(default_factory=list)
    bytes: int = 0
    largest: int = -1
    place: list[int] = field(default_factory=list)

    @property
    def is_too_large(self) -> bool:
        return self.bytes > self.most_bytes

    def add(self, line: Sorted) -> None:
        """Add a line; of a record that is too large none is kept."""
        size = len(line.raw)
        self.bytes += size
        if size >= self.largest:
            is_earlier = size > self.largest or line.place < self.place
            self.largest, self.place = size, line.place if is_earlier else self.place
        self.lines.append(line)
        if self.is_too_large:
            self.lines.clear()


def decided(
    owner: str, patient: PatientLines, medications: Sequence[bytes], study: Study, figures: Figures
) -> Row | None:
    """Decide one patient, and add figures and faults.

    Args:
        medications: JSON of the Medications that the lines name.

    Returns:
        The row, None where no line is a Patient.
    """
    lines = patient.lines
    if patient.is_too_large:
        add(figures, fault(TOO_LARGE, patient.place))
        row: Row = {"patient": owner, "refused": TOO_LARGE}
    elif not any(line.kind == _PATIENT for line in lines):
        for line in lines:
            orphan = {"orphans": {UNKNOWN_PATIENT: {line.kind: 1}}}
            add(figures, {**orphan, **fault(UNKNOWN_PATIENT, line.place)})
        return None
    else:
        for line in _repeated(lines):
            add(figures, fault(DUPLICATE, line.place))
        try:
            row = patient_row(owner, [*(line.raw for line in lines), *medications], study)
        except Exception as error:
            # One record must not end a run of hours; the class names no patient.
            add(figures, fault(FAILED, patient.place))
            row = {"patient": owner, "refused": f"{FAILED}: {type(error).__name__}"}
    add_row(figures, row)
    return row


@dataclass
class Deciding:
    """What every partition needs.

    segments: task -> number of its segments. most_bytes: of a record; a larger one is not decided.
    """

    study: Study
    work: Path
    segments: Mapping[int, int]
    most_bytes: int
    decisions: bool

    @cached_property
    def medications(self) -> Medications:
        return Medications(self.work / _MEDICATIONS)

    def partition(self, number: int) -> Figures:
        """Decide the patients of a partition, and write its figures."""
        figures: Figures = {}
        kept: list[Row] = []
        for owner, patient in sorted(self._patients(number).items()):
            named = self.medications.named({line.medicine for line in patient.lines if line.medicine})
            row = decided(owner, patient, named, self.study, figures)
            if self.decisions and row is not None:
                kept.append(row)
        if self.decisions:
            path = decisions_path(self.work, number)
            path.write_text("".join(map(decision_line, kept)), encoding="utf-8")
        write_json(figures_path(self.work, number), figures)
        return figures

    def _patients(self, number: int) -> dict[str, PatientLines]:
        patients: dict[str, PatientLines] = {}
        for line in lines_in(self.work, self.segments, number):
            patient = patients.get(line.owner)
            if patient is None:
                patient = patients[line.owner] = PatientLines(self.most_bytes)
            patient.add(line)
        return patients


def _repeated(lines: Sequence[Sorted]) -> Iterator[Sorted]:
    """The lines whose type and id stand in an earlier line of the export."""
    named = [line for line in lines if line.id]
    if len({(line.kind, line.id) for line in named}) == len(named):
        return
    met: set[tuple[str, str]] = set()
    for line in sorted(named, key=lambda line: line.place):
        if (line.kind, line.id) in met:
            yield line
        met.add((line.kind, line.id))


def decision_line(row: Row) -> str:
    """Patient id, level, rows and recommendations, as a line of decisions.ndjson."""
    members = ("patient", "refused", "level", "rows", "recommendations")
    return json.dumps({name: row[name] for name in members if name in row}) + "\n"


def figures_path(work: Path, partition: int) -> Path:
    """The file that says that a partition is done."""
    return work / f"figures-{partition:06}.json"


def decisions_path(work: Path, partition: int) -> Path:
    """The decisions of a partition."""
    return work / f"decisions-{partition:06}.lines"


class Medications:
    """The Medications of the export on disk, by type and id: those of a hospital are of no patient."""

    def __init__(self, path: Path) -> None:
        self._kept: dict[str, bytes | None] = {}
        self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True) if path.exists() else None

    def named(self, names: set[str]) -> list[bytes]:
        """Those Medications, as far as the export has them."""
        if self._database is None:
            return []
        return [raw for name in sorted(names) if (raw := self._named(name)) is not None]

    def _named(self, name: str) -> bytes | None:
        if name not in self._kept and self._database is not None:
            if len(self._kept) >= _KEPT_MEDICATIONS:
                self._kept.clear()
            query = "SELECT resource FROM medication WHERE name = ?"
            found = self._database.execute(query, (name,)).fetchone()
            self._kept[name] = found[0] if found else None
        return self._kept[name]


def store_medications(work: Path, segments: Mapping[int, int], partition: int) -> None:
    """Write the Medications of that partition into the store, once all lines are sorted."""
    path = work / _MEDICATIONS
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as database:
        database.execute("CREATE TABLE medication (name TEXT PRIMARY KEY, resource BLOB)")
        # Of two with one id the same is kept, whatever the order of the files.
        database.executemany(
            "INSERT INTO medication VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET resource = max(resource, excluded.resource)",
            ((f"Medication/{line.id}", line.raw) for line in lines_in(work, segments, partition)),
        )
        database.commit()
    part.replace(path)


def read_figures(work: Path, partitions: int) -> Iterator[dict[str, Any]]:
    """The figures of all partitions."""
    for number in range(partitions):
        yield json.loads(figures_path(work, number).read_text(encoding="utf-8"))
