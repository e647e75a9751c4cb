"""A run over a whole export: sort, decide, merge; every step on all cores, and resumed where it ended."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fhir_mappings.resources.budget import Budget
from service import __version__
from service.evaluation import Evaluator, today
from service.knowledge import load_knowledge
from service.population.deciding import (
    Deciding,
    decisions_path,
    figures_path,
    read_figures,
    store_medications,
)
from service.population.export_files import (
    DECISIONS,
    TASK_BYTES,
    ExportFile,
    NoExport,
    Task,
    files_in,
    tasks_of,
)
from service.population.figures import Figures, add, merged
from service.population.patient_row import Study
from service.population.sorting import Sorting, Summary, sort_task, summary_path, write_json

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")
R = TypeVar("R")

UNFINISHED = "unfinished"
_RUN = "run.json"
# Bytes of lines in a partition, and how much larger than a gzip file its content may be.
PARTITION_BYTES = 32 * 1024 * 1024
_GZIP_FACTOR = 12
_MAX_PARTITIONS = 20_000

# Phase and bytes that are done.
Progress = Callable[[str, int], None]


class NotEmpty(Exception):
    """The folder for the results is not free. The message says why."""


@dataclass(frozen=True)
class Options:
    """What a run is asked for.

    as_of: None: the day of the run that it goes on with, else today.
    folders: of the knowledge, its overlay and the site's codes, as load_knowledge takes them.
    """

    export: Path
    out: Path
    as_of: date | None = None
    workers: int = 1
    decisions: bool = False
    whole: bool = False
    folders: tuple[Path | None, Path | None, Path | None] = (None, None, None)
    limits: Budget = field(default_factory=Budget)
    most_bytes: int = 16 * 1024 * 1024
    task_bytes: int = TASK_BYTES
    partition_bytes: int = PARTITION_BYTES


@dataclass(frozen=True)
class Result:
    """figures: of all patients; places of faults are [file, line]. as_of: the day of the decisions."""

    figures: Figures
    as_of: date
    files: int
    bytes: int


class Run:
    """One run, or the rest of an interrupted one.

    Raises:
        NoExport: The folder of the export has no files.
        NotEmpty: The folder for the results holds something else.
    """

    def __init__(self, options: Options, knowledge_version: str) -> None:
        self.options = options
        self.work = options.out / UNFINISHED
        self.files = files_in(options.export)
        self.tasks = tasks_of(self.files, options.task_bytes)
        self.partitions = partitions_of(self.files, options.partition_bytes, options.workers)
        identity = {
            "files": [[file.name, file.bytes, file.changed] for file in self.files],
            "versions": [__version__, knowledge_version],
            "options": [options.decisions, options.whole, options.most_bytes, repr(options.limits)],
            "sizes": [options.task_bytes, options.partition_bytes],
        }
        before = self._before(identity)
        self.resumed = before is not None
        self.as_of = date.fromisoformat(before["asOf"]) if before else options.as_of or today()
        if before:
            self.partitions = before["partitions"]
            return
        self.work.mkdir(parents=True, exist_ok=True)
        run = {**identity, "asOf": self.as_of.isoformat(), "partitions": self.partitions}
        write_json(self.work / _RUN, run)

    def _before(self, identity: dict[str, Any]) -> dict[str, Any] | None:
        """The run that was interrupted, None if the folder is free."""
        out, as_of = self.options.out, self.options.as_of
        if not out.exists():
            return None
        if out.is_dir() and all(path == self.work for path in out.iterdir()) and not self._begun():
            return None
        try:
            before: dict[str, Any] = json.loads((self.work / _RUN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise NotEmpty(f"{out} exists, and holds no interrupted run: name another folder") from None
        if any(before.get(name) != value for name, value in identity.items()):
            raise NotEmpty(
                f"{out} holds an interrupted run of other files, versions or options: name another folder"
            )
        if as_of is not None and before["asOf"] != as_of.isoformat():
            raise NotEmpty(
                f"{out} holds an interrupted run for {before['asOf']}: name another folder or that day"
            )
        return before

    def _begun(self) -> bool:
        return (self.work / _RUN).exists()

    def result(self, progress: Progress) -> Result:
        """Do what is left, and merge the figures. Raises NotEmpty: another run is about it."""
        with alone_in(self.work):
            return self._result(progress)

    def _result(self, progress: Progress) -> Result:
        summaries = self._sorted(progress)
        total = merged(summary["figures"] for summary in summaries)
        segments = {number: summary["segments"] for number, summary in enumerate(summaries)}
        try:
            types = types_of(total, self.options.export)
        except NoExport:
            self.clear()
            raise
        if "Medication" in types:
            store_medications(self.work, segments, self.partitions)
        self._decided(segments, types, progress)
        for part in read_figures(self.work, self.partitions):
            add(total, part)
        if self.options.decisions:
            self._join_decisions()
        name_places(total, self.tasks, summaries)
        return Result(total, self.as_of, len(self.files), sum(file.bytes for file in self.files))

    def clear(self) -> None:
        """Remove the sorted lines, once the report is written or there is nothing to report."""
        shutil.rmtree(self.work)
        if not any(self.options.out.iterdir()):
            self.options.out.rmdir()

    def _sorted(self, progress: Progress) -> list[Summary]:
        options = self.options
        sorting = Sorting(
            options.export.resolve(), self.work, self.partitions, options.most_bytes, options.task_bytes
        )
        summaries: dict[int, Summary] = {}
        left: list[Task] = []
        for task in self.tasks:
            try:
                path = summary_path(self.work, task.number)
                summaries[task.number] = json.loads(path.read_text(encoding="utf-8"))
                progress("reading", task.bytes)
            except (OSError, ValueError):
                left.append(task)
        for task, summary in _each(partial(sort_task, sorting=sorting), left, options.workers):
            summaries[task.number] = summary
            progress("reading", task.bytes)
        return [summaries[task.number] for task in self.tasks]

    def _decided(self, segments: dict[int, int], types: frozenset[str], progress: Progress) -> None:
        options = self.options
        left = [number for number in range(self.partitions) if not figures_path(self.work, number).exists()]
        for _ in range(self.partitions - len(left)):
            progress("deciding", 1)
        make = partial(_begin_deciding, options, self.as_of, self.work, segments, types)
        for _ in _each(_decide_partition, left, options.workers, make):
            progress("deciding", 1)

    def _join_decisions(self) -> None:
        with (self.options.out / DECISIONS).open("wb") as file:
            for number in range(self.partitions):
                file.write(decisions_path(self.work, number).read_bytes())


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other runs out of the folder, where its file system knows locks.

    Raises NotEmpty: another run works in it.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    # Other errors: a file system without locks.
    with suppress(OSError):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another run works in {folder.parent}: wait for its end, or name another folder"
            raise NotEmpty(message) from None


def partitions_of(files: Sequence[ExportFile], partition_bytes: int, least: int) -> int:
    """How many partitions hold so many bytes each, of what the files hold uncompressed."""
    content = sum(file.bytes * (_GZIP_FACTOR if file.is_gzip else 1) for file in files)
    return min(max(content // partition_bytes + 1, least), _MAX_PARTITIONS)


def types_of(figures: Figures, export: Path) -> frozenset[str]:
    """Types of the resources of the export. Raises NoExport where no Patient is among them."""
    types = frozenset(figures.get("resources", ()))
    if "Patient" not in types:
        raise NoExport(
            f"{export} holds no Patient: name the folder of a whole export, with a resource a line"
        )
    return types


def name_places(figures: Figures, tasks: Sequence[Task], summaries: Sequence[Summary]) -> None:
    """Replace task and line by file and line, in place. summaries: of the tasks, in their order."""
    first: list[int] = []
    before: dict[str, int] = {}
    for task, summary in zip(tasks, summaries, strict=True):
        first.append(before.get(task.file, 0))
        before[task.file] = first[-1] + summary["lines"]
    for found in figures.get("faults", {}).values():
        found["places"] = [[tasks[task].file, first[task] + number] for task, number in found["places"]]


_deciding: Deciding | None = None


def _begin_deciding(
    options: Options, as_of: date, work: Path, segments: dict[int, int], types: frozenset[str]
) -> None:
    """Load the knowledge, once in each worker."""
    global _deciding
    study = Study(
        Evaluator(load_knowledge(*options.folders), ""), as_of, types, options.whole, options.limits
    )
    # The knowledge stays: the collector need not visit it again and again.
    gc.freeze()
    _deciding = Deciding(study, work, segments, options.most_bytes, options.decisions)


def _decide_partition(number: int) -> None:
    if _deciding is None:
        raise RuntimeError("the worker was not begun")
    _deciding.partition(number)


def _begin(make: Callable[[], None] | None) -> None:
    # Ctrl-C ends the run in the parent, which then ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A search for cycles finds none, and takes a tenth of the time where many lines are held.
    gc.disable()
    if make is not None:
        make()


def _each(
    function: Callable[[T], R], items: Sequence[T], workers: int, make: Callable[[], None] | None = None
) -> Iterator[tuple[T, R]]:
    """(item, result) of every item, in the order in which they end; in this process for one worker."""
    if workers == 1:
        if make is not None:
            make()
        for item in items:
            yield item, function(item)
        return
    # Spawned, so that a worker begins without the memory and threads of this process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(items) or 1), context, _begin, (make,)) as pool:
        futures = {pool.submit(function, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            # What has not begun is dropped where the run is interrupted.
            pool.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
