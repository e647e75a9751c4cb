"""First phase: lines of the export -> segments on disk, in which the lines of a partition stand together.

`sorted_lines` reads the lines of a task for any kind of run. A task of a local run is done when its summary
is there, so that an interrupted run goes on with the tasks that lack one.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict
from urllib.parse import quote
from zlib import crc32

from fhir_mappings.request.export_lines import READ_TYPES, Line, is_fhir_type, read_line
from fhir_mappings.request.json_body import InvalidBody
from service.population.export_files import Task, Truncated, lines_of
from service.population.figures import Figures, add, fault

_MEDICATION = "Medication"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BROKEN, NO_TYPE, UNKNOWN_TYPE = "broken line", "no resourceType", "unknown resource type"
TOO_LONG, TRUNCATED, UNREADABLE = "line too long", "gzip truncated", "file cannot be read"
NO_ID, BUNDLE = "Patient without id", "Bundle"
NO_PATIENT = "names no patient"


@dataclass(frozen=True, slots=True)
class Sorting:
    """What every task needs. partitions: their number; Medications are in one more, the last."""

    folder: Path
    work: Path
    partitions: int
    most_line_bytes: int
    buffer_bytes: int


class Sorted(NamedTuple):
    """One line.

    owner: its patient, "" of a Medication. task, number: its place; the first line of a task is 1.
    """

    owner: str
    kind: str
    id: str
    medicine: str
    task: int
    number: int
    raw: bytes

    @property
    def place(self) -> list[int]:
        return [self.task, self.number]


class Summary(TypedDict):
    """Of a task. lines: how many it has. segments: that were written. figures: places are task and line."""

    lines: int
    segments: int
    figures: Figures


def sort_task(task: Task, sorting: Sorting) -> Summary:
    """Sort the lines of a task into segments."""
    writer = _Writer(task, sorting)
    summary = new_summary()
    for line in sorted_lines(task, sorting.folder, sorting.most_line_bytes, summary):
        writer.add(line)
    writer.flush()
    summary["segments"] = writer.segments
    write_json(summary_path(sorting.work, task.number), summary)
    return summary


def new_summary() -> Summary:
    """Of a task that was not read yet."""
    return {"lines": 0, "segments": 0, "figures": {}}


def sorted_lines(task: Task, folder: Path, most_bytes: int, summary: Summary) -> Iterator[Sorted]:
    """The lines of a task that are read; the others, faults and the number of lines go into the summary.

    Args:
        most_bytes: Of a line; a longer one is not read.
    """
    figures, counts = summary["figures"], Counter[str]()
    number = 0
    try:
        for number, line in enumerate(lines_of(folder, task, most_bytes), 1):
            if line is None:
                add(figures, fault(TOO_LONG, [task.number, number]))
                continue
            if number == 1 and not task.start:
                line = line.removeprefix(_BYTE_ORDER_MARK)
            if line and (read := _read(line, [task.number, number], figures, counts)):
                owner, name, medicine = read.owner, read.id, read.medicine
                if not (owner + name + medicine).isprintable():
                    # No id of FHIR has such characters; no separator and no half character may be in them.
                    owner, name, medicine = (quote(one, errors="replace") for one in (owner, name, medicine))
                yield Sorted(owner, read.kind, name, medicine, task.number, number, line)
    except Truncated as error:
        add(figures, fault(TRUNCATED, [task.number, error.lines + 1]))
    except OSError:
        add(figures, fault(UNREADABLE, [task.number, number + 1]))
    summary["lines"] = number
    if counts:
        add(figures, {"resources": counts})


def _read(line: bytes, place: list[int], figures: Figures, counts: Counter[str]) -> Line | None:
    """What the line says of itself; None for a line that is not kept, which is counted."""
    try:
        read = read_line(line)
    except InvalidBody:
        add(figures, fault(BROKEN, place))
        return None
    kind = read.kind
    if not kind:
        add(figures, fault(NO_TYPE, place))
        return None
    if kind not in READ_TYPES:
        if is_fhir_type(kind):
            counts[kind] += 1
            if kind == BUNDLE:
                # It may hold resources of patients, or delete some.
                add(figures, fault(BUNDLE, place))
        else:
            # Any text may stand there: it is not repeated.
            add(figures, fault(UNKNOWN_TYPE, place))
        return None
    counts[kind] += 1
    if read.owner or kind == _MEDICATION:
        return read
    if kind == "Patient":
        add(figures, fault(NO_ID, place))
    else:
        add(figures, {"orphans": {NO_PATIENT: {kind: 1}}, **fault(NO_PATIENT, place)})
    return None


class _Writer:
    """Holds lines by partition, and writes a segment when they are many bytes.

    A segment is two files: the lines as they are, and what they say of themselves, with tabs in between.
    """

    def __init__(self, task: Task, sorting: Sorting) -> None:
        self.task, self.partitions = task, sorting.partitions
        self._work, self._most = sorting.work, sorting.buffer_bytes
        self.segments = 0
        self._clear()

    def _clear(self) -> None:
        self._lines: list[list[bytes]] = [[] for _ in range(self.partitions + 1)]
        self._names: list[list[str]] = [[] for _ in range(self.partitions + 1)]
        self._bytes = 0

    def add(self, line: Sorted) -> None:
        owner = line.owner
        partition = crc32(owner.encode()) % self.partitions if owner else self.partitions
        self._names[partition].append(f"{owner}\t{line.kind}\t{line.id}\t{line.medicine}\t{line.number}")
        self._lines[partition].append(line.raw)
        self._bytes += len(line.raw)
        if self._bytes >= self._most:
            self.flush()

    def flush(self) -> None:
        """Write a segment, and where each partition begins in its files."""
        if not self._bytes:
            return
        path = segment_path(self._work, self.task.number, self.segments)
        names = ("\n".join(of_partition).encode() for of_partition in self._names)
        starts = _written(path.with_suffix(".names"), names)
        starts += _written(path, (b"\n".join(lines) for lines in self._lines))
        path.with_suffix(".index").write_bytes(starts.tobytes())
        self._clear()
        self.segments += 1


def _written(path: Path, parts: Iterable[bytes]) -> array[int]:
    """Where each part begins in the file, and the end of the last."""
    starts = array("Q", [0])
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
            starts.append(starts[-1] + len(part))
    return starts


def lines_in(work: Path, segments: Mapping[int, int], partition: int) -> Iterator[Sorted]:
    """The lines of a partition, one segment after another. segments: task -> number of its segments."""
    for task, count in segments.items():
        for number in range(count):
            path = segment_path(work, task, number)
            starts = array("Q")
            starts.frombytes(path.with_suffix(".index").read_bytes())
            half = len(starts) // 2
            names = _part(path.with_suffix(".names"), starts[partition : partition + 2])
            if not names:
                continue
            lines = _part(path, starts[half + partition : half + partition + 2])
            for name, line in zip(names.decode().split("\n"), lines.split(b"\n"), strict=True):
                owner, kind, id_, medicine, at = name.split("\t")
                yield Sorted(owner, kind, id_, medicine, task, int(at), line)


def _part(path: Path, ends: Sequence[int]) -> bytes:
    start, end = ends
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def segment_path(work: Path, task: int, number: int) -> Path:
    """The file of a segment."""
    return work / f"lines-{task:06}-{number:04}.bin"


def summary_path(work: Path, task: int) -> Path:
    """The file that says that a task is done."""
    return work / f"sorted-{task:06}.json"


def write_json(path: Path, content: Any) -> None:
    """Write a file that is there as a whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)
