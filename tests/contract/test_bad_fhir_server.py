"""A FHIR server that hangs, lies or breaks off: the list it should give is not seen, and nothing worse."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.fhir_client import MAX_PAGES, MAX_RESOURCES
from service.fhir_client.transfer import MAX_ANSWER_BYTES
from service.knowledge import Knowledge
from tests.contract.fhir_server import (
    OTHER,
    PERSON,
    TOKEN,
    FhirServer,
    Resource,
    asked,
    assessment,
    call,
    record,
    reply,
    site,
)
from tests.contract.requests import SERVICE

EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "security"}]}


def broken(content: bytes, length: int | None = None, **headers: str) -> Callable[[Any], None]:
    """Says one length and closes before or after it."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        reply(handler, content, Content_Length=length or len(content), **headers)
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return behave


def raw(content: bytes) -> Callable[[Any], None]:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return behave


def sending(content: Any, status: int = 200, **headers: str) -> Callable[[Any], None]:
    return lambda handler: reply(handler, content, status, **headers)


def many(number: int) -> Resource:
    return {**EMPTY, "entry": [{} for _ in range(number)]}


HALF = gzip.compress(json.dumps(EMPTY).encode())[:-9]
BOMB = gzip.compress(b" " * (MAX_ANSWER_BYTES + 10_000_000))
# What the server does for the laboratory results -> the reason in the log.
BAD: dict[str, tuple[Callable[[Any], None], str]] = {
    "400": (sending(OUTCOME, 400), "status-400"),
    "401": (sending(OUTCOME, 401), "unauthorized"),
    "403": (sending(OUTCOME, 403), "forbidden"),
    "403 with a list": (sending(record()["labs"], 403), "forbidden"),
    "404": (sending(OUTCOME, 404), "not-found"),
    "410": (sending(OUTCOME, 410), "gone"),
    "429": (sending(OUTCOME, 429, Retry_After="3600"), "too-many-requests"),
    "500": (sending(b"<h1>Error</h1>", 500), "status-500"),
    "500 with a list": (sending(record()["labs"], 500), "status-500"),
    "502": (sending(b"", 502), "unavailable"),
    "503": (sending(OUTCOME, 503, Retry_After="3600"), "unavailable"),
    "504": (sending(b"", 504), "unavailable"),
    "201 with a list": (sending(record()["labs"], 201), "status-201"),
    "202": (sending(b"", 202), "status-202"),
    "204": (sending(b"", 204), "status-204"),
    "206 with a list": (sending(record()["labs"], 206), "status-206"),
    "nothing": (sending(b""), "not-json"),
    "HTML": (sending(b"<html>Please log in</html>", Content_Type="text/html"), "not-json"),
    "XML": (sending(b'<Bundle xmlns="http://hl7.org/fhir"/>'), "not-json"),
    "half of the JSON": (sending(json.dumps(record()["labs"]).encode()[:-20]), "not-json"),
    "rubbish after the JSON": (sending(json.dumps(EMPTY).encode() + b"}"), "not-json"),
    "two answers in one": (sending(json.dumps(EMPTY).encode() * 2), "not-json"),
    "random bytes": (sending(bytes(range(256))), "not-json"),
    "bad UTF-8": (sending(b'{"resourceType": "Bundle", "type": "\xff"}'), "not-json"),
    "nested too deeply": (sending(b'{"resourceType":"Bundle","entry":' + b"[" * 100_000), "not-json"),
    "null": (sending(b"null"), "wrong-resource"),
    "a number": (sending(b"7"), "wrong-resource"),
    "a list": (sending(b"[]"), "wrong-resource"),
    "an object": (sending(b"{}"), "wrong-resource"),
    "an OperationOutcome": (sending(OUTCOME), "wrong-resource"),
    "a resource": (sending(record()["labs"]["entry"][0]["resource"]), "wrong-resource"),
    "the patient": (sending(record()["patient"]), "wrong-resource"),
    "another Bundle": (sending({**EMPTY, "type": "batch-response", "entry": []}), "wrong-resource"),
    "a Bundle of no type": (sending({"resourceType": "Bundle"}), "wrong-resource"),
    "entries that are none": (sending({**EMPTY, "entry": "all"}), "wrong-resource"),
    "links that are none": (sending({**EMPTY, "link": {"relation": "next"}}), "wrong-resource"),
    "closed before the end": (broken(json.dumps(EMPTY).encode(), 10_000), "broken-off"),
    "a list, closed before the end": (broken(json.dumps(record()["labs"]).encode(), 10**7), "broken-off"),
    "two lengths": (sending(b"{}", **{"content-length": "1"}), "no-answer"),
    "closed at once": (raw(b""), "no-connection"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "no-connection"),
    "a chunk of no length": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
        "broken-off",
    ),
    "chunks without an end": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        "broken-off",
    ),
    "more headers than any": (raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n{}"), "no-connection"),
    "a header without an end": (raw(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 200_000), "no-connection"),
    "gzip that is none": (sending(b"{}", Content_Encoding="gzip"), "broken-off"),
    "half of a gzip": (sending(HALF, Content_Encoding="gzip"), "broken-off"),
    "a gzip bomb": (sending(BOMB, Content_Encoding="gzip"), "too-large"),
    "another encoding": (sending(b"{}", Content_Encoding="br"), "encoding"),
    "two encodings": (sending(b"{}", Content_Encoding="gzip, gzip"), "encoding"),
    "a huge body": (sending(b" " * (MAX_ANSWER_BYTES + 1)), "too-large"),
    "more resources than any": (sending(many(MAX_RESOURCES + 1)), "too-many-resources"),
}  # fmt: skip


