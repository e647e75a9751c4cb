"""On Spark: the figures of a local run, with one shuffle, and errors in words."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from service.knowledge import load_knowledge
from service.population.figures import merged
from service.population.run import NotEmpty, Options, Result, Run
from service.population.spark import (
    KnowledgeFiles,
    NoSpark,
    SparkRun,
    decided_lines,
    merged_figures,
    read_lines,
    session,
)
from tests.command_line.running import run
from tests.knowledge.test_site_codes import concept_map
from tests.population.exports import (
    AS_OF,
    DAY,
    export,
    knowledge,
    line,
    lines_of_patients,
    patient,
    twitch,
    write,
)
from tools.synthetic_export import write_export

MASTER = "local[2]"
PATIENTS = 20_000
OFF = "new-after-60"

on_spark = pytest.mark.skipif(find_spec("pyspark") is None, reason="needs Spark; run: make test-population")


@pytest.fixture(scope="module", autouse=True)
def _one_session() -> Iterator[None]:
    """Spark takes seconds to start: one for all tests here."""
    if find_spec("pyspark") is None:
        yield
        return
    with session(MASTER):
        yield


def both(folder: Path, out: Path, **options: Any) -> tuple[Result, Result]:
    """The results of Spark and of a local run."""
    found = []
    for name in ("spark", "local"):
        asked = Options(folder, out / name, AS_OF, **options)
        version = knowledge().version
        one = SparkRun(asked, version, MASTER) if name == "spark" else Run(asked, version)
        found.append(one.result(lambda phase, amount: None))
    return found[0], found[1]


def plain(result: Result) -> Any:
    return json.loads(json.dumps(result.figures))


@on_spark
def test_twenty_thousand_patients(tmp_path: Path) -> None:
    """Records of few resources, each spread over files; more than eight partitions on both sides."""
    folder = tmp_path / "export"
    write_export(folder, PATIENTS, usual=3, files=3, processes=2)
    sizes = {"task_bytes": 4_000_000, "partition_bytes": 4_000_000}
    planned = SparkRun(Options(folder, tmp_path / "none", AS_OF, **sizes), knowledge().version, MASTER)
    assert min(len(planned.tasks), planned.partitions) >= 8
    spark, local = both(folder, tmp_path, decisions=True, **sizes)
    assert local.figures["patients"] == PATIENTS
    assert local.figures["gates"]["open"] == PATIENTS // 50
    assert plain(spark) == plain(local)
    assert spark == local
    decisions = [
        (tmp_path / name / "decisions.ndjson").read_text().splitlines() for name in ("spark", "local")
    ]
    assert sorted(decisions[0]) == sorted(decisions[1])
    assert len(decisions[0]) == PATIENTS


@on_spark
@pytest.mark.parametrize("whole", [False, True])
def test_whole_records(tmp_path: Path, whole: bool) -> None:
    folder = export(tmp_path / "export", lines_of_patients(), files=3, suffix=".ndjson.gz")
    spark, local = both(folder, tmp_path, whole=whole)
    assert local.figures["notes"]
    assert spark == local


@on_spark
def test_every_fault_has_its_file_and_line(tmp_path: Path) -> None:
    """Also medicines that stand in Medications, of which two have one id."""

    def prescription(name: str, medicine: str) -> bytes:
        medication = {"reference": f"Medication/{medicine}"}
        return line(resourceType="MedicationRequest", id=name, status="active", intent="order",
                    subject={"reference": "Patient/p1"}, medicationReference=medication)  # fmt: skip

    note, large = [{"text": "x" * 9000}], {"reference": "Patient/large"}
    lines = [
        patient("p1"),
        twitch("p1"),
        patient("p1"),
        b"{broken\n",
        b"\n",
        line(id="x"),
        line(resourceType="Nothing"),
        line(resourceType="Account", id="a"),
        line(resourceType="Patient"),
        line(resourceType="Condition", id="c"),
        twitch("missing"),
        patient("large"),
        line(resourceType="Observation", id="o", subject=large, note=note),
        patient("odd\tid"),
        twitch("odd\tid"),
        prescription("r1", "m1"),
        prescription("r2", "none"),
        line(resourceType="Medication", id="m1", code={"text": "furosemide"}),
        line(resourceType="Medication", id="m1", code={"text": "another"}),
        line(resourceType="Medication"),
    ]
    random.Random(5).shuffle(lines)
    folder = write(
        tmp_path / "export", {"a.ndjson": lines[:9], "b.jsonl": lines[9:], "c.ndjson.gz": lines[:3]}
    )
    whole = (folder / "c.ndjson.gz").read_bytes()
    (folder / "c.ndjson.gz").write_bytes(whole[:-20])
    spark, local = both(
        folder, tmp_path, task_bytes=300, partition_bytes=1000, most_bytes=5000, decisions=True
    )
    assert len(local.figures["faults"]) >= 9
    assert spark == local


@on_spark
def test_the_lines_are_shuffled_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By patient; Medications, which are of no patient, are broadcast."""
    folder = export(tmp_path / "export", lines_of_patients(10))
    asked = SparkRun(Options(folder, tmp_path / "out", AS_OF), knowledge().version, MASTER)
    with session(MASTER) as spark:
        lines = read_lines(spark, folder, asked.tasks, 1_000_000)
        for types, exchanges in (({"Patient"}, 1), ({"Patient", "Medication"}, 2)):
            decided_lines(lines, asked.setting(spark, frozenset(types)), 8).explain()
            plan = capsys.readouterr().out
            shuffled = re.findall(r"\bExchange hashpartitioning\((\w+)", plan)
            assert len(shuffled) == exchanges, plan
            assert shuffled[0] == "owner"
            assert plan.count("BroadcastExchange") == exchanges - 1
            assert "REPARTITION_BY_NUM, " in plan


