"""The service as it is started, asked byte by byte: what never reaches the application."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.requests import SERVICE, hook_call
from tests.docs.conftest import PROJECT, free_port, running
from tools.openapi.answers import OperationOutcomeSchema

NAME = "Wolkenstein-4711"
HOST = "Host: cds.example"
JSON = "Content-Type: application/json"
CALL = json.dumps(hook_call()).encode()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def port(log: Path) -> Iterator[int]:
    number = free_port()
    environ = {"PATH": os.environ["PATH"], "PORT": str(number), "WEB_CONCURRENCY": "1", "LOG_LEVEL": "DEBUG",
               "ALLOWED_HOSTS": "cds.example"}  # fmt: skip
    with (
        log.open("w") as out,
        running(
            [sys.executable, "-m", "service"],
            f"http://127.0.0.1:{number}",
            cwd=PROJECT,
            env=environ,
            stdout=out,
            stderr=subprocess.STDOUT,
        ),
    ):
        yield number


def answer(port: int, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to exactly these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        stream = connection.makefile("rb")
        status = int(stream.readline().split()[1])
        headers = {}
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, stream.read(int(headers["content-length"]))


def request(*lines: str, method: str = "POST", path: str = SERVICE, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1") + body


def refused(port: int, log: Path, status: int, *pieces: bytes) -> None:
    before = log.read_text()
    got, headers, body = answer(port, *pieces)
    assert got == status, body
    assert headers["content-type"] == "application/fhir+json"
    assert headers["x-content-type-options"] == "nosniff"
    assert not re.search("[0-9]", headers.get("server", ""))
    assert headers["access-control-allow-origin"] == "*"
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert OperationOutcomeSchema().validate(json.loads(body)) == {}
    logged = log.read_text().removeprefix(before)
    assert NAME not in body.decode() + logged
    assert "Traceback" not in logged


def test_a_call_is_answered_without_the_version_of_the_server(port: int) -> None:
    status, headers, body = answer(port, request(HOST, JSON, f"Content-Length: {len(CALL)}", body=CALL))
    assert status == 200
    assert json.loads(body)["cards"]
    assert not re.search("[0-9]", headers.get("server", ""))


def test_the_log_holds_no_path_and_no_header_at_any_level(port: int, log: Path) -> None:
    before = log.read_text()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nAuthorization: Bearer {NAME}".encode())
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)
    answer(port, request(HOST, method="GET", path=f"/fhir/ValueSet/{NAME}"))
    logged = log.read_text().removeprefix(before)
    assert NAME not in logged


@pytest.mark.parametrize(
    ("status", "lines", "method", "path"),
    [
        (414, (HOST,), "GET", f"/knowledge?patient={NAME}" + "x" * 5000),
        (431, (HOST, f"X-Patient: {NAME}" + "x" * 9000), "GET", "/healthz"),
        (431, (HOST, *(f"X-{n}: {NAME}" for n in range(80))), "GET", "/healthz"),
        (400, (HOST, f"Patient {NAME}"), "GET", "/healthz"),
        (400, (HOST, f"Bad Name: {NAME}"), "GET", "/healthz"),
        (400, (HOST, f"X-A: a\r\n {NAME}"), "GET", "/healthz"),
        (400, (HOST,), f"GE({NAME})T", "/healthz"),
        (400, (HOST, "Content-Length: 5", "Content-Length: 6"), "POST", SERVICE),
        (400, (HOST, "Content-Length: -1"), "POST", SERVICE),
        (400, (HOST, "Content-Length: +5"), "POST", SERVICE),
        (400, (HOST, "Content-Length: 5, 5"), "POST", SERVICE),
        (400, (HOST, "Content-Length: \u00b2"), "POST", SERVICE),
        (400, (HOST, "Transfer-Encoding : chunked"), "POST", SERVICE),
        (400, (HOST, "Transfer-Encoding: chunked, identity"), "POST", SERVICE),
        (400, (HOST, "Content-Length: 5", "Transfer-Encoding: chunked"), "POST", SERVICE),
        (501, (HOST, f"Transfer-Encoding: {NAME}"), "POST", SERVICE),
        (417, (HOST, f"Expect: {NAME}", "Content-Length: 0"), "POST", SERVICE),
    ],
)
def test_what_is_not_http_is_refused_and_not_repeated(
    port: int, log: Path, status: int, lines: tuple[str, ...], method: str, path: str
) -> None:
    refused(port, log, status, request(*lines, method=method, path=path))


@pytest.mark.parametrize("version", ["0.9", "1.2", "1.9", "2.0", "3.0"])
def test_another_version_of_http_is_refused(port: int, log: Path, version: str) -> None:
    asked = request(HOST, method="GET", path="/cds-services").replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    refused(port, log, 505, asked)


def test_http_1_0_needs_no_host(port: int) -> None:
    assert answer(port, b"GET /healthz HTTP/1.0\r\n\r\n")[0] == 200


@pytest.mark.parametrize(
    "chunks", [f"{NAME}\r\nxx\r\n", "5\r\nabcdeXX0\r\n\r\n", "-1\r\n\r\n", "0x5\r\nabcde\r\n0\r\n\r\n"]
)
def test_chunks_that_are_none(port: int, log: Path, chunks: str) -> None:
    refused(port, log, 400, request(HOST, JSON, "Transfer-Encoding: chunked", body=chunks.encode()))


def test_a_chunked_call_is_read(port: int) -> None:
    body = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (100, CALL[:100], len(CALL) - 100, CALL[100:])
    status, _, _ = answer(port, request(HOST, JSON, "Transfer-Encoding: chunked", body=body))
    assert status == 200


def test_a_chunked_body_without_an_end_is_cut_off_at_the_limit(port: int, log: Path) -> None:
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    head = request(HOST, JSON, "Transfer-Encoding: chunked")
    refused(port, log, 413, head, *[chunk] * 16, b"1\r\n")


def test_a_connection_that_ends_early_is_no_news(port: int, log: Path) -> None:
    before = log.read_text()
    for piece in (b"", b"PO", request(HOST, JSON, "Content-Length: 500") + CALL[:20]):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(piece)
    assert answer(port, request(HOST, method="GET", path="/healthz"))[0] == 200
    logged = log.read_text().removeprefix(before)
    assert "Traceback" not in logged
    assert "ERROR" not in logged
