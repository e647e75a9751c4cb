"""HAProxy as it is steered while it runs: a replica taken out and put back without a lost request."""

from __future__ import annotations

import csv
import io
import os
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.cluster.parts import WITHIN, NotReady, Part

BACKEND = "replicas"
CONFIGURATION = Path(__file__).parents[1] / "haproxy.cfg"


def proxy_environment(
    listen: str, control: str, replicas: Sequence[str], connections: int, certificate: Path | None
) -> dict[str, str]:
    """What haproxy.cfg reads: addresses as host:port, and requests that each replica is given at a time."""
    return {
        "PATH": os.environ["PATH"] + ":/usr/sbin",
        "LISTEN": listen,
        "CONTROL": control,
        "CONNECTIONS": str(connections),
        "MAX_BODY_BYTES": str(16 * 1024 * 1024),
        "ORIGINS": "*",
        **({"CERTIFICATE": str(certificate)} if certificate else {}),
        **{f"REPLICA_{number}": address for number, address in enumerate(replicas, 1)},
    }


def proxy_part(
    listen: str,
    control: Path | str,
    replicas: Sequence[str],
    connections: int,
    log: Path,
    ready: Callable[[], bool],
    certificate: Path | None = None,
) -> Part:
    """HAProxy with haproxy.cfg, not started yet; plain HTTP without a certificate."""
    environ = proxy_environment(listen, str(control), replicas, connections, certificate)
    program = shutil.which("haproxy", path=environ["PATH"]) or "haproxy"
    return Part("HAProxy", [program, "-db", "-f", str(CONFIGURATION)], log, ready, environ=environ)


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
        return self.states(server)[BACKEND]

    def states(self, server: str) -> dict[str, dict[str, str]]:
        """The same by backend: large bodies have one of their own."""
        lines = csv.DictReader(io.StringIO(self.said("show stat").lstrip("# ")))
        return {line["pxname"]: line for line in lines if line["svname"] == server}

    def drain(self, server: str) -> None:
        """No new requests for it; returns when it holds none."""
        for backend in self.states(server):
            self.said(f"set server {backend}/{server} state drain")
        until = time.monotonic() + WITHIN
        while any(state["scur"] != "0" for state in self.states(server).values()):
            if time.monotonic() > until:
                raise NotReady(f"{server} still holds requests")
            time.sleep(0.05)

    def admit(self, server: str) -> None:
        """Requests again; returns when its health check has passed."""
        for backend in self.states(server):
            self.said(f"set server {backend}/{server} state ready")
        self.wait_up(server)

    def wait_up(self, server: str) -> None:
        until = time.monotonic() + WITHIN
        while self.state(server)["status"] != "UP":
            if time.monotonic() > until:
                raise NotReady(f"{server} is not up")
            time.sleep(0.05)
