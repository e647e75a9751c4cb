"""What a population run costs: python -m tools.bench.population EXPORT (of tools.synthetic_export).

CPU time, because other processes share the machine. "In process" is the cost of deciding one patient whose
resources are in memory (`patient_row`), by bytes of a sample of the export: each is met once, as in a run,
after as many others.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from fhir_mappings.request.export_lines import read_line
from service.evaluation import Evaluator
from service.knowledge import load_knowledge
from service.population.export_files import files_in, lines_of, tasks_of
from service.population.patient_row import Study, patient_row
from service.population.run import Options, Run, cores
from service.population.spark import SparkRun, decided_lines, read_lines, session
from tests.vignettes.patient import AS_OF

_SAMPLED = 1600
_MOST_BYTES = 1 << 30


Patient = tuple[str, list[bytes]]


def sample(folder: Path, patients: int) -> list[Patient]:
    """Id and lines of about that many patients of the export."""
    count = 0
    for task in tasks_of([file for file in files_in(folder) if file.name.startswith("Patient.")]):
        count += sum(1 for _ in lines_of(folder, task, _MOST_BYTES))
    share = max(1, count // patients)
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for task in tasks_of(files_in(folder)):
        for line in lines_of(folder, task, _MOST_BYTES):
            if line and (owner := read_line(line).owner) and crc32(owner.encode()) % share == 0:
                found[owner].append(line)
    return list(found.items())


def cpu_s(work: Callable[[str, list[bytes]], object], patients: Sequence[Patient]) -> float:
    """CPU time in s for each byte, of the second half of the patients."""
    half = len(patients) // 2
    for patient in patients[:half]:
        work(*patient)
    start = time.process_time()
    for patient in patients[half:]:
        work(*patient)
    took = time.process_time() - start
    return took / sum(len(line) for _, lines in patients[half:] for line in lines)


class Cost(NamedTuple):
    """cpu, wall: in s. worker, parent: most memory in MB, of any worker and of the process that merges."""

    patients: int
    bytes: int
    cpu: float
    wall: float
    worker: float
    parent: float


def whole_run(folder: Path, as_of: date, workers: int) -> Cost:
    """What a run over the export costs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    own, wall = time.process_time(), time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder.parent) as out:
        options = Options(folder, Path(out) / "out", as_of, workers)
        result = Run(options, load_knowledge().version).result(lambda phase, amount: None)
    # What a worker used is counted once it has been waited for.
    for child in multiprocessing.active_children():
        child.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cpu = children + time.process_time() - own
    parent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    patients = result.figures["patients"]
    wall = time.monotonic() - wall
    return Cost(patients, result.bytes, cpu, wall, after.ru_maxrss / 1024, parent / 1024)


def spark_run(folder: Path, as_of: date, master: str) -> None:
    """Print the plan of a run on Spark, and its wall time."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as out, session(master) as spark:
        run = SparkRun(Options(folder, Path(out) / "out", as_of), load_knowledge().version, master)
        lines = read_lines(spark, folder.resolve(), run.tasks, run.options.most_bytes)
        decided_lines(lines, run.setting(spark, frozenset(("Medication",))), run.partitions).explain()
        wall = time.monotonic()
        patients = run.result().figures["patients"]
        print(f"Spark {spark.version}, {master}: {patients} patients in {time.monotonic() - wall:.0f} s")


def main() -> None:
    """Print the figures of docs/population.md."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.population", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=max(2, cores()))
    parser.add_argument("--spark", metavar="MASTER", help="a run on Spark instead, and its plan")
    asked = parser.parse_args()
    if asked.spark:
        return spark_run(asked.folder, AS_OF, asked.spark)
    cost = whole_run(asked.folder, AS_OF, asked.workers)
    per_patient = 1000 * cost.cpu / cost.patients
    size = f"{cost.patients} patients, {cost.bytes / 1e6:.0f} MB"
    print(f"{size}, {asked.workers} workers: {cost.wall:.0f} s")
    print(f"CPU of the run: {cost.cpu:.0f} s, {per_patient:.2f} ms a patient")
    print(f"most memory: {cost.worker:.0f} MB a worker, {cost.parent:.0f} MB the parent")
    found = sample(asked.folder, _SAMPLED)
    kinds = frozenset(read_line(line).kind for _, lines in found for line in lines)
    study = Study(Evaluator(load_knowledge(), ""), AS_OF, kinds)
    scale = 1000 * cost.bytes / cost.patients
    alone = scale * cpu_s(lambda name, lines: patient_row(name, lines, study), found)
    print(
        f"in process: {alone:.2f} ms a patient; the run reaches {alone / per_patient:.0%} of that throughput"
    )
    try:
        loads = importlib.import_module("orjson").loads
    except ImportError:
        print("orjson is not installed: no ratio")
        return
    parsed = scale * cpu_s(lambda _, lines: [loads(line) for line in lines], found)
    print(f"orjson.loads of the lines: {parsed:.2f} ms a patient; the run: {per_patient / parsed:.1f} times")


if __name__ == "__main__":
    main()
