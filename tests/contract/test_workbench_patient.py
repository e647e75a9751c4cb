"""POST /workbench/patient: for the page on loopback alone; the far server's errors in plain words."""

from __future__ import annotations

import json
import logging
import socket
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.callers import Clock, callers
from tests.contract.fhir_server import PERSON, FhirServer, record, reply
from tests.contract.pages import Page
from tests.contract.test_bad_input import issues

PATH = "/workbench/patient"
ORIGIN = "http://127.0.0.1:8000"
TYPED = "typed-in-by-the-user"
SECRET = "only-for-these-tests-and-long-enough"  # noqa: S105


def site_of(knowledge: Knowledge, *bases: str, **settings: Any) -> FlaskClient:
    config = Config(fhir_servers=bases, card_secrets=(SECRET,), fhir_timeout=30.0, **settings)
    return create_app(config, knowledge).test_client()


@pytest.fixture
def client(knowledge: Knowledge, server: FhirServer) -> FlaskClient:
    return site_of(knowledge, server.base)


def token_of(client: FlaskClient) -> str:
    page = Page(client.get("/", base_url=ORIGIN).get_data(as_text=True))
    (token,) = [
        form.attributes["data-token"] for form in page.root.all("form") if "data-token" in form.attributes
    ]
    return token


def pulled(
    client: FlaskClient, held: FhirServer, headers: dict[str, str] | None = None, **body: Any
) -> TestResponse:
    sent = {
        "Origin": ORIGIN,
        "Sec-Fetch-Site": "same-origin",
        "X-Page-Token": token_of(client),
        **(headers or {}),
    }
    content = {"server": held.base, "patient": PERSON.id, **body}
    kept = {name: value for name, value in sent.items() if value}
    return client.post(PATH, json=content, headers=kept, base_url=kept.pop("Base", ORIGIN))


@pytest.mark.parametrize("page", [1000, 1])
@pytest.mark.parametrize("token", ["", TYPED])
def test_a_patient_is_fetched_and_decided_like_the_prefetch(
    client: FlaskClient, server: FhirServer, token: str, page: int
) -> None:
    server.page = page
    answer = pulled(client, server, token=token)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    content = answer.get_json()
    assert content["notes"] == []
    call = json.loads(content["text"])
    held = record()
    assert set(call["prefetch"]) == set(held)
    for key, value in held.items():
        # A server leaves out what a list without an entry may hold empty.
        assert call["prefetch"][key].get("entry", []) == value.get("entry", []), key
    sent = {headers.get("Authorization") for _, headers in server.asked}
    assert sent == {f"Bearer {token}" if token else None}
    shown = client.post(
        "/workbench/answer", json={"text": content["text"], "asOf": "2026-06-15", "chosen": True}
    )
    assert "thiazide" in shown.get_json()["html"]


REFUSED = {
    "no-origin": {"Origin": ""},
    "another-origin": {"Origin": "https://evil.example"},
    "another-port": {"Origin": "http://127.0.0.1:9000"},
    "another-name-of-loopback": {"Origin": "http://localhost:8000"},
    "null-origin": {"Origin": "null"},
    "another-site": {"Sec-Fetch-Site": "cross-site"},
    "the-same-site": {"Sec-Fetch-Site": "same-site"},
    "no-token": {"X-Page-Token": ""},
    "a-wrong-token": {"X-Page-Token": "0" * 64},
    "a-token-of-letters": {"X-Page-Token": "\u00fc"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_only_its_own_page_may_ask(client: FlaskClient, server: FhirServer, name: str) -> None:
    assert issues(pulled(client, server, REFUSED[name]), 403)
    assert server.asked == []


def test_a_host_that_is_allowed_and_not_loopback_is_refused(knowledge: Knowledge, server: FhirServer) -> None:
    client = site_of(knowledge, server.base, allowed_hosts=("cds.example",))
    headers = {"Origin": "http://cds.example", "X-Page-Token": token_of(client)}
    body = {"server": server.base, "patient": PERSON.id}
    assert issues(client.post(PATH, json=body, headers=headers, base_url="http://cds.example"), 403)
    evil = {**headers, "Origin": "http://evil.example"}
    assert issues(client.post(PATH, json=body, headers=evil, base_url="http://evil.example"), 421)
    assert server.asked == []


def test_an_old_browser_names_no_site(client: FlaskClient, server: FhirServer) -> None:
    assert pulled(client, server, {"Sec-Fetch-Site": ""}).status_code == 200


def test_no_other_site_may_read_the_token(client: FlaskClient) -> None:
    assert (
        "Access-Control-Allow-Origin"
        not in client.get("/", headers={"Origin": "https://evil.example"}).headers
    )
    preflight = client.options(PATH, headers={"Origin": "https://evil.example"})
    assert "X-Page-Token" not in preflight.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "0.0.0.0"},  # noqa: S104
        {"public_base_url": "https://cds.example"},
        {"fhir_servers": ()},
    ],
    ids=["off-loopback", "behind-a-proxy", "no-servers"],
)
def test_it_is_off_elsewhere(knowledge: Knowledge, server: FhirServer, settings: dict[str, Any]) -> None:
    config = Config(**{"fhir_servers": (server.base,), "card_secrets": (SECRET,), **settings})
    client = create_app(config, knowledge).test_client()
    assert "data-token" not in client.get("/").get_data(as_text=True)
    assert issues(client.post(PATH, json={}, headers={"Origin": "http://localhost"}), 404)
    assert server.asked == []