@pytest.fixture(scope="module")
def asking(knowledge: Knowledge, fhir_servers: tuple[FhirServer, FhirServer]) -> FlaskClient:
    return site(knowledge, fhir_servers[0]).test_client()


@pytest.mark.parametrize(("behaves", "reason"), BAD.values(), ids=BAD)
def test_a_bad_answer_is_not_seen_and_nothing_of_it_is_used(
    asking: FlaskClient,
    server: FhirServer,
    caplog: pytest.LogCaptureFixture,
    behaves: Callable[[Any], None],
    reason: str,
) -> None:
    server.behaves["labs"] = behaves
    with caplog.at_level(logging.DEBUG):
        found = asked(asking, server, "labs")
    assert found["notSeen"] == ["labs"]
    assert found["results"] == []
    ours = [one.getMessage() for one in caplog.records if one.name == "service.fhir_client"]
    assert ours == [f"not had from fhirServer: labs ({reason})"]
    for secret in (PERSON.id, TOKEN, "Observation"):
        assert secret not in caplog.text
    assert len(server.asked) == (2 if reason in ("unavailable", "no-connection") else 1)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_fails_once_is_asked_for_once_more(asking: FlaskClient, server: FhirServer, status: int) -> None:
    def first_fails(handler: Any) -> None:
        fails = len(server.asked) == 1
        reply(handler, OUTCOME if fails else server.answer_to(handler.path), status if fails else 200)

    server.behaves["labs"] = first_fails
    assert asked(asking, server, "labs")["notSeen"] == []
    assert len(server.asked) == 2


def test_a_connection_that_breaks_once_is_made_once_more(asking: FlaskClient, server: FhirServer) -> None:
    def first_breaks(handler: Any) -> None:
        if len(server.asked) == 1:
            handler.close_connection = True
        else:
            reply(handler, server.answer_to(handler.path))

    server.behaves["labs"] = first_breaks
    assert asked(asking, server, "labs")["notSeen"] == []


def test_gzip_is_read(asking: FlaskClient, server: FhirServer) -> None:
    def packed(handler: Any) -> None:
        content = json.dumps(server.answer_to(handler.path)).encode()
        reply(handler, gzip.compress(content), Content_Encoding="gzip")

    server.behaves["labs"] = packed
    assert asked(asking, server, "labs")["notSeen"] == []
    assert server.asked[0][1]["Accept-Encoding"] == "gzip"


