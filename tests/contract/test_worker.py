"""The service as it is started: connections, and what happens to them when a worker ends."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contract.requests import SERVICE, hook_call
from tests.contract.served import HELD, Served, asked, served, until
from tests.docs.conftest import PROJECT

EXAMPLES = list((PROJECT / "examples").glob("*/bundle.json"))
CALL = json.dumps(hook_call()).encode()
HEAD = f"POST {SERVICE} HTTP/1.1\r\nHost: cds.example\r\nContent-Type: application/json\r\n"
WHOLE = f"{HEAD}Content-Length: {len(CALL)}\r\n\r\n".encode() + CALL


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One worker, patient with clients."""
    with served(tmp_path_factory.mktemp("one")) as started:
        started.held.unlink()
        yield started


@pytest.fixture
def holding(one: Served) -> Iterator[Served]:
    """The same, with decisions that can be held up."""
    one.held.touch()
    yield one
    one.held.unlink(missing_ok=True)


def answer(stream: Any) -> tuple[int, dict[str, str], bytes]:
    """The next answer on that stream; status 0 where it ended."""
    first = stream.readline().split()
    if not first:
        return 0, {}, b""
    headers = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return int(first[1]), headers, stream.read(int(headers.get("content-length", 0)))


def test_a_connection_serves_many_requests(one: Served) -> None:
    connection = one.connect()
    for method, path, body, status in [
        ("GET", "/cds-services", None, 200),
        ("POST", SERVICE, CALL, 200),
        ("POST", SERVICE, b"{", 400),
        ("POST", "/cds-services/none", CALL, 404),
        ("HEAD", "/knowledge", None, 200),
        ("GET", "/static/pages.css", None, 200),
        ("POST", SERVICE, CALL, 200),
    ]:
        got, headers, _ = asked(connection, method, path, body)
        assert (got, headers["Connection"]) == (status, "keep-alive")


def test_connections_that_say_nothing_hold_no_thread(one: Served) -> None:
    with ExitStack() as stack:
        for _ in range(24):
            stack.enter_context(one.socket())
        # Held for five seconds each, they would let a probe wait for forty.
        with one.socket() as client:
            client.settimeout(4)
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: cds.example\r\n\r\n")
            assert answer(client.makefile("rb"))[0] == 200


def test_requests_that_are_sent_at_once_are_answered_in_their_order(one: Served) -> None:
    other = b"GET /healthz HTTP/1.1\r\nHost: cds.example\r\n\r\n"
    chunked = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{len(CALL):x}\r\n".encode() + CALL + b"\r\n0\r\n\r\n"
    with one.socket() as client:
        client.sendall(WHOLE + other + chunked + other + b"\r\n" + WHOLE)
        stream = client.makefile("rb")
        bodies = [answer(stream)[2] for _ in range(5)]
    assert bodies[1] == bodies[3] == b'{"status":"ok"}'
    assert bodies[0] == bodies[2] == bodies[4]
    assert json.loads(bodies[0])["cards"]


