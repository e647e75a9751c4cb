"""Faults of an export are named with file and line, and counted; the rest goes on. Exit codes as evaluate."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.command_line.running import Ran, run
from tests.population.exports import DAY, line, patient, reported, twitch, write

GOOD: dict[str, Any] = {
    "Patient.ndjson": patient("p1") + patient("p2"),
    "Condition.ndjson": twitch("p1"),
    "Observation.ndjson": line(
        resourceType="Observation", id="o1", status="final", subject={"reference": "Patient/p2"}
    ),
}


def ran(tmp_path: Path, files: dict[str, Any], *words: str, **environ: str) -> tuple[Ran, dict[str, Any]]:
    folder, out = write(tmp_path / "export", files), tmp_path / "out"
    done = run("population", folder, "--out", out, DAY, "--workers", "1", "--small-counts", *words, **environ)
    path = out / "report.json"
    return done, json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def test_good(tmp_path: Path) -> None:
    done, report = ran(tmp_path, GOOD, "--decisions")
    assert report["cards"]["count"] == 1
    assert report["patients"]["total"] == 2
    assert not report["faults"]
    assert done.code == {"info": 0, "warning": 3, "critical": 4}[_level(report)]
    decisions = [json.loads(text) for text in (tmp_path / "out/decisions.ndjson").read_text().splitlines()]
    assert {one["patient"]: one["level"] for one in decisions} == {"p1": _level(report), "p2": "none"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "decisions.ndjson",
        "report.html",
        "report.json",
        "site_codes_draft.json",
    ]


def _level(report: dict[str, Any]) -> str:
    return next(level for level, count in report["cards"]["levels"].items() if count and level != "none")


def test_fail_on(tmp_path: Path) -> None:
    done, _ = ran(tmp_path, GOOD, "--fail-on", "never")
    assert done.code == 0


FAULTS = {
    "broken line": ("Condition.ndjson", twitch("p1") + b'{"resourceType": "Condition", \n', 2, 1),
    "not UTF-8": ("Condition.ndjson", twitch("p1") + b'{"resourceType": "Condition", "id": "\xff"}\n', 2, 1),
    "a list": ("Condition.ndjson", twitch("p1") + b"[1]\n", 2, 1),
    "no type": ("Condition.ndjson", b"\n" + twitch("p1") + line(id="x"), 3, 1),
    "unknown type": ("Condition.ndjson", line(resourceType="Twitch", id="x") + twitch("p1"), 1, None),
    "duplicate id": ("More.ndjson", twitch("p1"), 1, None),
    "no patient": ("More.ndjson", line(resourceType="Condition", id="c9"), 1, 1),
    "a group": (
        "More.ndjson",
        line(resourceType="Condition", id="c9", subject={"reference": "Group/p1"}),
        1,
        1,
    ),
    "another patient": ("More.ndjson", twitch("p9", "c9"), 1, 1),
    "Bundle": ("More.ndjson", twitch("p1", "c8") + line(resourceType="Bundle", entry=[]), 2, 1),
    "Patient without id": (
        "Patient.ndjson",
        patient("p1") + patient("p2") + line(resourceType="Patient"),
        3,
        1,
    ),
    "too long": ("More.ndjson", line(resourceType="Condition", id="c8", note=["x" * 2_000_000]), 1, 1),
}
NAMES = {
    "not UTF-8": "broken line",
    "a list": "broken line",
    "no type": "no resourceType",
    "unknown type": "unknown resource type",
    "no patient": "names no patient",
    "a group": "names no patient",
    "another patient": "its patient is not in the export",
    "too long": "line too long",
}


@pytest.mark.parametrize("sort", FAULTS)
def test_fault(tmp_path: Path, sort: str) -> None:
    name, content, number, code = FAULTS[sort]
    fault = NAMES.get(sort, sort)
    done, report = ran(tmp_path, {**GOOD, name: content}, MAX_BODY_BYTES="1000000")
    assert report["faults"] == {fault: {"count": 1, "places": [[name, number]]}}
    assert f"{name}:{number}: {fault}\n" in done.err
    assert done.code == code if code else done.code in (0, 3, 4)
    assert report["cards"]["count"] == 1
    assert report["patients"]["total"] == 2


def test_orphans_are_counted_by_type(tmp_path: Path) -> None:
    _, report = ran(
        tmp_path, {**GOOD, "More.ndjson": twitch("p8") + twitch("p9") + line(resourceType="Observation")}
    )
    assert report["orphans"] == {
        "its patient is not in the export": {"Condition": 2},
        "names no patient": {"Observation": 1},
    }


def test_line_numbers_across_tasks(tmp_path: Path) -> None:
    lines = [twitch("p1", f"c{number}") for number in range(200)]
    lines[150] = b"{\n"
    folder = write(tmp_path / "export", {**GOOD, "Condition.ndjson": lines})
    report = reported(folder, tmp_path / "out", task_bytes=5_000)
    assert report["faults"]["broken line"]["places"] == [["Condition.ndjson", 151]]


def test_truncated_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(twitch("p1", f"c{number}") for number in range(2_000)))
    folder = write(tmp_path / "export", {**GOOD})
    (folder / "Condition.ndjson").unlink()
    (folder / "Condition.ndjson.gz").write_bytes(whole[: len(whole) - 20])
    out = tmp_path / "out"
    done = run("population", folder, "--out", out, DAY, "--workers", "1", "--small-counts")
    report = json.loads((out / "report.json").read_text())
    fault = report["faults"]["gzip truncated"]
    assert done.code == 1
    assert fault["count"] == 1
    assert fault["places"][0][0] == "Condition.ndjson.gz"
    assert report["cards"]["count"] == 1


def test_large_record(tmp_path: Path) -> None:
    """A record of 100 MB is not decided, and named by its largest line; the other patient is."""
    big = [
        line(resourceType="Observation", id=f"b{n}", subject={"reference": "Patient/p2"}, note="x" * 999_000)
        for n in range(100)
    ]
    done, report = ran(tmp_path, {**GOOD, "Observation.ndjson": big})
    assert report["patients"]["refused"] == {"record too large": 1}
    assert report["faults"]["record too large"]["places"][0][0] == "Observation.ndjson"
    assert report["cards"]["count"] == 1
    assert done.code == 1


def test_missing_type_is_no_all_clear(tmp_path: Path) -> None:
    """Without any Observation in the export, nothing says that a patient does not twitch."""
    files = {name: content for name, content in GOOD.items() if name != "Observation.ndjson"}
    done, report = ran(tmp_path, files)
    assert report["patients"]["gates"] == {"open": 1, "unseen": 1}
    assert done.code == 1


def test_medication_of_no_patient(tmp_path: Path) -> None:
    """A Medication that a request refers to is found in its own file, as /evaluate finds it in a Bundle."""
    codes = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "x-unknown"}]}
    request = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": "Medication/m1"},
    }
    files = {
        **GOOD,
        "Medication.ndjson": line(resourceType="Medication", id="m1", code=codes)
        + line(resourceType="Medication", id="m2", code=codes),
        "MedicationRequest.ndjson": line(**request),
    }
    _, report = ran(tmp_path, files)
    assert [(one["code"], one["resources"]) for one in report["unknownCodes"]["Medication"]["codes"]] == [
        ("x-unknown", 1)
    ]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "holds no .ndjson"),
        ({"notes.txt": b"x"}, "holds no .ndjson"),
        ({"Patient.ndjson": b""}, "holds no .ndjson"),
        ({"Condition.ndjson": twitch("p1")}, "holds no Patient"),
    ],
)
def test_no_export(tmp_path: Path, files: dict[str, bytes], why: str) -> None:
    done, _ = ran(tmp_path, files)
    assert done.code == 2
    assert why in done.err
    assert not (tmp_path / "out").exists()


def test_small_counts_are_hidden(tmp_path: Path) -> None:
    people = b"".join(patient(f"p{number}") for number in range(40))
    folder = write(tmp_path / "export", {**GOOD, "Patient.ndjson": people})
    run("population", folder, "--out", tmp_path / "out", DAY, "--workers", "1")
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["cards"]["count"] is None
    assert report["cards"]["perThousand"] is None
    # 39 would tell that it is 1.
    assert report["cards"]["levels"]["none"] is None
    assert all(one["count"] is None for one in report["rows"])
    assert "hidden" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_nothing_of_a_patient_in_the_report(tmp_path: Path) -> None:
    name = {"name": [{"family": "Zwickelhuber"}], "identifier": [{"value": "MRN-4711"}]}
    ran(
        tmp_path,
        {
            **GOOD,
            "Patient.ndjson": patient("p1-secret", **name) + patient("p2"),
            "Condition.ndjson": twitch("p1-secret"),
        },
    )
    for file in (tmp_path / "out").iterdir():
        text = file.read_text(encoding="utf-8")
        assert not any(secret in text for secret in ("Zwickelhuber", "4711", "p1-secret"))


def test_the_name_of_a_file_may_be_no_utf_8(tmp_path: Path) -> None:
    folder = write(tmp_path / "export", GOOD)
    (folder / os.fsdecode(b"\xe9.ndjson")).write_bytes(b"{broken\n")
    done = run("population", folder, "--out", tmp_path / "out", DAY, "--workers", "1")
    report = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert done.code == 1
    assert [os.fsencode(file) for file, _ in report["faults"]["broken line"]["places"]] == [b"\xe9.ndjson"]
