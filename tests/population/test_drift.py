"""Two reports beside each other: what changed, and who moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.command_line.commands import commands
from tests.population.exports import DAY, export, knowledge, line, lines_of_patients, patient, twitch, write

IDS = [f"p{number}" for number in range(8)]


def run(folder: Path, out: Path, *more: str) -> Result:
    arguments = ["population", str(folder), f"--out={out}", DAY, "--workers=1", "--decisions", *more]
    return CliRunner().invoke(commands, arguments)


def report_in(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The first six of eight patients twitch; then one is gone, one is cured, and a seventh twitches."""
    folder = tmp_path_factory.mktemp("drift")
    # Without any Observation no patient without a twitch is decided.
    owner = {"reference": f"Patient/{IDS[7]}"}
    other = line(resourceType="Observation", id="o", status="final", code={"text": "pulse"}, subject=owner)
    before = [patient(name) for name in IDS] + [twitch(name, f"c-{name}") for name in IDS[:6]] + [other]
    now = [patient(name) for name in IDS[1:]] + [twitch(name, f"c-{name}") for name in IDS[2:7]] + [other]
    return write(folder / "before", {"a.ndjson": before}), write(folder / "now", {"a.ndjson": now})


def test_what_changed_and_who_moved(exports: tuple[Path, Path], tmp_path: Path) -> None:
    before, now = exports
    assert run(before, tmp_path / "1", "--small-counts").exit_code in (0, 3, 4)
    done = run(now, tmp_path / "2", "--small-counts", f"--compare={tmp_path / '1' / 'report.json'}")
    assert done.exit_code in (0, 3, 4), done.output
    compared = report_in(tmp_path / "2")["compared"]
    was = report_in(tmp_path / "1")
    level = next(name for name, count in was["cards"]["levels"].items() if count == 6)
    assert compared["with"] == {name: was[name] for name in ("service", "knowledge", "asOf")}
    assert compared["patients"] == {"before": 8, "now": 7}
    assert compared["cards"] == {"before": 750.0, "now": round(5000 / 7, 2)}
    assert compared["moved"] == {f"none>{level}": 1, f"{level}>absent": 1, f"{level}>none": 1}
    lines = (tmp_path / "2" / "moved.ndjson").read_text(encoding="utf-8").splitlines()
    assert sorted(tuple(json.loads(line).values()) for line in lines) == [
        ("p0", level, "absent"),
        ("p1", level, "none"),
        ("p6", "none", level),
    ]
    assert str(tmp_path / "2" / "moved.ndjson") in done.output
    page = (tmp_path / "2" / "report.html").read_text(encoding="utf-8")
    assert "What changed" in page
    assert "moved.ndjson" in page
    assert not [name for name in IDS if f">{name}<" in page]


def test_the_same_export_changes_nothing(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", lines_of_patients())
    run(folder, tmp_path / "1")
    run(folder, tmp_path / "2", f"--compare={tmp_path / '1' / 'report.json'}")
    compared = report_in(tmp_path / "2")["compared"]
    assert (compared["rows"], compared["moved"]) == ([], {})
    assert compared["cards"]["before"] == compared["cards"]["now"]
    assert (tmp_path / "2" / "moved.ndjson").read_text(encoding="utf-8") == ""


def test_a_row_off_is_seen(
    exports: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = exports
    run(before, tmp_path / "1", "--small-counts")
    row = report_in(tmp_path / "1")["rows"][0]
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "decision_table.yaml").write_text(f"rows_off: [{row['row']}]\n", encoding="utf-8")
    monkeypatch.setenv("KNOWLEDGE_OVERLAY", str(overlay))
    done = run(before, tmp_path / "2", "--small-counts", f"--compare={tmp_path / '1' / 'report.json'}")
    assert done.exit_code in (0, 3, 4), done.output
    compared = report_in(tmp_path / "2")["compared"]
    assert compared["with"]["knowledge"] == knowledge().version != report_in(tmp_path / "2")["knowledge"]
    (changed,) = [one for one in compared["rows"] if one["row"] == row["row"]]
    assert (changed["before"], changed["now"]) == (row["perThousand"], 0.0)


def test_small_moves_are_hidden_and_decisions_are_needed(exports: tuple[Path, Path], tmp_path: Path) -> None:
    before, now = exports
    run(before, tmp_path / "1")
    run(now, tmp_path / "2", f"--compare={tmp_path / '1' / 'report.json'}")
    assert set(report_in(tmp_path / "2")["compared"]["moved"].values()) == {None}
    (tmp_path / "1" / "decisions.ndjson").unlink()
    run(now, tmp_path / "3", f"--compare={tmp_path / '1' / 'report.json'}")
    assert "moved" not in report_in(tmp_path / "3")["compared"]
    assert not (tmp_path / "3" / "moved.ndjson").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "name a report.json"), ("[]", "of shape 1"), ('{"shape": 2}', "of shape 1")],
)
def test_what_is_no_report_is_refused_before_the_run(
    exports: tuple[Path, Path], tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    done = run(exports[0], tmp_path / "out", f"--compare={path}")
    assert done.exit_code == 2
    assert says in done.output
    assert not (tmp_path / "out").exists()


def test_broken_decisions_are_refused(exports: tuple[Path, Path], tmp_path: Path) -> None:
    run(exports[0], tmp_path / "1")
    (tmp_path / "1" / "decisions.ndjson").write_text('{"patient": "p0"}\n', encoding="utf-8")
    done = run(exports[0], tmp_path / "2", f"--compare={tmp_path / '1' / 'report.json'}")
    assert done.exit_code == 2
    assert "decisions.ndjson" in done.output
