"""HAProxy as it is steered while it runs: a replica taken out and put back without a lost request."""

from __future__ import annotations

import csv
import io
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.cluster.parts import WITHIN, NotReady

BACKEND = "replicas"


class Proxy:
    """control: its socket (`stats socket` in haproxy.cfg), a file or host and port."""

    def __init__(self, control: Path | tuple[str, int]) -> None:
        self._control = control

    def said(self, command: str) -> str:
        where = str(self._control) if isinstance(self._control, Path) else self._control
        with socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET) as connection:
            connection.settimeout(WITHIN)
            connection.connect(where)
            connection.sendall(command.encode() + b"\n")
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts).decode()

    def state(self, server: str) -> dict[str, str]:
        """The line of that server in `show stat`, by column."""
        lines = csv.DictReader(io.StringIO(self.said("show stat").lstrip("# ")))
        return next(line for line in lines if (line["pxname"], line["svname"]) == (BACKEND, server))

    def drain(self, server: str) -> None:
        """No new requests for it; returns when it holds none."""
        self.said(f"set server {BACKEND}/{server} state drain")
        self._wait(server, lambda state: state["scur"] == "0", "still holds requests")

    def admit(self, server: str) -> None:
        """Requests again; returns when its health check has passed."""
        self.said(f"set server {BACKEND}/{server} state ready")
        self.wait_up(server)

    def wait_up(self, server: str) -> None:
        self._wait(server, lambda state: state["status"] == "UP", "is not up")

    def _wait(self, server: str, reached: Callable[[Mapping[str, str]], bool], why: str) -> None:
        until = time.monotonic() + WITHIN
        while not reached(self.state(server)):
            if time.monotonic() > until:
                raise NotReady(f"{server} {why}")
            time.sleep(0.05)