def test_it_is_off_where_callers_need_a_token(knowledge: Knowledge, server: FhirServer) -> None:
    config = Config(cds_auth="jwt", fhir_servers=(server.base,), card_secrets=(SECRET,))
    client = create_app(config, knowledge, callers(Clock())).test_client()
    assert issues(client.post(PATH, json={}), 404)


@pytest.mark.parametrize(
    ("body", "status"),
    {
        "another-server": ({"server": "http://127.0.0.1:9/fhir"}, 400),
        "a-server-of-a-like-name": ({"server": "{base}.evil.example"}, 400),
        "a-path-as-patient": ({"patient": "p/../q"}, 400),
        "a-query-as-patient": ({"patient": "p?_id=q"}, 400),
        "dots-as-patient": ({"patient": ".."}, 422),
        "no-patient": ({"patient": ""}, 400),
        "a-token-with-a-line": ({"token": "a\r\nX: y"}, 422),
        "more": ({"more": 1}, 400),
    }.values(),
)
def test_what_is_typed_is_checked(
    client: FlaskClient, server: FhirServer, body: dict[str, Any], status: int
) -> None:
    if "server" in body:
        body = {"server": body["server"].replace("{base}", server.base)}
    assert issues(pulled(client, server, **body), status)
    assert all(".." not in path.partition("?")[0] for path, _ in server.asked)


def _redirect(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, {}, 302, Location="http://127.0.0.1:9/")


PLAIN = {
    "401": (lambda handler: reply(handler, {}, 401), "refuses the token, or asks for one (401)"),
    "403": (lambda handler: reply(handler, {}, 403), "does not let this token read it (403)"),
    "404": (lambda handler: reply(handler, {}, 404), "no such address or patient (404)"),
    "410": (lambda handler: reply(handler, {}, 410), "deleted (410)"),
    "429": (lambda handler: reply(handler, {}, 429), "too often (429)"),
    "418": (lambda handler: reply(handler, {}, 418), "answered with status 418"),
    "503": (lambda handler: reply(handler, {}, 503), "not available now"),
    "redirect": (_redirect, "redirect, which is not followed"),
    "html": (lambda handler: reply(handler, b"<html>"), "not JSON"),
    "another-resource": (lambda handler: reply(handler, {"resourceType": "Basic"}), "another resource"),
    "another-patient": (
        lambda handler: reply(handler, {"resourceType": "Patient", "id": "x"}),
        "another patient",
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_an_error_of_the_server_is_told_in_plain_words(
    client: FlaskClient, server: FhirServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.behaves["patient"], words = PLAIN[name]
    answer = pulled(client, server, token=TYPED)
    (issue,) = issues(answer, 422)
    assert issue["diagnostics"].startswith("Not fetched (patient): the server ")
    assert words in issue["diagnostics"]
    for text in (caplog.text, answer.get_data(as_text=True)):
        assert TYPED not in text
    assert PERSON.id not in caplog.text.replace(f"/{PERSON.id}?", "")


def test_a_list_that_is_lost_is_named_and_the_rest_is_decided(
    client: FlaskClient, server: FhirServer
) -> None:
    for key in ("medications", "orders"):
        server.behaves[key] = lambda handler: reply(handler, {}, 403)
    content = pulled(client, server).get_json()
    (note,) = content["notes"]
    assert "medications" in note
    assert "orders" in note
    assert note.endswith("the server does not let this token read it (403).")
    call = json.loads(content["text"])
    assert {"medications", "orders"}.isdisjoint(call["prefetch"])


def test_a_server_that_is_not_there(knowledge: Knowledge, server: FhirServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}/fhir"
    client = site_of(knowledge, base)
    (issue,) = issues(pulled(client, server, server=base), 422)
    assert "cannot be reached" in issue["diagnostics"]
