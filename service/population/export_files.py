"""The files of a bulk export, as tasks: a range of bytes of a plain file, or a whole gzip file."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

SUFFIXES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
TASK_BYTES = 32 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_SKIPPED_BYTES = 1024 * 1024
# Results with a line for each patient.
DECISIONS, MOVED = "decisions.ndjson", "moved.ndjson"
# No resources: what export clients write (a line for each event of the export), and an earlier run.
_OTHERS = frozenset({"log.ndjson", DECISIONS, MOVED})


class NoExport(Exception):
    """The folder holds no export. The message says why."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """name: from the folder of the export on."""

    name: str
    bytes: int
    changed: int
    is_gzip: bool


@dataclass(frozen=True, slots=True)
class Task:
    """The lines of a file that begin in a range of its bytes. number: of all tasks, in the order of files."""

    number: int
    file: str
    start: int
    end: int
    is_gzip: bool

    @property
    def bytes(self) -> int:
        return self.end - self.start


def files_in(folder: Path) -> list[ExportFile]:
    """Every file of the export, by name; links are followed.

    Raises:
        NoExport: There is none, or a folder or a link cannot be read: what it holds would be missing.
    """
    found = []
    try:
        for path in sorted(_paths(folder)):
            known = path.stat()
            if stat.S_ISREG(known.st_mode):
                name = path.relative_to(folder).as_posix()
                found.append(ExportFile(name, known.st_size, known.st_mtime_ns, _is_gzip(path)))
    except OSError as error:
        raise NoExport(f"{error.filename} cannot be read: {error.strerror}") from None
    if not any(file.bytes for file in found):
        raise NoExport(
            f"{folder} holds no {', '.join(SUFFIXES)} file with content: name the folder of an export"
        )
    return found


def _paths(folder: Path) -> Iterator[Path]:
    """What may hold resources, each folder once whatever links lead to it."""
    met: set[str] = set()
    for path, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        folders.sort()
        if (real := os.path.realpath(path)) in met:
            folders.clear()
            continue
        met.add(real)
        for name in names:
            if name.lower().endswith(SUFFIXES) and name.lower() not in _OTHERS:
                yield Path(path, name)


def _raise(error: OSError) -> NoReturn:
    raise error


def _is_gzip(path: Path) -> bool:
    """Whether it begins as gzip does, whatever its name; the name of a file that cannot be read decides."""
    try:
        with path.open("rb") as file:
            return file.read(len(_GZIP)) == _GZIP
    except OSError:
        return path.name.lower().endswith(".gz")


def tasks_of(files: list[ExportFile], task_bytes: int = TASK_BYTES) -> list[Task]:
    """The tasks of all files, in order."""
    ranges: list[tuple[str, int, int, bool]] = []
    for file in files:
        size = max(file.bytes, 1) if file.is_gzip else task_bytes
        for start in range(0, file.bytes, size):
            ranges.append((file.name, start, min(start + size, file.bytes), file.is_gzip))
    return [Task(number, *of_task) for number, of_task in enumerate(ranges)]


class Truncated(Exception):
    """A gzip file ends early, or is damaged. lines: how many were read before."""

    def __init__(self, lines: int) -> None:
        super().__init__("the gzip file is damaged or ends early")
        self.lines = lines


def lines_of(folder: Path, task: Task, most_bytes: int) -> Iterator[bytes | None]:
    """The lines of a task, without their end; None for one of more than most_bytes.

    Raises:
        Truncated: The gzip file cannot be read to its end.
        OSError: The file cannot be read.
    """
    path = folder / task.file
    if task.is_gzip:
        number = 0
        try:
            with cast(BinaryIO, gzip.open(path, "rb")) as file:
                while line := file.readline(most_bytes + 2):
                    yield _whole(line, file, most_bytes)
                    number += 1
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise Truncated(number) from None
        return
    with path.open("rb") as file:
        at = 0
        if task.start:
            # The line that begins before belongs to the task before.
            file.seek(task.start - 1)
            _skip_line(file)
            at = file.tell()
        # Counted, because tell() asks the system for each line.
        while at < task.end and (line := file.readline(most_bytes + 2)):
            at += len(line)
            if len(line) > most_bytes and not line.endswith(b"\n"):
                _skip_line(file)
                at = file.tell()
                yield None
            else:
                yield line.strip()


def _whole(line: bytes, file: BinaryIO, most_bytes: int) -> bytes | None:
    if len(line) <= most_bytes or line.endswith(b"\n"):
        return line.strip()
    _skip_line(file)
    return None


def _skip_line(file: BinaryIO) -> None:
    while (part := file.readline(_SKIPPED_BYTES)) and not part.endswith(b"\n"):
        pass
