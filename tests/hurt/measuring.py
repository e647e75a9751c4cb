"""What one request costs in this process, against an ordinary request of the same size."""

from __future__ import annotations

import signal
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import ceil, log
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask

from service.app import create_app
from service.config import Config
from service.feedback.upgrade import upgrade
from service.knowledge import load_knowledge
from tests.hurt.sending import WAYS, Request, Shape, ordinary

# Answer bytes and peak memory, both by bytes of the body.
MOST_ANSWER, MOST_MEMORY = 12.0, 3.0
# Fixed members of every answer and buffers of every request; the models keep every fault of one resource.
_FREE_BYTES = {"evaluate": 60_000, "hook": 60_000, "validate": 4_000_000}
# Measured by thread_time: beside ITIMER_PROF, process_time steps by 4 ms.
# A request is stopped at so many times the cost that it may have, and after so many seconds.
_STOP_AT, _LEAST_STOP_S = 4.0, 2.0
_STATUSES = ("200", "400", "412", "413", "422")


class TooSlow(BaseException):
    """No Exception: the code under test must not catch it."""


@dataclass(frozen=True)
class Cost:
    """cpu: seconds. answer, peak: bytes."""

    status: str
    cpu: float
    answer: int
    peak: int


@dataclass(frozen=True)
class Measured:
    """The cost of a shape. ratio: CPU by that of an ordinary request; stopped: it took longer than that."""

    name: str
    way: str
    size: int
    status: str
    ratio: float
    answer: float
    memory: float
    stopped: bool = False

    @property
    def problem(self) -> str:
        """What is above its limit; "" if nothing is."""
        found = []
        if self.stopped or self.ratio > WAYS[self.way][1]:
            found.append("CPU")
        if self.answer > MOST_ANSWER:
            found.append("answer")
        if self.memory > MOST_MEMORY:
            found.append("memory")
        if not self.stopped and not self.status.startswith(_STATUSES):
            found.append(f"status {self.status}")
        return ", ".join(found)

    def __str__(self) -> str:
        more = ">" if self.stopped else ""
        return (
            f"{self.way:9} {self.size / 1000:8.0f} kB {more}{self.ratio:6.1f} x CPU"
            f" {self.answer:6.1f} x answer {self.memory:6.1f} x memory  {self.status[:3]}  {self.name}"
            f"{'  <-- ' + self.problem if self.problem else ''}"
        )


class Meter:
    """A service in this process."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'feedback.sqlite3'}"
        upgrade(url)
        self.app: Flask = create_app(Config(feedback_db=url), load_knowledge())
        self._ordinary: dict[tuple[str, int], float] = {}

    def send(self, request: Request) -> tuple[str, bytes]:
        """Status and body of the answer."""
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query,
            "SERVER_NAME": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(request.body),
            "wsgi.errors": sys.stderr,
        }
        statuses: list[str] = []

        def start(status: str, headers: Any, error: Any = None, /) -> Any:
            statuses.append(status)

        answer = b"".join(self.app(environ, start))
        return statuses[0], answer

    def cpu(self, request: Request) -> float:
        start = time.thread_time()
        self.send(request)
        return time.thread_time() - start

    def peak(self, request: Request) -> int:
        """The most bytes held beside the body, which stands for the socket."""
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            self.send(request)
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()

    def ordinary_cpu(self, way: str, size: int, again: bool = False) -> float:
        """The least CPU of an ordinary request of about that size, in steps of a factor of 1.25."""
        rounded = int(1.25 ** ceil(log(max(size, 20_000), 1.25)))
        key = way, rounded
        if again or key not in self._ordinary:
            request = ordinary("hook" if way == "hook" else "evaluate", rounded)
            took = min(self.cpu(request) for _ in range(2 if key in self._ordinary else 4))
            # Of the last request of this machine: it may be busier now.
            self._ordinary[key] = took * max(size, 20_000) / len(request.body)
        return self._ordinary[key]

    def measured(self, name: str, way: str, shape: Shape, *, memory: bool = True) -> Measured:
        """The cost of a shape; measured again, beside an ordinary body, before it counts as too much."""
        write, most = WAYS[way]
        request = write(shape)
        size = len(request.body)
        found: Measured | None = None
        for attempt in range(3):
            usual = self.ordinary_cpu(way, size, again=attempt > 0)
            try:
                with stopped_after(max(usual * most * _STOP_AT, _LEAST_STOP_S)):
                    start = time.thread_time()
                    status, answer = self.send(request)
                    took = time.thread_time() - start
            except TooSlow:
                ratio = max(usual * most * _STOP_AT, _LEAST_STOP_S) / usual
                found = Measured(name, way, size, "-", ratio, 0, 0, stopped=True)
                continue  # The models of fhir.resources are made at their first use.
            relative = len(answer) / (size + _FREE_BYTES["hook"])
            found = Measured(name, way, size, status, took / usual, relative, 0)
            if found.ratio <= most:
                break
        assert found is not None
        if found.stopped:
            return found
        peak = self.peak(request) / (size + _FREE_BYTES[way]) if memory else 0.0
        return Measured(name, way, size, found.status, found.ratio, found.answer, peak)


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the block after so many seconds of CPU; regular expressions can be stopped too."""

    def stop(number: int, frame: FrameType | None) -> Any:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
