"""A run on Apache Spark: the tasks of a local run, one shuffle by patient, the same reading and decisions.

Spark's executors must see the folder of the export under the same path, and have this package installed.
"""

from __future__ import annotations

import gc
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fhir_mappings.resources.budget import Budget
from service import __version__
from service.evaluation import Evaluator, today
from service.knowledge import HERE, load_knowledge
from service.population.deciding import PatientLines, decided, decision_line
from service.population.export_files import DECISIONS, Task, files_in, tasks_of
from service.population.figures import Figures, add, merged
from service.population.patient_row import Study
from service.population.run import (
    NotEmpty,
    Options,
    Progress,
    Result,
    name_places,
    partitions_of,
    types_of,
)
from service.population.sorting import Sorted, Summary, new_summary, sorted_lines

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame, SparkSession

    Rows = Iterator[tuple[Any, ...]]

INSTALL = "pip install 'fasciculation-cds[spark]'"
# Columns of a line (those of Sorted), or of the summary of a task; and of what a partition says.
_NAMES = dict.fromkeys(("owner", "kind", "id", "medicine"), "string")
_LINE = {**_NAMES, "task": "int", "number": "int", "raw": "binary"}
_READ = {**_LINE, "summary": "string"}
_DECIDED = {"decision": "string", "figures": "string"}
_BATCH_BYTES, _BATCH_ROWS = 8 * 1024 * 1024, 4096
_SETTINGS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(_BATCH_ROWS),
    "spark.sql.execution.arrow.maxBytesPerBatch": str(_BATCH_BYTES),
}
# On one machine nothing listens to others.
_LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
}


class NoSpark(Exception):
    """Spark cannot be used, or ended the run. The message says why."""


@dataclass(frozen=True)
class KnowledgeFiles:
    """What load_knowledge reads, by path from its folder on: executors need no folder of the driver.

    codes: the file of the site's own codes.
    """

    version: str
    shipped: Mapping[str, bytes]
    overlay: Mapping[str, bytes] | None
    codes: bytes | None

    @classmethod
    def of(cls, folders: tuple[Path | None, Path | None, Path | None], version: str) -> KnowledgeFiles:
        folder, overlay, codes = folders
        return cls(
            version,
            _content(folder or HERE),
            None if overlay is None else _content(overlay),
            None if codes is None else codes.read_bytes(),
        )

    def evaluator(self) -> Evaluator:
        """Load the knowledge. Raises RuntimeError if it is not that of the driver."""
        with TemporaryDirectory() as name:
            shipped, overlay, codes = (Path(name) / one for one in ("shipped", "overlay", "site_codes.json"))
            _write(shipped, self.shipped)
            _write(overlay, self.overlay or {})
            codes.write_bytes(self.codes or b"")
            knowledge = load_knowledge(
                shipped,
                None if self.overlay is None else overlay,
                None if self.codes is None else codes,
            )
        if knowledge.version != self.version:
            raise RuntimeError("the knowledge of this executor is not that of the driver")
        return Evaluator(knowledge, "")


