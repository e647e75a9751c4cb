"""Files, folders and standard input as documents: Bundles and hook requests, each with its place.

NDJSON holds one of them a line, or one resource a line; resources are put together by patient, within one
argument: the files of a bulk export stand in one folder.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fhir_mappings.request.documents import BUNDLE, CALL, kind_of, medicine_of, name_of, owner_of
from fhir_mappings.request.json_body import UnreadableBody

STDIN = "-"
SUFFIXES = frozenset({".json", ".ndjson", ".jsonl"})
_BY_LINE = frozenset({".ndjson", ".jsonl"})
_MARK = b"\xef\xbb\xbf"
_HEAD = b'{"resourceType":"Bundle","type":"collection","entry":[\n'


@dataclass(frozen=True, slots=True)
class Origin:
    """From this line of a document on it is the text of that file, from that line of it on."""

    first: int
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """kind: BUNDLE or CALL. source: where it is from, as one would say it."""

    source: str
    kind: str
    body: bytes
    origins: tuple[Origin, ...]

    def place(self, line: int) -> str:
        """ "file:line" of that line of the body."""
        at = bisect_right([origin.first for origin in self.origins], line) - 1
        origin = self.origins[max(at, 0)]
        return f"{origin.file}:{origin.line + line - origin.first}"


@dataclass(frozen=True, slots=True)
class Unusable:
    """What is no record, and why. asked: it was named, and not only lay in a folder."""

    source: str
    why: str
    asked: bool = True


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    path: Path | None
    asked: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """A resource that stands alone."""

    body: bytes
    file: str
    line: int


class Inputs:
    """What the arguments of a command name."""

    def __init__(self, arguments: Iterable[str], stdin: BinaryIO) -> None:
        self._stdin = stdin
        self._arguments = [(argument, list(_files(argument))) for argument in arguments]

    def __len__(self) -> int:
        """How many files there are to read."""
        return sum(len(files) for _, files in self._arguments)

    def documents(self, read: Callable[[], object] = lambda: None) -> Iterator[Document | Unusable]:
        """Every document in order; those put together come last of an argument. read: told of each file."""
        for argument, files in self._arguments:
            if not files:
                yield Unusable(argument, "holds no .json, .ndjson or .jsonl file")
            parts: list[_Part] = []
            for file in files:
                yield from self._of_file(file, parts)
                read()
            yield from _put_together("<stdin>" if argument == STDIN else argument, parts)

    def _of_file(self, file: _File, parts: list[_Part]) -> Iterator[Document | Unusable]:
        try:
            body = self._stdin.read() if file.path is None else file.path.read_bytes()
        except OSError as error:
            yield Unusable(file.name, f"cannot be read: {error.strerror}")
            return
        body = body.removeprefix(_MARK)
        if not body.strip():
            yield Unusable(file.name, "is empty")
            return
        by_line = file.path is not None and file.path.suffix.lower() in _BY_LINE
        if not by_line:
            try:
                yield from _of_text(body, file.name, 1, file.asked, parts)
                return
            except UnreadableBody as error:
                if not _is_by_line(body):
                    yield Unusable(file.name, str(error))
                    return
        for number, line in enumerate(body.split(b"\n"), 1):
            if line.strip():
                try:
                    yield from _of_text(line, file.name, number, True, parts, f"{file.name}:{number}")
                except UnreadableBody as error:
                    yield Unusable(f"{file.name}:{number}", str(error))


def _files(argument: str) -> Iterator[_File]:
    path = Path(argument)
    if argument == STDIN:
        yield _File("<stdin>", None, True)
    elif path.is_dir():
        for found in sorted(path.rglob("*")):
            if found.suffix.lower() in SUFFIXES and found.is_file():
                yield _File(str(found), found, False)
    else:
        yield _File(argument, path, True)


def _of_text(
    body: bytes, file: str, line: int, asked: bool, parts: list[_Part], source: str = ""
) -> Iterator[Document | Unusable]:
    """Raises UnreadableBody where it is no JSON object."""
    kind = kind_of(body)
    if kind in (BUNDLE, CALL):
        yield Document(source or file, kind, body, (Origin(1, file, line),))
    elif kind:
        parts.append(_Part(body.strip(), file, line))
    else:
        yield Unusable(source or file, "is no Bundle, no hook request and no FHIR resource", asked)


def _is_by_line(body: bytes) -> bool:
    """Whether the first line is an object by itself, and more come."""
    first, _, rest = body.lstrip().partition(b"\n")
    try:
        return bool(rest.strip()) and kind_of(first) is not None
    except UnreadableBody:
        return False


def _put_together(argument: str, parts: list[_Part]) -> Iterator[Document | Unusable]:
    """One Bundle for each patient, with the Medications that its resources refer to."""
    of_patient: dict[str, list[_Part]] = {}
    medicines: dict[str, _Part] = {}
    nobodys = 0
    for part in parts:
        owner = owner_of(part.body)
        if owner is not None:
            of_patient.setdefault(owner, []).append(part)
        elif kind_of(part.body) == "Medication":
            medicines[name_of(part.body)] = part
        else:
            nobodys += 1
    for owner, found in of_patient.items():
        yield _bundle(f"{argument}#Patient/{owner}", [*found, *_referred(found, medicines)])
    if not of_patient and parts:
        yield Unusable(argument, f"{nobodys + len(medicines)} resources, and none of them names a patient")


def _referred(parts: Iterable[_Part], medicines: Mapping[str, _Part]) -> Iterator[_Part]:
    for name in dict.fromkeys(medicine_of(part.body) for part in parts):
        if name is not None and name in medicines:
            yield medicines[name]


def _bundle(source: str, parts: list[_Part]) -> Document:
    body, line, origins = bytearray(_HEAD), 2, []
    for number, part in enumerate(parts):
        origins.append(Origin(line, part.file, part.line))
        body += (b",\n" if number else b"") + b'{"resource":' + part.body + b"}"
        line += part.body.count(b"\n") + 1
    return Document(source, BUNDLE, bytes(body + b"]}"), tuple(origins))
