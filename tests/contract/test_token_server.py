"""The service as it is started, with two workers and Redis, asked over real connections."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contract.callers import EHR, Clock, Signer, jwks
from tests.docs.conftest import PROJECT, free_port, running

DISCOVERY = "/cds-services"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("jwt")
    (folder / "keys.json").write_bytes(jwks("p384-ehr"))
    (folder / "issuers.json").write_text(json.dumps({EHR: {"jwks": "keys.json"}}))
    return {
        "PATH": os.environ["PATH"],
        "PORT": str(free_port()),
        "CDS_AUTH": "jwt",
        "CDS_TRUSTED_ISSUERS": str(folder / "issuers.json"),
        "PUBLIC_BASE_URL": "https://cds.example",
        "WEB_CONCURRENCY": "2",
        "LOG_LEVEL": "DEBUG",
    }


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def port(settings: dict[str, str], redis_url: str, log: Path) -> Iterator[int]:
    environ = {**settings, "JTI_STORE": redis_url}
    command = [sys.executable, "-m", "service"]
    with (
        log.open("w") as out,
        running(
            command,
            f"http://127.0.0.1:{settings['PORT']}",
            cwd=PROJECT,
            env=environ,
            stdout=out,
            stderr=subprocess.STDOUT,
        ),
    ):
        yield int(settings["PORT"])


def status(port: int, *headers: str, path: str = DISCOVERY, method: str = "GET") -> int:
    """What a request of exactly these header lines is answered with."""
    lines = [f"{method} {path} HTTP/1.1", "Host: cds.example", "Connection: close", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return int(connection.makefile("rb").readline().split()[1])


def token(**changes: object) -> str:
    return Signer(Clock(time.time()), DISCOVERY).token(**changes)  # type: ignore[arg-type]


def test_a_token_is_taken_once_by_all_workers_together(port: int, log: Path) -> None:
    # No token is taken that is older than the first question to Redis: that is asked here.
    status(port, f"Authorization: Bearer {token()}")
    for _ in range(3):
        sent = token()
        with ThreadPoolExecutor(12) as together:
            answers = list(together.map(status, [port] * 12, [f"Authorization: Bearer {sent}"] * 12))
        assert sorted(answers) == [200, *[401] * 11]
        assert not [piece for piece in sent.split(".") if piece in log.read_text()]
    assert "replayed" in log.read_text()


def test_header_lines_that_stand_twice(port: int) -> None:
    sent = token()
    line = f"Authorization: Bearer {sent}"
    assert status(port, line, line) == 401
    assert status(port, line, f"authorization: Bearer {token()}") == 401
    assert status(port, "Authorization: Basic YTpi", line) == 401
    assert status(port, line) == 200


@pytest.mark.parametrize(
    "line",
    [
        "SCRIPT_NAME: /cds-services",
        "PATH_INFO: /healthz",
        "X-HTTP-Method-Override: OPTIONS",
        "X-Original-URL: /healthz",
        "X-Rewrite-URL: /healthz",
        "X-Forwarded-Prefix: /cds-services",
    ],
)
def test_no_header_opens_a_closed_address(port: int, line: str) -> None:
    assert status(port, line) in (401, 404)
    assert status(port, "X-Other: a", f"Authorization: Bearer {token()}") == 200


@pytest.mark.parametrize(
    "path",
    ["//cds-services", "/./cds-services", "/healthz/../cds-services", "/cds-services%2F", "/%63ds-services"],
)
def test_no_way_of_writing_an_address_opens_it(port: int, path: str) -> None:
    assert status(port, path=path) in (401, 404, 308)


def test_preflights_and_liveness_are_open(port: int) -> None:
    assert status(port, "Origin: https://ehr.example", method="OPTIONS") == 200
    assert status(port, path="/healthz") == 200


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("JTI_STORE", {}),
        ("CDS_TRUSTED_ISSUERS", {"CDS_TRUSTED_ISSUERS": "pyproject.toml", "WEB_CONCURRENCY": "1"}),
        ("ADMIN_TOKEN_FILE", {"ADMIN_TOKEN_FILE": ".dockerignore2", "WEB_CONCURRENCY": "1"}),
    ],
)
def test_a_wrong_mix_stops_the_start(settings: dict[str, str], name: str, changes: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service"],
        cwd=PROJECT,
        env={**settings, **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    told = json.loads(done.stderr)
    assert told["level"] == "CRITICAL"
    assert f" {name}: " in told["message"]
    assert "Traceback" not in done.stderr