def _content(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@dataclass(frozen=True)
class Setting:
    """How every executor decides. knowledge: a broadcast of KnowledgeFiles; version: of this package."""

    knowledge: Any
    version: str
    as_of: date
    types: frozenset[str]
    whole: bool
    limits: Budget
    most_bytes: int
    decisions: bool


class SparkRun:
    """One run on a Spark cluster, or on this machine for a master such as local[2]. It cannot be resumed.

    Args:
        shows: Let Spark show its progress on stderr.

    Raises:
        NoExport: The folder of the export has no files.
        NotEmpty: The folder for the results holds something.
    """

    resumed = False

    def __init__(self, options: Options, knowledge_version: str, master: str, *, shows: bool = False) -> None:
        self.options, self._version = options, knowledge_version
        self._master, self._shows = master, shows
        self.files = files_in(options.export)
        self.tasks = tasks_of(self.files, options.task_bytes)
        self.partitions = partitions_of(self.files, options.partition_bytes, 1)
        self.as_of = options.as_of or today()
        if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
            raise NotEmpty(f"{options.out} exists and is not empty: name another folder")

    def result(self, _: Progress | None = None) -> Result:
        """Read, decide and merge the figures. Raises NoExport and NoSpark."""
        with session(self._master, shows=self._shows) as spark, ExitStack() as stack:
            total, summaries = self._figures(spark, stack)
        name_places(total, self.tasks, summaries)
        return Result(total, self.as_of, len(self.files), sum(file.bytes for file in self.files))

    def clear(self) -> None:
        """Spark removes what it wrote."""

    def _figures(self, spark: SparkSession, stack: ExitStack) -> tuple[Figures, list[Summary]]:
        from pyspark import StorageLevel

        def kept(frame: DataFrame) -> DataFrame:
            """On the disks of the executors until the run ends: it is used more than once."""
            stack.callback(frame.unpersist)
            return frame.persist(StorageLevel.DISK_ONLY)

        options = self.options
        lines = kept(read_lines(spark, options.export.resolve(), self.tasks, options.most_bytes))
        found = lines.where("summary IS NOT NULL").select("task", "summary").collect()
        summaries: list[Summary] = [json.loads(row.summary) for row in sorted(found, key=itemgetter(0))]
        total = merged(summary["figures"] for summary in summaries)
        types = types_of(total, options.export)
        partitions = max(self.partitions, spark.sparkContext.defaultParallelism)
        made = kept(decided_lines(lines, self.setting(spark, types), partitions))
        for row in merged_figures(made, partitions).collect():
            add(total, json.loads(row.figures))
        options.out.mkdir(parents=True, exist_ok=True)
        if options.decisions:
            with (options.out / DECISIONS).open("w", encoding="utf-8") as file:
                file.writelines(row.decision for row in made.where("figures IS NULL").toLocalIterator())
        return total, summaries

    def setting(self, spark: SparkSession, types: frozenset[str]) -> Setting:
        """What the executors need."""
        options = self.options
        files = KnowledgeFiles.of(options.folders, self._version)
        return Setting(
            spark.sparkContext.broadcast(files),
            __version__,
            self.as_of,
            types,
            options.whole,
            options.limits,
            options.most_bytes,
            options.decisions,
        )


@contextmanager
def session(master: str, *, shows: bool = False) -> Iterator[SparkSession]:
    """A Spark session; one that is there already stays. Raises NoSpark, also where Spark fails inside."""
    try:
        import pyarrow  # noqa: F401 - for the functions that run on executors
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise NoSpark(f"--spark needs {error.name}: {INSTALL}") from None
    is_local = master.startswith("local")
    if is_local:
        # The programs that Spark starts run in the environment of this one.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("fasciculation-cds population")
    settings = {**_SETTINGS, "spark.ui.showConsoleProgress": str(shows).lower()}
    for name, value in {**settings, **(_LOCAL if is_local else {})}.items():
        builder = builder.config(name, value)
    before = SparkSession.getActiveSession()
    try:
        spark = builder.getOrCreate()
    except (PySparkException, Py4JError, OSError) as error:
        raise NoSpark(
            f"Spark did not start for {master} ({type(error).__name__}): it needs Java 17 or newer, and a"
            " master that answers"
        ) from None
    try:
        yield spark
    except (PySparkException, Py4JError) as error:
        # The message may hold lines of the export.
        raise NoSpark(f"Spark ended the run ({type(error).__name__}): its log says why") from None
    finally:
        if before is None:
            spark.stop()


def read_lines(spark: SparkSession, export: Path, tasks: Sequence[Task], most_bytes: int) -> DataFrame:
    """The lines of the export, a partition for each task, and the summary of each task behind its lines."""

    def read(batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
        of_tasks = (_read(tasks[number], export, most_bytes) for (number,) in _rows(batches))
        return _batches(chain.from_iterable(of_tasks), _READ)

    return spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(read, _ddl(_READ))


def _read(task: Task, export: Path, most_bytes: int) -> Rows:
    if not (export / task.file).exists():
        # Not a fault of the export: Spark tries again elsewhere, and ends the run if that fails too.
        raise RuntimeError(f"this executor does not see {task.file} of the export under the driver's path")
    summary = new_summary()
    for line in sorted_lines(task, export, most_bytes, summary):
        yield (*line, None)
    yield (*(None for _ in _NAMES), task.number, None, None, json.dumps(summary))


def decided_lines(lines: DataFrame, setting: Setting, partitions: int) -> DataFrame:
    """Decide every patient: the figures of each partition, and the decisions where they are asked for."""
    from pyspark.sql import functions

    lines = lines.where("summary IS NULL").select(*_LINE)
    of_patients = lines.where("owner != ''")
    if "Medication" in setting.types:
        # Those of a hospital are of no patient, and few.
        # Of two with one id the same is kept, whatever the order of the files.
        name = functions.concat(functions.lit("Medication/"), "id")
        medications = (
            lines.where("owner = '' AND kind = 'Medication'")
            .groupBy(name.alias("medicine"))
            .agg(functions.max("raw").alias("medication"))
        )
        of_patients = of_patients.join(functions.broadcast(medications), "medicine", "left")
    else:
        of_patients = of_patients.withColumn("medication", functions.lit(None).cast("binary"))

    def decide(batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
        return _batches(_decide(_rows(batches), setting), _DECIDED)

    return (
        of_patients.select(*_LINE, "medication")
        .repartition(partitions, "owner")
        .sortWithinPartitions("owner")
        .mapInArrow(decide, _ddl(_DECIDED))
    )


def merged_figures(made: DataFrame, partitions: int) -> DataFrame:
    """The figures of all partitions in few rows: those of 20,000 would fill the driver."""

    def merge(batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
        total = merged(json.loads(figures) for (figures,) in _rows(batches))
        return _batches(iter([(json.dumps(total),)]), {"figures": "string"})

    figures = made.where("figures IS NOT NULL").select("figures")
    return figures.repartition(max(math.isqrt(partitions), 1)).mapInArrow(merge, "figures string")


def _decide(rows: Rows, setting: Setting) -> Rows:
    """The decisions of the patients of a partition, whose lines stand together, then the figures."""
    study = _study(setting)
    figures: Figures = {}
    for owner, of_owner in groupby(rows, key=itemgetter(0)):
        patient, medications = PatientLines(setting.most_bytes), {}
        for *line, medication in of_owner:
            patient.add(read := Sorted(*line))
            if medication is not None:
                medications[read.medicine] = medication
        row = decided(owner, patient, list(medications.values()), study, figures)
        if setting.decisions and row is not None:
            yield decision_line(row), None
    yield None, json.dumps(figures)


# The last one, because Spark uses a Python process for many partitions.
_studies: dict[tuple[Any, ...], Study] = {}


def _study(setting: Setting) -> Study:
    """Load the knowledge, once in each Python process of an executor."""
    if setting.version != __version__:
        raise RuntimeError(f"this executor has version {__version__}, the driver {setting.version}")
    files: KnowledgeFiles = setting.knowledge.value
    key = (files.version, setting.as_of, setting.types, setting.whole, setting.limits)
    if key not in _studies:
        _studies.clear()
        _studies[key] = Study(files.evaluator(), setting.as_of, setting.types, setting.whole, setting.limits)
        # The knowledge stays: the collector need not visit it again and again.
        gc.freeze()
    return _studies[key]


def _rows(batches: Iterable[RecordBatch]) -> Rows:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _batches(rows: Rows, columns: Mapping[str, str]) -> Iterator[RecordBatch]:
    """Rows in batches of bounded size, so that Python never holds many of the large ones."""
    import pyarrow

    types = {"binary": pyarrow.binary(), "string": pyarrow.string(), "int": pyarrow.int32()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    held: list[tuple[Any, ...]] = []
    size = 0
    for row in rows:
        held.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if size >= _BATCH_BYTES or len(held) == _BATCH_ROWS:
            yield _batch(held, schema)
            held, size = [], 0
    if held:
        yield _batch(held, schema)


def _batch(rows: Sequence[tuple[Any, ...]], schema: Any) -> RecordBatch:
    import pyarrow

    columns = zip(*rows, strict=True)
    arrays = [pyarrow.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def _ddl(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
