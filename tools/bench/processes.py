"""A server under measurement: its processes, the CPU time they used and the memory they hold."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60


class NotStarted(RuntimeError):
    """The server ended, or did not listen in time; the message holds the end of what it printed."""


@dataclass(frozen=True)
class Memory:
    """Bytes over all processes of a server. shared pages count in full in rss, by their share in pss."""

    rss: int
    pss: int


@dataclass
class Server:
    """A started server. pid: of its first process; port: on 127.0.0.1."""

    pid: int
    port: int

    def pids(self) -> list[int]:
        """The first process and all below it."""
        found, new = [], [self.pid]
        while new:
            found += new
            new = [child for pid in new for child in _children(pid)]
        return found

    def cpu(self) -> float:
        """Seconds of CPU that its processes used so far, in user and system mode, ended children included."""
        return sum(_cpu(pid) for pid in self.pids())

    def memory(self, *pids: int) -> Memory:
        """Of those processes; of all, where none is named."""
        rolled = [_rolled_up(pid) for pid in pids or self.pids()]
        return Memory(sum(one["Rss"] for one in rolled), sum(one["Pss"] for one in rolled))

    def worker(self) -> int:
        """The pid of its last worker; its own, where it has none."""
        return self.pids()[-1]

    def forget_peak(self) -> None:
        """Lets the peak of the worker's memory start from what it holds now."""
        Path(f"/proc/{self.worker()}/clear_refs").write_text("5")

    def peak(self) -> int:
        """The most bytes that the worker held since the peak was forgotten."""
        return _status(self.worker(), "VmHWM")

    def held(self) -> int:
        """The bytes that the worker holds now."""
        return _status(self.worker(), "VmRSS")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def started(command: list[str], environ: Mapping[str, str], port: int, log: Path) -> Iterator[Server]:
    """The server, listening; it is ended at the end. Raises NotStarted."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, **environ}, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _wait(process, port, log)
        yield Server(process.pid, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
            continue
        return
    raise NotStarted(log.read_text(errors="replace")[-500:])


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in found.split()]


def _cpu(pid: int) -> float:
    try:
        # The name of a process may hold blanks; what follows its bracket does not.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    utime, stime, cutime, cstime = (int(field) for field in fields[11:15])
    return (utime + stime + cutime + cstime) / _TICK


def _rolled_up(pid: int) -> dict[str, int]:
    found = {"Rss": 0, "Pss": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name = line.partition(":")[0]
        if name in found:
            found[name] = int(line.split()[1]) * 1024
    return found


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)