@on_spark
def test_the_command(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", lines_of_patients())
    words = ["population", str(folder), DAY, "--small-counts"]
    done = run(*words, "--out", str(tmp_path / "spark"), "--spark", MASTER)
    assert done.code == run(*words, "--out", str(tmp_path / "local")).code == 4
    for name in ("report.json", "report.html", "site_codes_draft.json"):
        assert (tmp_path / "spark" / name).read_text() == (tmp_path / "local" / name).read_text()


@on_spark
def test_no_patient(tmp_path: Path) -> None:
    folder = write(tmp_path / "export", {"a.ndjson": [twitch("p1")]})
    done = run("population", str(folder), "--out", str(tmp_path / "out"), "--spark", MASTER)
    assert done.code == 2
    assert "holds no Patient" in done.err
    assert not (tmp_path / "out").exists()


@on_spark
def test_an_executor_with_another_version_decides_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export(tmp_path / "export", lines_of_patients(2))
    monkeypatch.setattr("service.population.spark.__version__", "0.0.0")
    with pytest.raises(NoSpark, match="its log says why"):
        SparkRun(Options(folder, tmp_path / "out", AS_OF), knowledge().version, MASTER).result()


@on_spark
def test_an_executor_without_the_export_ends_the_run(tmp_path: Path) -> None:
    """It is no fault of the export that its folder is not mounted there."""
    folder = export(tmp_path / "export", lines_of_patients(2))
    asked = SparkRun(Options(folder, tmp_path / "out", AS_OF), knowledge().version, MASTER)
    (folder / "Patient.0.ndjson").rename(tmp_path / "elsewhere")
    with pytest.raises(NoSpark, match="its log says why"):
        asked.result()


@on_spark
def test_the_driver_gets_few_figures(tmp_path: Path) -> None:
    """The executors merge those of the partitions, so that they do not fill the driver."""
    folder = export(tmp_path / "export", lines_of_patients(10))
    asked = SparkRun(Options(folder, tmp_path / "out", AS_OF), knowledge().version, MASTER)
    with session(MASTER) as spark:
        lines = read_lines(spark, folder, asked.tasks, 1_000_000)
        made = decided_lines(lines, asked.setting(spark, frozenset({"Patient"})), 16)
        found = merged_figures(made, 16).collect()
    assert len(found) == 4
    assert merged(json.loads(row.figures) for row in found)["patients"] == 10


def test_results_that_are_there_are_kept(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", lines_of_patients(2))
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(NotEmpty):
        SparkRun(Options(folder, tmp_path, AS_OF), knowledge().version, MASTER)


@pytest.mark.skipif(find_spec("pyspark") is not None, reason="Spark is installed")
def test_without_the_extra(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", lines_of_patients(2))
    done = run("population", str(folder), "--out", str(tmp_path / "out"), "--spark", MASTER)
    assert done.code == 2
    assert "pip install 'fasciculation-cds[spark]'" in done.err
    assert not (tmp_path / "out").exists()


def test_knowledge_travels_with_overlay_and_codes(tmp_path: Path) -> None:
    overlay, codes = tmp_path / "overlay", tmp_path / "codes.json"
    overlay.mkdir()
    (overlay / "decision_table.yaml").write_text(f"rows_off: [{OFF}]\n", encoding="utf-8")
    codes.write_text(concept_map("potassium"), encoding="utf-8")
    site = load_knowledge(None, overlay, codes)
    files = KnowledgeFiles.of((None, overlay, codes), site.version)
    made = files.evaluator().knowledge
    assert [row.id for row in made.table.rows_off] == [OFF]
    assert made.site == site.site
    with pytest.raises(RuntimeError, match="not that of the driver"):
        KnowledgeFiles.of((None, overlay, None), files.version).evaluator()
