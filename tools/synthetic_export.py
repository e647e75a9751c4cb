"""A Bulk FHIR export of generated patients: python -m tools.synthetic_export FOLDER --patients 20000.

The patients are those of `make bench` (tools/bench/bodies.py), one of fifty with a twitch; no real data. Each
patient depends on the seed and a number alone, so that the same seed gives the same resources whatever the
number of processes, files or patients.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from tools.bench.bodies import USUAL, hospital_patient

_PATIENTS_A_TASK = 50

Line = tuple[str, bytes]


def patient_lines(seed: int, number: int, usual: int = USUAL) -> list[Line]:
    """Type and NDJSON line of every resource of one patient, the newest version of each."""
    chance = random.Random(f"{seed}-{number}")
    call = hospital_patient(chance, f"e{seed}-{number}", twitches=number % 50 == 25, usual=usual)
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for resource in _resources(json.loads(call.content)["prefetch"]):
        before = newest.setdefault((resource["resourceType"], resource["id"]), resource)
        if _version(resource) > _version(before):
            newest[resource["resourceType"], resource["id"]] = resource
    return [(kind, _line(resource)) for (kind, _), resource in newest.items()]


def write_export(
    folder: Path,
    patients: int,
    *,
    seed: int = 1,
    usual: int = USUAL,
    files: int = 1,
    compress: bool = False,
    processes: int = 1,
) -> None:
    """Write the export of that many patients.

    Args:
        usual: The median of a patient's number of resources.
        files: of each type; the resources of a patient are spread over them.
        compress: Write `.ndjson.gz` files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        opened: dict[tuple[str, int], BinaryIO] = {}
        for kind, name, line in _named_lines(patients, seed, usual, processes):
            part = hash_of(name) % files
            if (kind, part) not in opened:
                opened[kind, part] = stack.enter_context(_writer(folder, kind, part, compress))
            opened[kind, part].write(line)


def hash_of(name: str) -> int:
    """A number that depends on the text alone."""
    return random.Random(name).getrandbits(32)


def _named_lines(patients: int, seed: int, usual: int, processes: int) -> Iterator[tuple[str, str, bytes]]:
    starts = range(0, patients, _PATIENTS_A_TASK)
    task = partial(_task, seed, usual, patients)
    found: Iterable[list[list[Line]]]
    with ExitStack() as stack:
        if processes > 1:
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(ProcessPoolExecutor(processes, mp_context=context))
            found = pool.map(task, starts)
        else:
            found = map(task, starts)
        for start, of_task in zip(starts, found, strict=True):
            for number, lines in enumerate(of_task, start):
                for position, (kind, line) in enumerate(lines):
                    yield kind, f"{number}-{position}", line


def _task(seed: int, usual: int, patients: int, start: int) -> list[list[Line]]:
    numbers = range(start, min(start + _PATIENTS_A_TASK, patients))
    return [patient_lines(seed, number, usual) for number in numbers]


def _resources(prefetch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in prefetch.values():
        if value is not None and value["resourceType"] == "Bundle":
            yield from (entry["resource"] for entry in value.get("entry", ()))
        elif value is not None:
            yield value


def _version(resource: dict[str, Any]) -> tuple[str, str]:
    meta = resource.get("meta", {})
    return meta.get("lastUpdated", ""), meta.get("versionId", "")


def _line(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _writer(folder: Path, kind: str, part: int, compress: bool) -> BinaryIO:
    path = folder / f"{kind}.{part:03}.ndjson"
    if compress:
        return cast(BinaryIO, gzip.open(path.with_name(f"{path.name}.gz"), "wb", compresslevel=3))
    return path.open("wb")


def main() -> None:
    """Write the export that the arguments describe."""
    parser = argparse.ArgumentParser(prog="python -m tools.synthetic_export", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--usual", type=int, default=USUAL, help="median of a patient's resources")
    parser.add_argument("--files", type=int, default=1, help="files of each type")
    parser.add_argument("--gzip", action="store_true", dest="compress")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    write_export(
        asked.folder,
        asked.patients,
        seed=asked.seed,
        usual=asked.usual,
        files=asked.files,
        compress=asked.compress,
        processes=asked.processes,
    )


if __name__ == "__main__":
    main()
