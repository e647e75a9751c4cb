"""The service as it is started, with decisions that can be held up."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract.requests import SERVICE, hook_call
from tests.docs.conftest import PROJECT, free_port

# A call with this instance waits as long as the file "held" is there; the first one makes "holds" beside it.
HELD = "00000000-0000-4000-8000-000000000000"
PATIENCE = 60.0
_PROGRAM = """
import os, sys, time
from pathlib import Path
from service import server
from service.evaluation import Evaluator
from service.server import main

held, evaluate = Path(os.environ.pop("HELD")), Evaluator.evaluate

def waiting(*given, hook_instance, **more):
    while hook_instance == {held!r} and held.exists():
        held.with_name("holds").touch()
        time.sleep(0.01)
    return evaluate(*given, hook_instance=hook_instance, **more)

Evaluator.evaluate = waiting
{changes}
sys.exit(main([], os.environ))
"""


@dataclass
class Served:
    """One started service. log: all it writes."""

    process: subprocess.Popen[str]
    port: int
    held: Path
    log: Path

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def get(self, path: str) -> tuple[int, bytes]:
        status, _, body = asked(self.connect(), "GET", path)
        return status, body

    def call(self, **changes: Any) -> tuple[int, http.client.HTTPMessage, bytes]:
        return asked(self.connect(), "POST", SERVICE, json.dumps(hook_call(**changes)).encode())

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in children.read_text().split()}

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def alive(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False


def asked(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection.request(method, path, body, {"Content-Type": "application/json", **headers})
    answered = connection.getresponse()
    return answered.status, answered.headers, answered.read()


def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds; fails when it does not within PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def served(folder: Path, changes: str = "", **environ: str) -> Iterator[Served]:
    """changes: statements on the module server before the start."""
    held, log, port = folder / "held", folder / "log", free_port()
    held.touch()
    settings = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "ALLOWED_HOSTS": "cds.example",
        "FEEDBACK_DB": f"sqlite:///{folder}/feedback.sqlite3",
        "HELD": str(held),
        **environ,
    }
    command = [sys.executable, "-c", _PROGRAM.format(held=HELD, changes=changes)]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=PROJECT, env=settings, stdout=out, stderr=out, text=True)
        started = Served(process, port, held, log)
        try:
            until(lambda: process.poll() is not None or started.alive())
            assert process.poll() is None, log.read_text()
            yield started
        finally:
            held.unlink(missing_ok=True)
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()
                process.wait()
