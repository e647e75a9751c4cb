"""The service behind HAProxy: slow clients, large bodies, and the proxy's own answers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deploy.cluster.parts import Part, free_port
from deploy.cluster.proxy import Proxy, proxy_environment
from tests.contract.requests import SERVICE, hook_call
from tests.contract.served import HELD, Served, asked, served, until
from tests.contract.test_worker import answer
from tests.deployment.test_compose import HAPROXY, NEEDS_HAPROXY
from tests.docs.conftest import PROJECT
from tools.openapi.answers import OperationOutcomeSchema

pytestmark = NEEDS_HAPROXY
CALL = json.dumps(hook_call()).encode()
HEAD = f"POST {SERVICE} HTTP/1.1\r\nHost: cds.example\r\nContent-Type: application/json\r\n"
ID = "0123456789abcdef0123456789abcdef"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NAME = "Wolkenstein-4711"


@contextmanager
def behind_proxy(
    folder: Path, *, shortened: tuple[tuple[str, str], ...] = (), **environ: str
) -> Iterator[Served]:
    """A replica with two workers, asked through the proxy. shortened: changes of haproxy.cfg."""
    text = (PROJECT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8")
    for before, after in shortened:
        assert before in text
        text = text.replace(before, after)
    (folder / "haproxy.cfg").write_text(text, encoding="utf-8")
    with served(folder, WEB_CONCURRENCY="2") as replica:
        port, control = free_port(), folder / "control"
        settings = proxy_environment(
            f"127.0.0.1:{port}", str(control), [f"127.0.0.1:{replica.port}"], 4, None
        )
        command = [str(HAPROXY), "-db", "-f", str(folder / "haproxy.cfg")]

        def ready() -> bool:
            try:
                return Proxy(control).state("replica1")["status"] == "UP"
            except OSError:
                return False

        part = Part("HAProxy", command, folder / "proxy.log", ready, environ={**settings, **environ})
        part.start()
        try:
            part.wait_ready()
            yield Served(replica.process, port, replica.held, folder / "proxy.log")
        finally:
            part.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    quick = (("timeout client 10s", "timeout client 3s"), ("wait-for-body time 25s", "wait-for-body time 2s"),
             ("timeout http-request 25s", "timeout http-request 2s"))  # fmt: skip
    with behind_proxy(tmp_path_factory.mktemp("site"), shortened=quick) as started:
        started.held.unlink()
        yield started


def refused(
    client: socket.socket, status: int, origin: str = "*", sent_id: str | None = None
) -> dict[str, str]:
    """The headers of that refusal, after all that each of them must have."""
    got, headers, body = answer(client.makefile("rb"))
    assert got == status, body
    assert headers["content-type"] == "application/fhir+json"
    assert OperationOutcomeSchema().validate(json.loads(body)) == {}
    assert headers.get("access-control-allow-origin", "") == origin
    if sent_id:
        assert headers["x-request-id"] == sent_id
    else:
        assert re.fullmatch(UUID, headers["x-request-id"])
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert ("retry-after" in headers) == (status in (502, 503, 504))
    assert NAME not in body.decode() + str(headers)
    return headers


def test_an_answer_of_the_service_passes_as_it_is(site: Served) -> None:
    status, headers, body = asked(
        site.connect(), "POST", SERVICE, CALL, Host="cds.example", **{"X-Request-ID": ID}
    )
    assert (status, headers["X-Request-ID"], headers["Access-Control-Allow-Origin"]) == (200, ID, "*")
    assert json.loads(body)["cards"]
    assert "Server" not in headers
    assert asked(site.connect(), "GET", "/cds-services", Host="evil.example")[0] == 421
    assert asked(site.connect(), "GET", "/metrics")[0] == 404


@pytest.mark.parametrize("size", [25_000, 900_000])
def test_clients_that_rest_in_the_middle_of_a_body_hold_up_nobody(site: Served, size: int) -> None:
    with ExitStack() as slow:
        for _ in range(64):
            client = slow.enter_context(site.socket())
            client.sendall(f"{HEAD}Content-Length: {size}\r\n\r\n".encode())
            client.sendall(b" " * (size // 2))
        for _ in range(10):
            assert site.call()[0] == 200


def test_clients_that_have_not_sent_all_hold_up_nobody(site: Served) -> None:
    whole = f"{HEAD}Content-Length: {len(CALL)}\r\n\r\n".encode() + CALL
    for sent in (b"", b"PO", whole[:100], whole[:-1]):
        with ExitStack() as slow:
            for _ in range(100):
                slow.enter_context(site.socket()).sendall(sent)
            assert site.call()[0] == 200


def test_clients_that_do_not_take_their_answer_hold_up_nobody(tmp_path: Path) -> None:
    """The proxy has their answers: none of them holds a place at the replica."""
    request = b"GET /openapi.json HTTP/1.1\r\nHost: cds.example\r\n\r\n"
    patient = (("timeout client 10s", "timeout client 600s"),)
    with behind_proxy(tmp_path, shortened=patient) as started, ExitStack() as slow:
        for _ in range(30):
            client = slow.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", started.port))
            client.sendall(request)
        proxy = Proxy(tmp_path / "control")
        # Asked at once, some get 503: that many wait longer than `timeout queue` on a busy machine.
        until(lambda: int(proxy.states("FRONTEND")["callers"]["req_tot"]) >= 30)
        until(lambda: proxy.state("replica1")["scur"] == proxy.state("BACKEND")["qcur"] == "0")
        assert started.call()[0] == 200
        assert int(proxy.states("FRONTEND")["callers"]["scur"]) >= 30


def test_a_body_that_rests_gets_408(site: Served) -> None:
    with site.socket() as client:
        client.sendall(f"{HEAD}X-Request-ID: {ID}\r\nContent-Length: 500\r\n\r\n".encode() + CALL[:100])
        refused(client, 408, sent_id=ID)


def test_a_body_that_drips_is_not_waited_for_for_ever(site: Served) -> None:
    """Each piece comes in time; the whole does not."""
    with site.socket() as client:
        client.sendall(f"{HEAD}Content-Length: 500\r\n\r\n".encode())
        for _ in range(12):
            client.sendall(b" ")
            time.sleep(0.1)
        refused(client, 408)


@pytest.mark.parametrize(
    ("sent", "status"), [(f"GET / HTTP/1.1\r\nHost: a\r\nPatient {NAME}\r\n\r\n", 400), (HEAD, 408)]
)
def test_a_head_that_the_proxy_cannot_read_is_refused_in_its_own_words(
    site: Served, sent: str, status: int
) -> None:
    """HAProxy before 3.3 has no other answer for it: haproxy/haproxy#3032."""
    with site.socket() as client:
        client.sendall(sent.encode())
        got, _, body = answer(client.makefile("rb"))
    assert got == status
    assert NAME not in body.decode()


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics"])
def test_metrics_are_asked_of_each_replica_behind_the_proxy(site: Served, path: str) -> None:
    status, _, body = asked(site.connect(), "GET", path, Host="cds.example")
    assert status == 404
    assert b"Ask each replica" in body


