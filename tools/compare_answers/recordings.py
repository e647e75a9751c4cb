"""Recordings: made of a revision or of the work tree, and read again."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tools.compare_answers.requests import ROOT, Request

RECORDER = Path(__file__).with_name("recorder.py")


class RecordingError(ValueError):
    """A recording cannot be made; the message says why."""


def write_requests(requests: Iterable[Request], file: Path) -> None:
    """Write the requests as a file that `record` reads."""
    with gzip.open(file, "wt", compresslevel=3, encoding="utf-8") as lines:
        for request in requests:
            lines.write(json.dumps(request.as_json()) + "\n")


def read(file: Path) -> Iterator[dict[str, Any]]:
    """The requests of a recording with their answers."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def is_tree(name: str) -> bool:
    """Whether the name is a folder: "." or with a slash, because a branch may be named like a folder."""
    return name == "." or ("/" in name and Path(name).is_dir())


def commit_of(revision: str) -> str:
    """The hash of the commit that a revision names. Raises RecordingError."""
    return _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode().strip()


def record(version: str, requests: Path, target: Path) -> None:
    """Record the answers of a git revision or of the code in a folder. Raises RecordingError."""
    if is_tree(version):
        record_tree(Path(version).resolve(), requests, target)
        return
    archive = _git("archive", "--format=tar", commit_of(version))
    with tempfile.TemporaryDirectory() as tree:
        with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
            packed.extractall(tree, filter="data")
        record_tree(Path(tree), requests, target)


def record_tree(tree: Path, requests: Path, target: Path) -> None:
    """Record the answers of the code in a folder to the requests of a file or recording."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when whole: an interrupted recording is none.
    unfinished = target.with_name(target.name + ".unfinished")
    command = [sys.executable, "-P", str(RECORDER), str(requests.resolve()), str(unfinished.resolve())]
    # Of the environment only what a program needs: a setting of the service would change its answers.
    environment = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")
    }
    done = subprocess.run(command, cwd=tree, env={**environment, "PYTHONPATH": str(tree)}, check=False)
    if done.returncode:
        raise RecordingError(f"the recorder failed in {tree}")
    unfinished.replace(target)


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RecordingError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
