"""An interrupted run goes on where it ended; another folder for the results is refused."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.command_line import population as command
from service.population import run as running
from service.population.run import NotEmpty, Options, Run, alone_in, cores
from tests.command_line.running import run
from tests.population.exports import (
    AS_OF,
    DAY,
    export,
    figures_in,
    knowledge,
    line,
    lines_of_patients,
    reported,
    write,
)

ROOT = Path(__file__).parents[2]


def test_killed(tmp_path: Path) -> None:
    """The whole process group is killed; the same command ends the run, with the same figures."""
    folder = export(tmp_path / "export", lines_of_patients(), files=4)
    out = tmp_path / "out"
    words = ["population", str(folder), "--out", str(out), DAY, "--small-counts", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "service.command_line", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not list((out / "unfinished").glob("sorted-*.json")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (out / "report.json").exists()
    done = run(*words)
    assert "going on with the interrupted run" in done.err
    assert done.code == 4
    expected = reported(folder, tmp_path / "other")
    assert json.loads((out / "report.json").read_text()) == json.loads(json.dumps(expected))
    assert not (out / "unfinished").exists()


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    """Both would go on with the same files; when the first has ended, or was killed, the next one may."""
    folder = export(tmp_path / "export", lines_of_patients(), files=2)
    out = tmp_path / "out"
    words = ["population", str(folder), "--out", str(out), DAY, "--small-counts"]
    Run(Options(folder, out, AS_OF, workers=cores()), knowledge().version)
    with alone_in(out / "unfinished"):
        refused = run(*words)
        assert refused.code == 2
        assert "another run works in" in refused.err
    assert run(*words).code == 4


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export(tmp_path / "export", lines_of_patients(), files=3)
    options = Options(folder, tmp_path / "out", AS_OF, task_bytes=300_000, partition_bytes=400_000)
    decided: list[int] = []
    decide = running._decide_partition

    def interrupted(number: int) -> None:
        if len(decided) == 3:
            raise KeyboardInterrupt
        decided.append(number)
        decide(number)

    monkeypatch.setattr(running, "_decide_partition", interrupted)
    first = Run(options, knowledge().version)
    with pytest.raises(KeyboardInterrupt):
        first.result(lambda phase, amount: None)
    again: list[int] = []
    monkeypatch.setattr(running, "_decide_partition", lambda number: (again.append(number), decide(number)))
    monkeypatch.setattr(running, "sort_task", lambda *_, **__: pytest.fail("sorted again"))
    second = Run(options, knowledge().version)
    figures = second.result(lambda phase, amount: None).figures
    assert second.resumed
    assert len(decided) == 3
    assert sorted(decided + again) == list(range(second.partitions))
    monkeypatch.undo()
    whole = Run(Options(folder, tmp_path / "other", AS_OF), knowledge().version)
    assert figures == whole.result(lambda phase, amount: None).figures


def test_other_input_is_refused(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", lines_of_patients(count=3))
    options = Options(folder, tmp_path / "out", AS_OF)
    Run(options, knowledge().version)
    assert Run(options, knowledge().version).resumed
    with pytest.raises(NotEmpty, match="other files, versions or options"):
        Run(options, "another version")
    with pytest.raises(NotEmpty, match="for 2026-06-15"):
        Run(Options(folder, tmp_path / "out", AS_OF.replace(day=16)), knowledge().version)
    (folder / "Patient.0.ndjson").write_bytes(b"{}\n")
    with pytest.raises(NotEmpty, match="other files"):
        Run(options, knowledge().version)


def test_existing_folder_is_refused(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", lines_of_patients(count=3))
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("mine")
    done = run("population", folder, "--out", out, DAY, "--workers", "1")
    assert done.code == 2
    assert "holds no interrupted run" in done.err
    assert (out / "report.json").read_text() == "mine"


def test_the_day_of_the_interrupted_run_stays(tmp_path: Path) -> None:
    """A run that began yesterday, for that day by default, does not go on for another day."""
    folder = export(tmp_path / "export", lines_of_patients(count=3))
    out = tmp_path / "out"
    Run(Options(folder, out, AS_OF), knowledge().version)
    run("population", folder, "--out", out, "--workers", "1", "--small-counts")
    report = json.loads((out / "report.json").read_text())
    assert figures_in(report)["asOf"] == AS_OF.isoformat()


@pytest.mark.parametrize("interrupted", [False, True])
def test_results_inside_the_export_are_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    folder = export(tmp_path / "export", lines_of_patients(count=3))
    words = ["population", folder, DAY, "--workers", "1", "--small-counts", "--decisions", "--out"]
    if interrupted:
        with monkeypatch.context() as patched:
            patched.setattr(running, "read_figures", lambda *_: pytest.fail("stopped here"))
            with pytest.raises(pytest.fail.Exception):
                run(*words, folder / "first")
    run(*words, folder / "first")
    earlier = folder / "first/report.json"
    run(*words, folder / "second", "--compare", earlier)
    assert (folder / "second/moved.ndjson").exists()
    run(*words, folder / "third")
    first, third = (json.loads((folder / name / "report.json").read_text()) for name in ("first", "third"))
    assert first == third
    assert not first["faults"]


@pytest.mark.parametrize(
    "name", ["sort_task", "store_medications", "_decide_partition", "read_figures", "page_of"]
)
def test_a_full_disk_ends_the_run_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In each phase; the same command goes on once there is room."""
    folder = export(tmp_path / "export", lines_of_patients(count=3))
    words = ["population", folder, "--out", tmp_path / "out", DAY, "--workers", "1", "--small-counts"]
    full: Exception = OSError(errno.ENOSPC, "No space left on device")
    if name == "store_medications":
        full = sqlite3.OperationalError("database or disk is full")
        write(folder, {"Medication.ndjson": line(resourceType="Medication", id="m1")})

    def stopped(*_: object, **__: object) -> None:
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(command if name == "page_of" else running, name, stopped)
        done = run(*words)
    assert done.code == 1
    assert str(full.args[-1]) in done.err
    assert "the same command goes on" in done.err
    done = run(*words)
    assert "going on with the interrupted run" in done.err
    assert (tmp_path / "out/report.json").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export(tmp_path / "export", lines_of_patients(count=3))
    (tmp_path / "file").write_text("")
    done = run("population", folder, "--out", tmp_path / "file/out", DAY, "--workers", "1")
    assert done.code == 2
    assert "cannot be written: Not a directory" in done.err
