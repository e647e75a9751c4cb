"""Files, folders and standard input as documents: Bundles and hook requests.

NDJSON holds a Bundle, a hook request or a resource on each line. Resources are put together by patient,
within one argument: the files of a bulk export stand in one folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from fhir_mappings.request.documents import (
    BUNDLE,
    CALL,
    bundle_of,
    is_ndjson,
    kind_of,
    lines_of,
    medicine_of,
    name_of,
    owner_of,
)
from fhir_mappings.request.json_body import InvalidBody
from fhir_mappings.resources.budget import OverBudget
from fhir_mappings.resources.select import KINDS
from service.errors import TooMuch
from service.evaluation import Evaluation, Evaluator, read_bundle
from service.hook_request import read_hook_request

STDIN = "-"
SUFFIXES = frozenset({".json", ".ndjson", ".jsonl"})
_NDJSON = frozenset({".ndjson", ".jsonl"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Document:
    """kind: BUNDLE or CALL. source: its file and line, or its folder and patient."""

    source: str
    kind: str
    body: bytes

    def evaluated(self, evaluator: Evaluator, as_of: date | None) -> Evaluation:
        """The evaluation that the service would make.

        Args:
            as_of: The day of the decision; by default the one of the hook request, or today.

        Raises:
            RequestError: The service would reject the document.
        """
        try:
            if self.kind == CALL:
                services = {hook["hook"]: hook for hook in evaluator.knowledge.hooks}
                return evaluator.hook_request(read_hook_request(self.body, services), as_of)
            return evaluator.bundle(self.body, read_bundle(self.body), as_of)
        except OverBudget as error:
            raise TooMuch(error) from None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file or line that is no document. named: an argument names it; else it only lay in a folder."""

    source: str
    why: str
    named: bool = True


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    path: Path | None
    named: bool


class Inputs:
    """The files that the arguments of a command name."""

    def __init__(self, arguments: Iterable[str], stdin: BinaryIO) -> None:
        self._stdin = stdin
        self._arguments = [(argument, list(_files(argument))) for argument in arguments]

    def __len__(self) -> int:
        return sum(len(files) for _, files in self._arguments)

    def documents(self, on_read: Callable[[], object] = lambda: None) -> Iterator[Document | Unusable]:
        """Every document in order; those put together come last of their argument.

        Args:
            on_read: Called after each file.
        """
        for argument, files in self._arguments:
            if not files:
                yield Unusable(argument, "holds no .json, .ndjson or .jsonl file")
            resources: list[bytes] = []
            for file in files:
                yield from self._documents_of(file, resources)
                on_read()
            yield from _put_together("<stdin>" if argument == STDIN else argument, resources)

    def _documents_of(self, file: _File, resources: list[bytes]) -> Iterator[Document | Unusable]:
        """The documents of a file; single resources are added to the list."""
        try:
            body = self._stdin.read() if file.path is None else file.path.read_bytes()
        except OSError as error:
            yield Unusable(file.name, f"cannot be read: {error.strerror}")
            return
        body = body.removeprefix(_BYTE_ORDER_MARK)
        if not body.strip():
            yield Unusable(file.name, "is empty")
            return
        if file.path is None or file.path.suffix.lower() not in _NDJSON:
            try:
                yield from _documents_in(body, file.name, file.named, resources)
                return
            except InvalidBody as error:
                if not is_ndjson(body):
                    yield Unusable(file.name, str(error))
                    return
        for number, line in lines_of(body):
            source = f"{file.name}:{number}"
            try:
                yield from _documents_in(line, source, True, resources)
            except InvalidBody as error:
                yield Unusable(source, str(error))


def _files(argument: str) -> Iterator[_File]:
    path = Path(argument)
    if argument == STDIN:
        yield _File("<stdin>", None, True)
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in SUFFIXES and file.is_file():
                yield _File(str(file), file, False)
    else:
        yield _File(argument, path, True)


def _documents_in(
    body: bytes, source: str, named: bool, resources: list[bytes]
) -> Iterator[Document | Unusable]:
    """Raises InvalidBody if the body is no JSON object."""
    kind = kind_of(body)
    if kind in (BUNDLE, CALL):
        yield Document(source, kind, body)
    elif kind:
        resources.append(body.strip())
    else:
        yield Unusable(source, "is no Bundle, no hook request and no FHIR resource", named)


def _put_together(argument: str, resources: list[bytes]) -> Iterator[Document | Unusable]:
    """A Bundle for each patient, with the Medications that the resources refer to."""
    by_patient: dict[str, list[bytes]] = {}
    medications: dict[str, bytes] = {}
    others = nobodys = 0
    for resource in resources:
        patient = owner_of(resource)
        if patient is not None:
            by_patient.setdefault(patient, []).append(resource)
        elif kind_of(resource) == "Medication":
            medications[name_of(resource)] = resource
        else:
            others += 1
            # Organizations and the like are of no patient.
            nobodys += kind_of(resource) in KINDS
    for patient, of_patient in by_patient.items():
        body = bundle_of([*of_patient, *_referenced(of_patient, medications)])
        yield Document(f"{argument}#Patient/{patient}", BUNDLE, body)
    if not by_patient and resources:
        yield Unusable(argument, f"{others + len(medications)} resources, and none of them names a patient")
    elif nobodys:
        yield Unusable(argument, f"{nobodys} resources name no patient, and were left out")


def _referenced(resources: Iterable[bytes], medications: Mapping[str, bytes]) -> Iterator[bytes]:
    for name in dict.fromkeys(map(medicine_of, resources)):
        if name is not None and name in medications:
            yield medications[name]
