"""The worker under clients that are slow, many, or still there when it stops."""

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

from schemas.operation_outcome import OperationOutcomeSchema
from tests.contract.requests import SERVICE, hook_call
from tests.contract.served import HELD, Served, asked, served, until
from tests.docs.conftest import PROJECT

EXAMPLES = [path.name for path in (PROJECT / "examples").glob("v*-bundle.json")]
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


@pytest.mark.parametrize("sent", [b"", b"PO", WHOLE[:100], WHOLE[:-1]])
def test_clients_that_have_not_sent_all_hold_up_nobody(one: Served, sent: bytes) -> None:
    with ExitStack() as slow:
        for _ in range(100):
            slow.enter_context(one.socket()).sendall(sent)
        assert one.call()[0] == 200


def test_a_large_body_that_is_arriving_holds_up_nobody(one: Served) -> None:
    with one.socket() as large:
        large.sendall(f"{HEAD}Content-Length: 16000000\r\n\r\n".encode())
        for _ in range(10):
            large.sendall(b" " * 1_000_000)
            assert one.call()[0] == 200
        large.sendall(b" " * 6_000_000)
        assert answer(large.makefile("rb"))[0] == 400


def test_clients_that_do_not_take_their_answer_hold_up_nobody(one: Served) -> None:
    request = b"GET /openapi.json HTTP/1.1\r\nHost: cds.example\r\n\r\n"
    with ExitStack() as slow:
        for _ in range(30):
            client = slow.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", one.port))
            client.sendall(request * 20)
        assert one.call()[0] == 200
        # One that begins to take it gets all of it.
        stream = client.makefile("rb")
        assert [answer(stream)[0] for _ in range(20)] == [200] * 20


def test_what_takes_long_holds_up_nobody(holding: Served) -> None:
    with ThreadPoolExecutor(8) as clients:
        slow = [clients.submit(holding.call, hookInstance=HELD) for _ in range(8)]
        until(lambda: b"in_flight 9.0" in holding.get("/metrics")[1])
        assert holding.call()[0] == 200
        assert not [one for one in slow if one.done()]
        holding.held.unlink()
        assert [one.result()[0] for one in slow] == [200] * 8


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


def test_who_asks_before_sending_too_much_is_told_at_once(one: Served) -> None:
    head = f"{HEAD}Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n".encode()
    with one.socket() as client:
        client.sendall(head)
        status, headers, body = answer(client.makefile("rb"))
    assert (status, headers["connection"]) == (413, "close")
    assert OperationOutcomeSchema().validate(json.loads(body)) == {}


def test_too_many_are_refused_at_once_and_nobody_else(tmp_path: Path) -> None:
    with served(tmp_path, "worker.FEW, worker.WAITS, worker.THREADS = 3, 0.0, 2") as started:
        with ThreadPoolExecutor(5) as clients:
            # Two are decided, three wait.
            accepted = [clients.submit(started.call, hookInstance=HELD) for _ in range(2)]
            until(lambda: b"in_flight 3.0" in started.get("/metrics")[1])
            accepted += [clients.submit(started.call) for _ in range(3)]
            until(lambda: b"waiting 3.0" in started.get("/metrics")[1])
            for _ in range(5):
                status, headers, body = started.call()
                assert (status, headers["Retry-After"]) == (503, "1")
                assert headers["Content-Type"] == "application/fhir+json"
                assert OperationOutcomeSchema().validate(json.loads(body)) == {}
            connection = started.connect()
            for _ in range(3):
                status, headers, _ = asked(connection, "POST", SERVICE, CALL)
                assert (status, headers["Connection"]) == (503, "keep-alive")
            for path in ("/healthz", "/readyz", "/metrics"):
                assert started.get(path)[0] == 200
            refused = [line for line in started.get("/metrics")[1].splitlines() if b"overload_total" in line]
            assert refused[-1].split()[1] == b"8.0"
            # Nobody is asked to send a body that will not be read.
            with started.socket() as client:
                client.sendall(f"{HEAD}Content-Length: 500000\r\n\r\n".encode())
                status, headers, _ = answer(client.makefile("rb"))
                assert (status, headers["connection"]) == (503, "close")
            started.held.unlink()
            assert [one.result()[0] for one in accepted] == [200] * 5
        assert started.call()[0] == 200


def test_bodies_that_are_arriving_have_a_bound_together(tmp_path: Path) -> None:
    with served(tmp_path, MAX_BODY_BYTES="1048576") as started, ExitStack() as clients:
        statuses = []
        for _ in range(8):
            client = clients.enter_context(started.socket())
            client.sendall(f"{HEAD}Content-Length: 1000000\r\n\r\n".encode() + b" " * 999_999)
            client.settimeout(0.5)
            try:
                statuses.append(answer(client.makefile("rb"))[0])
            except TimeoutError:
                statuses.append(None)
        assert set(statuses) == {None, 503}
        assert 3 <= statuses.count(None) <= 5


def test_bodies_that_were_answered_take_no_place(tmp_path: Path) -> None:
    body = CALL + b" " * (90_000 - len(CALL))
    with served(tmp_path, MAX_BODY_BYTES="100000") as started:
        statuses = [asked(started.connect(), "POST", SERVICE, body)[0] for _ in range(40)]
    assert statuses == [200] * 40


@pytest.mark.parametrize("hosts", ["", "Host: cds.example\r\nHost: other.example\r\n"])
def test_a_request_is_for_one_host(one: Served, hosts: str) -> None:
    with one.socket() as client:
        client.sendall(f"GET /healthz HTTP/1.1\r\n{hosts}\r\n".encode())
        assert answer(client.makefile("rb"))[0] == 400


def test_an_old_client_need_not_name_the_host(one: Served) -> None:
    with one.socket() as client:
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert answer(client.makefile("rb"))[0] == 200


def test_a_decision_that_hangs_costs_its_worker_and_no_other_request(tmp_path: Path) -> None:
    changes = "worker.HANGS = 0.5; from service import server; server._TIMEOUT = 2; worker._TICK = 0.1"
    with served(tmp_path, changes) as started:
        before = started.workers()
        status, headers, body = started.call(hookInstance=HELD)
        assert (status, headers["Connection"]) == (503, "close")
        assert json.loads(body)["issue"][0]["code"] == "transient"
        until(lambda: bool(started.workers()) and not started.workers() & before and started.alive())
        assert started.call()[0] == 200
        assert "Traceback" not in started.log.read_text()


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
            until(lambda: b"stopping" in started_stopping(started))
            # Who kept a connection is answered once more and told that it ends.
            status, headers, _ = asked(idle, "POST", SERVICE, CALL)
            assert (status, headers["Connection"]) == (200, "close")
            half.sendall(WHOLE[200:])
            status, headers, _ = answer(half.makefile("rb"))  # type: ignore[assignment]
            assert (status, headers["connection"]) == (200, "close")
            started.held.unlink()
            status, headers, _ = begun.result()
            assert (status, headers["Connection"]) == (200, "close")
        assert started.process.wait(60) == 0


def started_stopping(started: Served) -> bytes:
    status, body = started.get("/readyz")
    assert status in (200, 503)
    return body


def test_a_worker_that_has_answered_enough_is_replaced_without_a_failed_call(tmp_path: Path) -> None:
    changes = "from service import server; server.MAX_REQUESTS, server.JITTER = 10, 0"
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
    bodies = [(PROJECT / "examples" / name).read_bytes() for name in sorted(EXAMPLES)] * 8
    # All of them count as long: they run beside each other.
    with served(tmp_path, "worker.AT_ONCE, worker.SWITCHES = 8, 0.00001") as started:
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