def test_the_log_of_the_proxy_names_no_other_path(site: Served) -> None:
    asked(site.connect(), "GET", f"/Patient/{NAME}", Host="cds.example")
    asked(site.connect(), "GET", "/cds-services", Host="cds.example")
    until(lambda: site.log.read_text().rstrip().endswith(" /cds-services"))
    assert NAME not in site.log.read_text()
    assert site.log.read_text().splitlines()[-2].endswith(" other")


def test_the_proxy_speaks_no_http_2(site: Served) -> None:
    """Each of its streams would have a buffer of its own."""
    with site.socket() as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        # A SETTINGS frame would begin with its length.
        assert client.recv(9)[3:4] != b"\x04"


@pytest.mark.parametrize("expect", ["", "Expect: 100-continue\r\n"])
def test_too_large_a_body_is_refused_before_it_is_sent(site: Served, expect: str) -> None:
    with site.socket() as client:
        client.sendall(f"{HEAD}{expect}Content-Length: 16777217\r\n\r\n".encode())
        assert refused(client, 413)["connection"] == "close"


def test_a_chunked_body_is_cut_off_at_the_limit(site: Served) -> None:
    with site.socket() as client:
        client.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(16):
            client.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
        client.sendall(b"1\r\n \r\n")
        status, _, body = answer(client.makefile("rb"))
    assert status == 413
    assert OperationOutcomeSchema().validate(json.loads(body)) == {}


