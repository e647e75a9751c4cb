"""Where the project stands, and a service running as the README starts it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
STARTED_WITHIN = 60.0


def free_port() -> int:
    """A port of the loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answer_of(url: str, body: bytes | None = None, content_type: str = "application/fhir+json") -> Any:
    """The JSON that a GET (no body) or POST answers with 200."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    """Returns when the URL answers; an AssertionError when the process ended or the time is up."""
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the service ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"no answer from {url} within {STARTED_WITHIN:.0f} seconds")


@contextmanager
def running(command: list[str], url: str, **popen: Any) -> Iterator[str]:
    """The URL of a service started by that command, ended afterwards."""
    process = subprocess.Popen(command, text=True, **popen)
    try:
        wait_for(f"{url}/healthz", process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def service_url() -> Iterator[str]:
    """A service with an empty environment, as `make serve` runs it, on a free port."""
    port = free_port()
    environment = {"PORT": str(port), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "service"]
    with running(command, f"http://127.0.0.1:{port}", cwd=PROJECT, env=environment) as url:
        yield url
