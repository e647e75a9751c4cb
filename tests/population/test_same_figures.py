"""The same figures for any split into files, any order, any size of tasks and any number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.population.figures import Figures, add, add_row, merged
from service.population.patient_row import patient_row
from service.population.report import Report
from tests.population.exports import export, figures_in, lines_of_patients, reported, study


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("plain")
    return figures_in(reported(export(folder / "export", lines_of_patients()), folder / "out"))


@pytest.mark.parametrize("files", [2, 7])
@pytest.mark.parametrize("suffix", [".ndjson", ".ndjson.gz", ".jsonl"])
def test_files(tmp_path: Path, expected: Report, files: int, suffix: str) -> None:
    folder = export(tmp_path / "export", lines_of_patients(), files=files, suffix=suffix, seed=files)
    assert figures_in(reported(folder, tmp_path / "out")) == expected


def test_small_tasks_and_partitions(tmp_path: Path, expected: Report) -> None:
    """Tasks begin in the middle of lines, and buffers are written many times."""
    folder = export(tmp_path / "export", lines_of_patients(), seed=3)
    report = reported(folder, tmp_path / "out", task_bytes=70_001, partition_bytes=300_000)
    assert figures_in(report) == expected


def test_workers(tmp_path: Path, expected: Report) -> None:
    folder = export(tmp_path / "export", lines_of_patients(), files=3, seed=4)
    report = reported(folder, tmp_path / "out", workers=2, task_bytes=200_000, partition_bytes=500_000)
    assert figures_in(report) == expected


def test_any_grouping() -> None:
    """Figures can be merged in any order and in any groups; merging leaves the parts as they are."""
    by_patient: dict[str, list[bytes]] = {}
    for _, line in lines_of_patients():
        by_patient.setdefault(line.split(b'"Patient/')[-1].split(b'"')[0].decode(), []).append(line)
    owners = [owner for owner in by_patient if owner.startswith("e")][:20]
    setting = study({"Patient", "Condition", "Observation"})
    patients = {
        line.split(b'"id":"')[1].split(b'"')[0].decode(): line
        for kind, line in lines_of_patients()
        if kind == "Patient"
    }
    rows = [patient_row(name, [patients[name], *by_patient[name]], setting) for name in owners]
    parts: list[Figures] = []
    for row in rows:
        parts.append({})
        add_row(parts[-1], row)
    whole = merged(parts)
    assert merged(reversed(parts)) == whole
    total = merged(parts[5:])
    add(total, merged(parts[:5]))
    assert total == whole
    assert merged(parts) == whole
    assert whole["patients"] == 20
    counted: Figures = {}
    for row in rows:
        add_row(counted, row)
    assert counted == whole