@pytest.mark.parametrize(
    "request_line",
    ["GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
)
def test_who_wants_one_answer_gets_one(one: Served, request_line: str) -> None:
    with one.socket() as client:
        client.sendall(request_line.encode())
        stream = client.makefile("rb")
        status, headers, _ = answer(stream)
        assert (status, headers["connection"]) == (200, "close")
        assert stream.read() == b""


def test_who_has_said_all_still_gets_the_answer(one: Served) -> None:
    with one.socket() as client:
        client.sendall(WHOLE)
        client.shutdown(socket.SHUT_WR)
        assert answer(client.makefile("rb"))[0] == 200


def test_who_has_said_all_gets_one_answer(one: Served) -> None:
    """Also where that is seen while the answer is on its way."""
    for _ in range(200):
        with one.socket() as client:
            client.sendall(WHOLE)
            client.shutdown(socket.SHUT_WR)
            stream = client.makefile("rb")
            assert answer(stream)[0] == 200
            assert stream.read() == b""


def test_who_sends_more_than_it_said_does_not_lose_its_answer(one: Served) -> None:
    last = WHOLE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    for more in (b"", b"\r\n", b"x" * 1_000_000):
        with one.socket() as client:
            client.sendall(last + more)
            stream = client.makefile("rb")
            status, headers, body = answer(stream)
            assert (status, headers["connection"]) == (200, "close")
            assert json.loads(body)["cards"]
            assert stream.read() == b""


def test_who_asks_before_sending_is_told_to_go_on(one: Served) -> None:
    head = f"{HEAD}Expect: 100-continue\r\nContent-Length: {len(CALL)}\r\n\r\n".encode()
    with one.socket() as client:
        client.sendall(head)
        stream = client.makefile("rb")
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert stream.readline() == b"\r\n"
        client.sendall(CALL)
        assert answer(stream)[0] == 200


@pytest.mark.parametrize("hosts", ["", "Host: cds.example\r\nHost: other.example\r\n"])
def test_a_request_is_for_one_host(one: Served, hosts: str) -> None:
    with one.socket() as client:
        client.sendall(f"GET /healthz HTTP/1.1\r\n{hosts}\r\n".encode())
        assert answer(client.makefile("rb"))[0] == 400


def test_an_old_client_need_not_name_the_host(one: Served) -> None:
    with one.socket() as client:
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert answer(client.makefile("rb"))[0] == 200


def test_what_was_begun_is_finished_at_a_stop(tmp_path: Path) -> None:
    with served(tmp_path) as started, ThreadPoolExecutor(2) as clients:
        idle = started.connect()
        assert asked(idle, "GET", "/healthz")[0] == 200
        begun = clients.submit(started.call, hookInstance=HELD)
        until(lambda: b"in_flight 2.0" in started.get("/metrics")[1])
        with started.socket() as half:
            half.sendall(WHOLE[:200])
            until(lambda: started.alive())
            started.signal(signal.SIGTERM)
            until(lambda: refuses(started))
            # Who kept a connection is answered once more and told that it ends.
            status, headers, _ = asked(idle, "POST", SERVICE, CALL)
            assert (status, headers["Connection"]) == (200, "close")
            half.sendall(WHOLE[200:])
            assert answer(half.makefile("rb"))[0] == 200
            started.held.unlink()
            assert begun.result()[0] == 200
        assert started.process.wait(60) == 0


def refuses(started: Served) -> bool:
    """A proxy sends a refused connection to another replica."""
    try:
        started.socket().close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_worker_that_has_answered_enough_is_replaced_without_a_failed_call(tmp_path: Path) -> None:
    changes = "server.MAX_REQUESTS, server.JITTER = 10, 0"
    with served(tmp_path, changes) as started:
        first, connection = started.workers(), started.connect()
        seen: set[int] = set()

        def replaced_twice() -> bool:
            nonlocal seen
            for _ in range(10):
                status, headers, _ = asked(connection, "POST", SERVICE, CALL)
                assert status == 200
                if headers["Connection"] == "close":
                    connection.close()
            seen |= started.workers()
            return len(seen - first) >= 2

        until(replaced_twice)


def test_decisions_side_by_side_are_those_one_by_one(tmp_path: Path) -> None:
    bodies = [path.read_bytes() for path in sorted(EXAMPLES)] * 8
    with served(tmp_path, "sys.setswitchinterval(0.00001); server.THREADS = 8") as started:
        path = "/evaluate?asOf=2026-06-15"

        def evaluated(body: bytes) -> bytes:
            status, _, content = asked(started.connect(), "POST", path, body)
            assert status == 200
            return content

        one_by_one = [evaluated(body) for body in bodies[: len(EXAMPLES)]] * 8
        with ThreadPoolExecutor(8) as clients:
            assert list(clients.map(evaluated, bodies)) == one_by_one


@pytest.mark.parametrize("keeps", [True, False])
def test_new_workers_take_over_without_a_failed_call(tmp_path: Path, keeps: bool) -> None:
    with served(tmp_path, WEB_CONCURRENCY="2") as started:
        over, counts, problems = threading.Event(), [0] * 4, []

        def calls(number: int) -> None:
            connection = started.connect()
            while not over.is_set():
                try:
                    status, headers, _ = asked(connection, "POST", SERVICE, CALL)
                    if status != 200:
                        problems.append(str(status))
                    if not keeps or headers["Connection"] == "close":
                        connection.close()
                except (OSError, http.client.HTTPException) as error:
                    problems.append(type(error).__name__)
                    connection.close()
                counts[number] += 1

        with ThreadPoolExecutor(4) as clients:
            running = [clients.submit(calls, number) for number in range(4)]
            for _ in range(2):
                before = started.workers()
                until(lambda: min(counts) > 3)
                started.signal(signal.SIGHUP)
                until(lambda before=before: len(started.workers() - before) == 2 == len(started.workers()))  # type: ignore[misc]
                counts[:] = [0] * 4
                until(lambda: min(counts) > 3)
            over.set()
            for one in running:
                one.result()
        assert problems == []