def chain(server: FhirServer, following: Callable[[int], int]) -> Callable[[Any], None]:
    """Pages that name each other by number."""

    def behave(handler: Any) -> None:
        number = int(handler.path.partition("&from=")[2] or 0)
        link = {
            "relation": "next",
            "url": f"{server.base}/Observation/more?key=labs&from={following(number)}",
        }
        reply(handler, {**EMPTY, "link": [link], "entry": record()["labs"]["entry"][:1]})

    return behave


@pytest.mark.parametrize(
    ("following", "requests"), [(lambda n: n, 2), (lambda n: 1 - n, 2), (lambda n: n + 1, MAX_PAGES)]
)
def test_next_links_without_an_end_are_left(
    asking: FlaskClient, server: FhirServer, following: Callable[[int], int], requests: int
) -> None:
    """What was seen is used, and the list counts as seen in part."""
    server.behaves["labs"] = chain(server, following)
    found = asked(asking, server, "labs")
    assert found["notSeen"] == ["labs"]
    assert len(found["results"]) == 1
    assert requests <= len(server.asked) <= requests + 1


@pytest.mark.parametrize("name", ["403", "HTML", "an OperationOutcome", "closed before the end"])
def test_a_next_page_that_cannot_be_had_is_seen_in_part(
    asking: FlaskClient, server: FhirServer, name: str
) -> None:
    server.page = 1

    def behave(handler: Any) -> None:
        if "/more?" in handler.path:
            BAD[name][0](handler)
        else:
            reply(handler, server.answer_to(handler.path))

    server.behaves["labs"] = behave
    found = asked(asking, server, "labs")
    assert found["notSeen"] == ["labs"]
    assert len(found["results"]) == 1


def test_all_answers_together_are_bounded(asking: FlaskClient, server: FhirServer) -> None:
    large = {**EMPTY, "meta": {"tag": [{"display": " " * (MAX_ANSWER_BYTES - 10_000)}]}}
    keys = ("labs", "orders", "reports", "procedures")
    for key in keys:
        server.behaves[key] = sending(large)
    found = asked(asking, server, *keys)
    assert 0 < len(found["notSeen"]) < len(keys)


@pytest.mark.parametrize(
    "patient",
    [
        {"resourceType": "Patient", "id": OTHER, "birthDate": "1950-01-01"},
        {"resourceType": "Patient", "birthDate": "1950-01-01"},
        {"resourceType": "Person", "id": PERSON.id},
        {**EMPTY, "entry": [{"resource": {"resourceType": "Patient", "id": OTHER}}]},
    ],
    ids=str,
)
def test_another_patient_is_not_used(asking: FlaskClient, server: FhirServer, patient: Resource) -> None:
    server.behaves["patient"] = sending(patient)
    found = asked(asking, server, "patient")
    assert found["notSeen"] == ["patient"]
    assert found["patient"] == PERSON.id
    assert OTHER not in json.dumps(found)


def of_another(value: Any) -> Any:
    text = json.dumps(value).replace(f"Patient/{PERSON.id}", f"Patient/{OTHER}")
    return json.loads(text.replace('"id": "', '"id": "other-'))


def test_resources_of_other_patients_among_ours_are_not_used(asking: FlaskClient, server: FhirServer) -> None:
    """A server that ignores the patient of a search returns everybody's."""
    whole = asked(asking, server)
    for key, held in record().items():
        if held.get("entry"):
            others = of_another(held["entry"])
            server.lists[key] = {**held, "entry": [*others, *held["entry"]]}
    found = assessment(asking.post(SERVICE, json=call(None, server.base)).get_json())
    assert found["notSeen"] == []
    # One Observation may be in several lists.
    sent = {entry["resource"]["id"] for held in record().values() for entry in held.get("entry", ())}
    assert len(found["notUsed"]) == len(sent)
    for name in ("level", "rows", "recommendations", "questions", "results", "drugs"):
        assert found[name] == whole[name], name


def test_a_list_of_others_alone_was_not_seen(asking: FlaskClient, server: FhirServer) -> None:
    server.lists["familyHistory"] = of_another(record()["familyHistory"])
    assert asked(asking, server, "familyHistory")["notSeen"] == ["familyHistory"]
