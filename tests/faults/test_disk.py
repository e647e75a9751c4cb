"""The disk of the feedback store is full: decisions go on, feedback is refused for now, none is half kept."""

from __future__ import annotations

import json
import os
import resource
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.cluster.cluster import PROJECT
from deploy.cluster.parts import Part, free_port
from service.knowledge import Knowledge
from tests.docs.conftest import answer_of
from tests.faults.conftest import CALM, holds
from tests.faults.known import Answers
from tests.faults.load import Connection, Load, Target
from tests.faults.stored import stored
from tests.faults.tally import FEEDBACK, HOOK, UNAVAILABLE, Tally

# Larger than what workers and their counts need, smaller than what the test writes.
SIZE = 2 * 1024 * 1024
FILLED_BY = 2000
SECRET = secrets.token_hex(32)


Steps = tuple[Callable[[Part], None], Callable[[Part], None]]


@contextmanager
def limited(folder: Path) -> Iterator[Steps]:
    """No file of a program that runs may grow beyond SIZE, whoever we are. Gives how that begins and ends."""

    def allow(part: Part, size: int) -> None:
        for pid in part.pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    yield (lambda part: allow(part, SIZE)), (lambda part: allow(part, resource.RLIM_INFINITY))


@contextmanager
def small(folder: Path) -> Iterator[Steps]:
    """A disk in memory of that size; only root may make one."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "feedback", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount; run as root")
    larger = ["mount", "-o", f"remount,size={100 * SIZE}", str(folder)]
    try:
        yield (lambda _: None), (lambda _: subprocess.run(larger, check=True) and None)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize(("name", "how"), [("a limit", limited), ("a small disk", small)])
def test_a_full_disk(
    name: str,
    how: Callable[[Path], AbstractContextManager[Steps]],
    knowledge: Knowledge,
    show: Callable[[str], None],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "feedback"
    folder.mkdir()
    with how(folder) as (begin, end):
        port = free_port()
        url, store = f"http://127.0.0.1:{port}", f"sqlite:///{folder}/feedback.sqlite3"
        environ = {
            "PATH": os.environ["PATH"], "PORT": str(port), "CARD_SECRET": SECRET, "FEEDBACK_DB": store,
        }  # fmt: skip
        part = Part(
            "the service", [sys.executable, "-m", "service"], tmp_path / "log", lambda: ready(url),
            environ=environ, folder=PROJECT,
        )  # fmt: skip
        calls = Answers(knowledge, url, SECRET).people()
        load = Load(Target(url, None, None), calls, Tally(f"the disk is full ({name})"))
        part.start()
        try:
            part.wait_ready()
            begin(part)
            with load.running():
                load.recovered()
                with load.tally.fault():
                    filled(load)
                    load.wait(CALM + 1)
                    assert answer_of(f"{url}/readyz")["status"] == "ready"
                    end(part)
                load.recovered(FEEDBACK, 3)
        finally:
            part.stop()
        load.tally.stored = stored(store, load.acknowledged)
    show(load.tally.line())
    holds(load.tally)
    assert load.tally.bad(HOOK) == []
    assert load.tally.bad(FEEDBACK, UNAVAILABLE) == []
    assert load.tally.counts(FEEDBACK)[UNAVAILABLE], "the disk was never full"


def ready(url: str) -> bool:
    try:
        return bool(answer_of(f"{url}/healthz"))
    except OSError:
        return False


def filled(load: Load) -> None:
    """Long comments, until no more of them are taken."""
    call = next(call for call in load.calls if call.cards)
    path, connection = call.path + "/feedback", Connection(load.target)
    for _ in range(FILLED_BY):
        items = [replace(load.item(call), suggestions=()) for _ in range(20)]
        comment = {"overrideReason": {"userComment": secrets.token_hex(1950)}}
        body = json.dumps({"feedback": [{**item.content, **comment} for item in items]}).encode()
        if load.attempt(FEEDBACK, connection, path, body, None, b"{}") == UNAVAILABLE:
            connection.close()
            return
        load.acknowledged += items
    raise AssertionError("the disk does not fill up")