def test_too_many_get_503_soon_and_probes_do_not_wait(tmp_path: Path) -> None:
    # Fewer than the threads of one worker: two workers do not share their requests evenly.
    with behind_proxy(tmp_path, CONNECTIONS="2") as started, ThreadPoolExecutor(2) as clients:
        # As many as the replica is given: they are held.
        slow = [clients.submit(started.call, hookInstance=HELD) for _ in range(2)]
        proxy = Proxy(tmp_path / "control")
        until(lambda: proxy.state("replica1")["scur"] == "2")
        began = time.monotonic()
        with started.socket() as client:
            client.sendall(f"{HEAD}Content-Length: {len(CALL)}\r\n\r\n".encode() + CALL)
            assert refused(client, 503)["retry-after"] == "1"
        assert 0.4 < time.monotonic() - began < 2
        # A large body has a place of its own.
        assert asked(started.connect(), "POST", SERVICE, CALL + b" " * 300_000)[0] == 200
        started.held.unlink()
        assert [one.result()[0] for one in slow] == [200] * 2
        assert started.call()[0] == 200


def test_large_bodies_wait_for_each_other_and_not_for_small_ones(tmp_path: Path) -> None:
    quick = (("timeout queue 5s", "timeout queue 1s"),)
    with behind_proxy(tmp_path, shortened=quick) as started, ThreadPoolExecutor(1) as clients:
        large = json.dumps(hook_call(hookInstance=HELD)).encode() + b" " * 300_000
        first = clients.submit(asked, started.connect(), "POST", SERVICE, large)
        control = Proxy(tmp_path / "control")
        until(lambda: control.states("replica1")["large"]["scur"] == "1")
        for _ in range(5):
            assert started.call()[0] == 200
        with started.socket() as client:
            client.sendall(f"{HEAD}Content-Length: {len(large)}\r\n\r\n".encode() + large)
            refused(client, 503)
        started.held.unlink()
        assert first.result()[0] == 200


@pytest.mark.parametrize(
    ("origin", "expected"), [("https://b.example", "https://b.example"), ("https://c.example", "")]
)
def test_the_proxys_own_answers_know_the_origins_of_the_service(
    tmp_path: Path, origin: str, expected: str
) -> None:
    with behind_proxy(tmp_path, ORIGINS="https://a.example https://b.example") as started:
        with started.socket() as client:
            client.sendall(f"{HEAD}Origin: {origin}\r\nContent-Length: 16777217\r\n\r\n".encode())
            headers = refused(client, 413, origin=expected)
        assert headers["vary"] == "Origin"


def test_a_replica_that_is_silent(tmp_path: Path) -> None:
    with behind_proxy(tmp_path, shortened=(("timeout server 65s", "timeout server 1s"),)) as started:
        held = json.dumps(hook_call(hookInstance=HELD)).encode()
        with started.socket() as client:
            client.sendall(f"{HEAD}Content-Length: {len(held)}\r\n\r\n".encode() + held)
            refused(client, 504)


def test_a_replica_that_dies_with_a_request(tmp_path: Path) -> None:
    with behind_proxy(tmp_path) as started, started.socket() as client:
        held = json.dumps(hook_call(hookInstance=HELD)).encode()
        client.sendall(f"{HEAD}Content-Length: {len(held)}\r\n\r\n".encode() + held)
        # Not merely accepted by the proxy: another worker would take it over from the queue of connections.
        until(started.held.with_name("holds").exists)
        for worker in started.workers():
            os.kill(worker, signal.SIGKILL)
        refused(client, 502)
