"""Every line of a file is in one task, wherever the tasks begin."""

from __future__ import annotations

import errno
import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from service.population.export_files import NoExport, files_in, lines_of, tasks_of

LINES = [b"a", b"", b"bb", b"ccc", b"x" * 30, b"dddd", b"e"]


@pytest.mark.parametrize("end", [b"\n", b""])
@pytest.mark.parametrize("size", range(1, 50))
def test_each_line_once(tmp_path: Path, size: int, end: bytes) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"\n".join(LINES) + end)
    tasks = tasks_of(files_in(tmp_path), size)
    assert [line for task in tasks for line in lines_of(tmp_path, task, 100)] == LINES


@pytest.mark.parametrize("size", range(1, 50))
def test_a_line_too_long_is_one(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"\n".join(LINES) + b"\n")
    tasks = tasks_of(files_in(tmp_path), size)
    found = [line for task in tasks for line in lines_of(tmp_path, task, 10)]
    assert found == [None if len(line) > 10 else line for line in LINES]


def test_the_log_of_an_export_client_is_no_part_of_the_export(tmp_path: Path) -> None:
    for name in ("Patient.000.ndjson", "log.ndjson", "part/log.ndjson", "catalog.ndjson"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'{"eventId":"kickoff"}\n')
    assert [file.name for file in files_in(tmp_path)] == ["Patient.000.ndjson", "catalog.ndjson"]


def test_capitals_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "PATIENT.NDJSON.GZ").write_bytes(gzip.compress(b"a\nb\n"))
    (tmp_path / "LOG.NDJSON").write_bytes(b"{}\n")
    files = files_in(tmp_path)
    assert [line for task in tasks_of(files) for line in lines_of(tmp_path, task, 100)] == [b"a", b"b"]


def test_links_are_followed_and_a_folder_is_read_once(tmp_path: Path) -> None:
    for name in ("export/2026-06-01", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "Patient.ndjson").write_bytes(b"{}\n")
    export = tmp_path / "export"
    (export / "Condition.ndjson").symlink_to(tmp_path / "elsewhere/Patient.ndjson")
    (export / "latest").symlink_to("2026-06-01")
    (export / "loop").symlink_to(export)
    (export / "more").symlink_to(tmp_path / "elsewhere")
    assert [file.name for file in files_in(export)] == [
        "2026-06-01/Patient.ndjson",
        "Condition.ndjson",
        "more/Patient.ndjson",
    ]


def test_a_link_to_nothing_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(b"{}\n")
    (tmp_path / "Observation.ndjson").symlink_to("gone.ndjson")
    with pytest.raises(NoExport, match=r"Observation\.ndjson cannot be read"):
        files_in(tmp_path)


def test_a_folder_that_cannot_be_read_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Patient.ndjson").write_bytes(b"{}\n")
    (tmp_path / "Observation").mkdir()
    listed = os.scandir

    def refused(path: str) -> Any:
        if str(path).endswith("Observation"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(NoExport, match="Observation cannot be read: Permission denied"):
        files_in(tmp_path)


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_gzip_is_known_by_its_bytes(tmp_path: Path, name: str) -> None:
    """A client may keep gzip under .ndjson, or unpack it and keep .gz."""
    content = b"\n".join(LINES)
    for found in (content, gzip.compress(content)):
        (tmp_path / name).write_bytes(found)
        tasks = tasks_of(files_in(tmp_path))
        assert [line for task in tasks for line in lines_of(tmp_path, task, 100)] == LINES
