"""One program of the cluster: started, stopped, killed, found ready."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# Slow machines are slow: who waits longer than this has failed.
WITHIN = 60.0


class NotReady(Exception):
    """A program ended or did not answer in time; names its log."""


def free_port() -> int:
    """A port of loopback that nothing listens on, and that no outgoing connection takes while it rests."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(200):
        port = random.randrange(max(1024, first - 12_000), first)  # noqa: S311 - a port, no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise NotReady("no free port below the range of outgoing connections")


class Part:
    """A program with its own process group and log file.

    user: whose the processes are; None = ours. feed: what it reads from its standard input.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        ready: Callable[[], bool],
        *,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: str | None = None,
        feed: str | None = None,
    ) -> None:
        self.name, self.log = name, log
        self._command, self._ready, self._user, self._feed = list(command), ready, user, feed
        self._environ = dict(os.environ if environ is None else environ)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and returns at once."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.PIPE if self._feed else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                # Its workers die with it, and Ctrl-C reaches us alone.
                start_new_session=True,
            )
        if process.stdin:
            process.stdin.write((self._feed or "").encode())
            process.stdin.close()
        self._process = process

    def wait_ready(self) -> None:
        """Returns when it answers. Raises NotReady."""
        until = time.monotonic() + WITHIN
        while not self._ready():
            if not self.runs:
                raise NotReady(f"{self.name} ended; {self._last_words}")
            if time.monotonic() > until:
                raise NotReady(f"{self.name} does not answer; {self._last_words}")
            time.sleep(0.05)

    @property
    def _last_words(self) -> str:
        return f"{self.log} ends with:\n{self.log.read_text(errors='replace')[-1500:]}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NotReady(f"{self.name} was not started")
        return self._process

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pids(self) -> list[int]:
        """The process and those that it started."""
        return [self.process.pid, *children(self.process.pid)]

    def tell(self, what: signal.Signals) -> None:
        """Sends that signal to the process alone."""
        self.process.send_signal(what)

    def tell_all(self, what: signal.Signals) -> None:
        """Sends that signal to the process and all that it started, where there are any."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Tells it to end and waits until it has; what does not end is killed."""
        if self._process is None:
            return
        if self.runs:
            self.tell(how)
        try:
            self._process.wait(WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9 for it and all its children, as a machine dies; returns when none is left."""
        pids = self.pids
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pid in pids:
            wait_gone(pid)


def children(pid: int) -> list[int]:
    """The processes that this one started, in the order of their numbers."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return sorted(found)


def wait_gone(pid: int) -> None:
    """Returns when the process holds nothing more. Raises NotReady."""
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            threads = len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            return
        # A dead process whose other threads are still ending holds its sockets until the last one is gone.
        if state in "ZX" and threads <= 1:
            return
        time.sleep(0.005)
    raise NotReady(f"process {pid} does not end")
