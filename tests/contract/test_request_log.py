"""One JSON line for every request: what it holds, what it never holds, and the ids that lead to it."""

from __future__ import annotations

import io
import json
import logging
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.endpoints.middleware import template_of
from service.knowledge import Knowledge
from service.logs import JsonLines, TextLines, format_message, formatter_for
from tests.contract.feedback_site import Site, accepted
from tests.contract.requests import DAY, SERVICE, example, hook_call

WORD = "Wolkenstein-4711"
ID = "X-Request-ID"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    def requests(self) -> list[dict[str, Any]]:
        lines = [json.loads(text) for text in self.texts]
        return [line for line in lines if line["logger"] == "service.requests"]

    def request(self) -> dict[str, Any]:
        (line,) = self.requests()
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What a service at LOG_LEVEL=INFO writes."""
    handler, log = Lines(), logging.getLogger("service")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
    log.setLevel(level)


def test_a_hook_call_is_one_line(client: FlaskClient, lines: Lines, knowledge: Knowledge) -> None:
    answered = client.post(SERVICE, json=hook_call(), headers={"traceparent": PARENT})
    line = lines.request()
    (card,) = answered.get_json()["cards"]
    assert line["level"] == "INFO"
    assert line["message"] == "request"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
    assert line["pid"] > 0
    assert line["ms"] > 0
    assert line["id"] == answered.headers[ID]
    assert line["trace"] == TRACE
    assert (line["method"], line["route"], line["status"]) == ("POST", "/cds-services/{service_id}", 200)
    assert (line["hook"], line["decision"], line["cards"]) == ("patient-view", "info", 1)
    assert line["rows"] == card["extension"]["org.fasciculation-cds"]["rows"]
    assert line["resources"] > 10
    assert (line["notUnderstood"], line["notUsed"], line["notSeen"]) == (0, 0, [])


def test_counts_of_what_was_not_used(client: FlaskClient, lines: Lines) -> None:
    bundle = example("thigh-day-fifteen/bundle.json")
    before = len(bundle["entry"])
    bundle["entry"].append({"resource": {"resourceType": "Condition", "id": "c", "code": WORD}})
    stranger = {"resourceType": "Condition", "id": "d", "subject": {"reference": f"Patient/{WORD}"}}
    bundle["entry"].append({"resource": stranger})
    client.post(f"/evaluate?asOf={DAY}", json=bundle)
    line = lines.request()
    assert (line["hook"], line["resources"]) == ("evaluate", before + 2)
    assert (line["notUnderstood"], line["notUsed"]) == (1, 1)


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("GET", f"/{WORD}?name={WORD}", 404, "other"),
        ("GET", f"/knowledge/{WORD}", 404, "/knowledge/{row}"),
        ("POST", f"/cds-services/{WORD}", 404, "/cds-services/{service_id}"),
        ("POST", f"{SERVICE}?patient={WORD}", 415, "/cds-services/{service_id}"),
        ("DELETE", SERVICE, 405, "other"),
        ("OPTIONS", SERVICE, 200, "/cds-services/{service_id}"),
    ],
)
def test_whatever_its_end_the_template_is_logged(
    client: FlaskClient, lines: Lines, method: str, path: str, status: int, route: str
) -> None:
    assert client.open(path, method=method).status_code == status
    line = lines.request()
    assert (line["route"], line["status"]) == (route, status)
    assert WORD not in "".join(lines.texts)


def test_a_failure_of_our_own_has_its_line_and_its_place(
    app: Flask, knowledge: Knowledge, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError(WORD)

    monkeypatch.setattr("service.evaluation.Evaluator.evaluate", fails)
    client = create_app(Config(), knowledge).test_client()
    assert (
        client.post(f"/evaluate?asOf={DAY}", json=example("thigh-day-fifteen/bundle.json")).status_code == 500
    )
    assert lines.request()["status"] == 500
    (error,) = [line for line in map(json.loads, lines.texts) if line["level"] == "ERROR"]
    assert error["message"].startswith("unexpected RuntimeError in fails line ")
    assert WORD not in "".join(lines.texts)


def test_feedback_is_counted_and_not_repeated(site: Site, lines: Lines) -> None:
    card = site.card()
    lines.texts.clear()
    reason = {"overrideReason": {"userComment": WORD}}
    assert site.post(accepted(card, **reason)).status_code == 200
    line = lines.request()
    assert (line["route"], line["items"]) == ("/cds-services/{service_id}/feedback", 1)
    assert WORD not in "".join(lines.texts)
    assert card["uuid"] not in "".join(lines.texts)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_machines_ask_all_day_has_no_line(client: FlaskClient, lines: Lines, path: str) -> None:
    assert client.get(path).status_code == 200
    assert lines.requests() == []


def test_no_line_where_the_level_says_so(client: FlaskClient, lines: Lines) -> None:
    logging.getLogger("service").setLevel(logging.WARNING)
    client.post(SERVICE, json=hook_call())
    assert lines.texts == []


@pytest.mark.parametrize("sent", [str(uuid.UUID(int=7)), TRACE, TRACE.upper()])
def test_an_id_that_no_person_makes_up_is_taken(client: FlaskClient, lines: Lines, sent: str) -> None:
    assert client.get("/cds-services", headers={ID: sent}).headers[ID] == sent
    assert lines.request()["id"] == sent


@pytest.mark.parametrize(
    "sent", ["", WORD, "4711", "1" * 31, "1" * 33, f"{TRACE}\t", str(uuid.UUID(int=7))[:-1] + "g", "Z" * 32]
)
def test_any_other_id_is_replaced(client: FlaskClient, lines: Lines, sent: str) -> None:
    given = client.get("/cds-services", headers={ID: sent}).headers[ID]
    assert re.fullmatch("[0-9a-f]{32}", given)
    assert given != sent.strip()
    assert lines.request()["id"] == given


def test_each_request_has_an_id_of_its_own_and_errors_have_one(client: FlaskClient) -> None:
    paths = ("/cds-services", "/cds-services", "/none", "/healthz")
    ids = [client.get(path).headers[ID] for path in paths]
    assert len(set(ids)) == len(paths)


@pytest.mark.parametrize(
    "sent",
    ["", WORD, f"00-{'0' * 32}-00f067aa0ba902b7-01", PARENT.upper(), f"{PARENT}-{WORD}", f"00-{WORD}-1-01"],
)
def test_what_is_no_traceparent_is_not_logged(client: FlaskClient, lines: Lines, sent: str) -> None:
    assert client.get("/cds-services", headers={"traceparent": sent}).status_code == 200
    assert "trace" not in lines.request()
    assert WORD not in "".join(lines.texts)


def test_templates_are_those_of_openapi() -> None:
    assert template_of("/docs/<path:file>") == "/docs/{file}"
    assert template_of("/fhir/<kind>/<name>") == "/fhir/{kind}/{name}"


def record_of_an_error() -> logging.LogRecord:
    try:
        raise ValueError(WORD)
    except ValueError as error:
        told = (type(error), error, error.__traceback__)
        return logging.LogRecord("service", logging.ERROR, "", 0, "it %s", ("failed",), told)


def test_an_exception_is_its_class_and_place_in_both_forms() -> None:
    line = json.loads(JsonLines().format(record_of_an_error()))
    assert (line["message"], line["error"]) == ("it failed", "ValueError")
    assert line["at"].startswith("record_of_an_error line ")
    text = TextLines().format(record_of_an_error())
    assert "ValueError record_of_an_error line " in text
    assert WORD not in text + str(line)


def test_no_text_can_begin_a_line_of_its_own() -> None:
    record = logging.LogRecord("service", logging.INFO, "", 0, 'a\n{"level":"ERROR"}\r\u2028', None, None)
    assert len(JsonLines().format(record).splitlines()) == 1


@pytest.mark.parametrize(
    "said", ["plain", 'a "b" \\ / c', "é", "\x7f", "\u2028", "".join(map(chr, range(300)))]
)
def test_a_line_is_printable_ascii(said: str) -> None:
    line = JsonLines().format(logging.LogRecord("service", logging.INFO, "", 0, said, None, None))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == said
    assert json.dumps(said) in line


def test_a_person_reads_text_and_a_machine_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert isinstance(formatter_for(Terminal()), TextLines)
    assert isinstance(formatter_for(io.StringIO()), JsonLines)
    assert format_message("It does not start:\nPORT: wrong", Terminal()) == "It does not start:\nPORT: wrong"
    assert json.loads(format_message("It does not start:\nPORT: wrong", io.StringIO()))["message"].endswith(
        "PORT: wrong"
    )
