"""A FHIR server that never ends: the test ends because the service did not wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.fhir_client import MAX_SERVER_REQUESTS, SILENCE_S, FhirServers, Wanted, template_of
from service.knowledge import Knowledge
from tests.contract.fhir_server import PERSON, FhirServer, asked, call, record, reply, site
from tests.contract.requests import SERVICE

SHORT = 0.5


@pytest.fixture
def hasty(knowledge: Knowledge, fhir_servers: tuple[FhirServer, FhirServer]) -> FlaskClient:
    """A site that does not wait long."""
    return site(knowledge, fhir_servers[0], SHORT).test_client()


def slowly(server: FhirServer, at_once: bytes, after: bytes) -> Callable[[Any], None]:
    """Says the first at once, and the second one byte after the other until the test is over."""

    def behave(handler: Any) -> None:
        handler.wfile.write(at_once)
        while not server.closing.wait(0.02):
            for place in range(len(after)):
                handler.wfile.write(after[place : place + 1])
                if server.closing.wait(0.02):
                    return

    return behave


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
# name -> what is said at once, and what comes after it byte by byte; nothing: it waits.
ENDLESS = {
    "hangs": (b"", b""),
    "hangs after the head": (HEAD, b""),
    "trickles the body": (HEAD, b"   "),
    "trickles the head": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "trickles the status": (b"", b"H"),
    "says to go on for ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_who_never_ends_is_not_waited_for(hasty: FlaskClient, server: FhirServer, name: str) -> None:
    server.behaves["labs"] = slowly(server, *ENDLESS[name])
    found = asked(hasty, server, "labs")
    assert found["notSeen"] == ["labs"]
    assert found["results"] == []
    assert not server.closing.is_set()


def test_a_second_page_that_never_comes_is_seen_in_part(hasty: FlaskClient, server: FhirServer) -> None:
    first, hangs = threading.Event(), slowly(server, *ENDLESS["hangs"])
    server.page = 1

    def behave(handler: Any) -> None:
        if first.is_set():
            hangs(handler)
        first.set()
        reply(handler, server.answer_to(handler.path))

    server.behaves["labs"] = behave
    found = asked(hasty, server, "labs")
    assert found["notSeen"] == ["labs"]
    assert len(found["results"]) <= 1


@pytest.mark.parametrize("name", ["hangs", "hangs after the head", "trickles the body"])
def test_who_is_not_waited_for_gives_its_place_back(server: FhirServer, name: str) -> None:
    """But for a head that never ends, a thread ends by itself soon after the deadline."""
    server.behaves["patient"] = slowly(server, *ENDLESS[name])
    template = template_of("Patient/{{context.patientId}}", {"patientId": PERSON.id})
    assert template is not None
    now = [0.0]
    servers = FhirServers((server.base,), 0.1, clock=lambda: time.monotonic() + now[0])
    for _ in range(MAX_SERVER_REQUESTS + 5):
        had = servers.lists(call(None, server.base), PERSON.id, {"patient": Wanted(template)}, None)
        assert had.why == {"patient": "timeout"}
        now[0] += SILENCE_S


def test_a_machine_without_threads_still_answers(
    knowledge: Knowledge, server: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    template = template_of("Patient/{{context.patientId}}", {"patientId": PERSON.id})
    assert template is not None
    servers = FhirServers((server.base,), 1.0)
    for _ in range(2 * MAX_SERVER_REQUESTS):
        had = servers.lists(call(None, server.base), PERSON.id, {"patient": Wanted(template)}, None)
        assert had.why == {"patient": "busy"}


def test_one_deadline_holds_for_all_lists(hasty: FlaskClient, server: FhirServer) -> None:
    for key in record():
        server.behaves[key] = slowly(server, *ENDLESS["hangs"])
    response = hasty.post(SERVICE, json=call(None, server.base))
    assert response.status_code == 412
    named = {issue["expression"][0] for issue in response.get_json(force=True)["issue"]}
    assert named == {"prefetch.conditions", "prefetch.findings"}


def test_a_server_that_hangs_holds_no_more_than_its_places(knowledge: Knowledge, server: FhirServer) -> None:
    for key in record():
        server.behaves[key] = slowly(server, *ENDLESS["trickles the head"])
    templates = knowledge.hooks[0]["prefetch"]
    filled = {key: template_of(text, {"patientId": PERSON.id}) for key, text in templates.items()}
    wanted = {key: Wanted(template) for key, template in filled.items() if template}
    now = [0.0]
    # Each call comes when the server may be asked again.
    servers = FhirServers((server.base,), 0.2, clock=lambda: time.monotonic() + now[0])
    before = threading.active_count()
    why = []
    for _ in range(8):
        why.append(servers.lists(call(None, server.base), PERSON.id, wanted, None).why)
        now[0] += SILENCE_S
    assert set(why[0].values()) == {"timeout"}
    assert set(why[-1].values()) == {"busy"}
    assert len(server.asked) <= MAX_SERVER_REQUESTS
    assert threading.active_count() - before <= 2 * MAX_SERVER_REQUESTS


def test_a_silent_server_is_not_asked_again_at_once(knowledge: Knowledge, server: FhirServer) -> None:
    """Each call that waits for it holds one of the few threads of a worker."""
    server.behaves["patient"] = slowly(server, *ENDLESS["hangs"])
    template = template_of(knowledge.hooks[0]["prefetch"]["patient"], {"patientId": PERSON.id})
    assert template is not None
    now = [0.0]
    servers = FhirServers((server.base,), 0.2, clock=lambda: time.monotonic() + now[0])

    def why() -> object:
        return servers.lists(call(None, server.base), PERSON.id, {"patient": Wanted(template)}, None).why

    assert why() == {"patient": "timeout"}
    asked_once = len(server.asked)
    assert why() == {"patient": "busy"}
    assert len(server.asked) == asked_once
    now[0] += SILENCE_S
    assert why() == {"patient": "timeout"}
