"""What a stranger, a browser or a broken client can do to the service, short of its sockets."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import SETTINGS, Config, ConfigError
from service.knowledge import Knowledge
from service.server import main
from tests.contract.requests import SERVICE, example, hook_call
from tests.contract.test_bad_input import issues

JSON = "application/json"
WORD = "Qx7-secret-9d1-of-a-site"
PLACES = (
    "/",
    "/cds-services",
    "/healthz",
    "/knowledge",
    "/nowhere",
    "/evaluate",
    "/openapi.yaml",
    "/static/pages.css",
)


@pytest.mark.parametrize("path", PLACES)
def test_every_answer_tells_browsers_what_they_may_do(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Server" not in headers
    assert "X-Powered-By" not in headers


@pytest.mark.parametrize("path", ["/knowledge", "/docs", "/static/pages.css"])
def test_what_is_unchanged_keeps_its_policy(client: FlaskClient, path: str) -> None:
    """A browser takes the headers of a 304 for those of the page that it kept."""
    first = client.get(path, headers={"Accept": "text/html"})
    unchanged = {"Accept": "text/html", "If-None-Match": first.headers["ETag"]}
    again = client.get(path, headers=unchanged)
    assert again.status_code == 304
    policy = first.headers["Content-Security-Policy"]
    assert again.headers.get("Content-Security-Policy", policy) == policy


@pytest.mark.parametrize("origins", ["*", "https://ehr.example"])
@pytest.mark.parametrize(
    "path", ["/", "/docs", "/knowledge", "/static/pages.css", "/fhir/metadata", "/feedback/summary", "/none"]
)
def test_each_header_stands_once(knowledge: Knowledge, path: str, origins: str) -> None:
    client = create_app(Config.from_environ({"CORS_ORIGINS": origins}), knowledge).test_client()
    for method in ("GET", "POST"):
        names = [name for name, _ in client.open(path, method=method).headers]
        assert len(names) == len(set(names))


def test_an_endpoint_that_answers_by_a_header_varies_by_the_origin_too(knowledge: Knowledge) -> None:
    client = create_app(Config.from_environ({"CORS_ORIGINS": "https://ehr.example"}), knowledge).test_client()
    assert client.get("/knowledge").headers["Vary"] == "Accept, Origin"
    assert client.get("/cds-services").headers["Vary"] == "Origin"


def test_only_a_site_on_https_is_locked_to_it(client: FlaskClient, knowledge: Knowledge) -> None:
    assert client.get("/healthz").headers["Strict-Transport-Security"].startswith("max-age=")
    plain = create_app(Config(public_base_url="http://127.0.0.1:8000"), knowledge).test_client()
    assert "Strict-Transport-Security" not in plain.get("/healthz").headers


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_turns_one_method_into_another(client: FlaskClient, name: str) -> None:
    assert issues(client.get("/evaluate", headers={name: "POST"}), 405)
    assert client.post(SERVICE, json=hook_call(), headers={name: "DELETE"}).status_code == 200
    assert issues(client.get("/evaluate?_method=POST"), 405)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "EVALUATE"])
@pytest.mark.parametrize("path", ["/evaluate", SERVICE, "/cds-services", "/healthz", "/knowledge"])
def test_methods_that_are_not_there(client: FlaskClient, method: str, path: str) -> None:
    assert issues(client.open(path, method=method, headers={"X-Echo": WORD}), 405)


def test_head_is_get_without_a_body_and_options_has_none(client: FlaskClient) -> None:
    head, get = client.head("/cds-services"), client.get("/cds-services")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    options = client.options("/evaluate")
    assert (options.status_code, options.data) == (200, b"")
    assert "POST" in options.headers["Allow"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:99999", "a b", "evil.example/x?", "[::1", "", "é"]
)
def test_the_host_that_a_caller_names_is_believed_by_nobody(client: FlaskClient, host: str) -> None:
    forged = {
        "Host": host,
        "X-Forwarded-Host": host,
        "Forwarded": f"host={host}",
        "X-Forwarded-Proto": "http",
    }
    plain = client.post(SERVICE, json=hook_call())
    del forged["Host"]
    assert client.post(SERVICE, json=hook_call(), headers=forged).data == plain.data
    forged["Host"] = host
    (issue,) = issues(client.post(SERVICE, json=hook_call(), headers=forged), 421)
    assert "ALLOWED_HOSTS" in issue["diagnostics"]
    assert "https://cds.example/knowledge" in plain.get_data(as_text=True)
    for path in ("//evil.example/cds-services", "/cds-services//", "/knowledge/", "/static//pages.css", "//"):
        answer = client.get(path, headers=forged)
        assert answer.status_code == 421, path
        assert "Location" not in answer.headers


@pytest.mark.parametrize("path", ["//evil.example/cds-services", "/cds-services//", "/knowledge/", "//"])
def test_no_address_is_answered_by_a_redirect(client: FlaskClient, path: str) -> None:
    # Given as a path: in a URL two slashes would begin a host.
    answer = client.get("/", environ_overrides={"PATH_INFO": path})
    assert answer.status_code in (200, 404)
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "host",
    ["cds.example", "CDS.example:8443", "alias.example", "gateway.internal:80", "localhost:8000",
     "127.0.0.1", "[::1]:8000", "[fd00::7]"],
)  # fmt: skip
def test_hosts_that_are_served(knowledge: Knowledge, host: str) -> None:
    environ = {
        "PUBLIC_BASE_URL": "https://cds.example, https://alias.example/cds",
        "ALLOWED_HOSTS": "Gateway.internal, [fd00::7]",
    }
    client = create_app(Config.from_environ(environ), knowledge).test_client()
    assert client.get("/cds-services", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_answered_to_any_host(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_a_refused_host_is_answered_and_logged_like_any_other_request(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "service.requests")
    response = client.get("/cds-services", headers={"Host": f"{WORD}.example"})
    assert issues(response, 421)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["X-Request-ID"] in caplog.text
    assert WORD not in caplog.text + response.get_data(as_text=True)
    assert client.head("/cds-services", headers={"Host": "evil.example"}).data == b""


def test_two_hosts_are_none(client: FlaskClient) -> None:
    assert issues(client.get("/healthz", headers={"Host": "localhost,evil.example"}), 400)


@pytest.mark.parametrize("version", ["HTTP/1.2", "HTTP/1.9", "HTTP/0.9", "HTTP/2.0", "HTTP/1.10", ""])
@pytest.mark.parametrize("path", ["/cds-services", "/healthz"])
def test_only_http_1_0_and_1_1_are_answered(client: FlaskClient, version: str, path: str) -> None:
    """Whatever the parser takes: gunicorn has two, and the slower one takes 1.2 to 1.9."""
    assert issues(client.get(path, environ_overrides={"SERVER_PROTOCOL": version}), 505)
    for served in ("HTTP/1.0", "HTTP/1.1"):
        assert client.get(path, environ_overrides={"SERVER_PROTOCOL": served}).status_code == 200


@pytest.mark.parametrize("written", ["https://cds.example", "cds.example:8000", "a b", "*", "cds.example/x"])
def test_a_host_that_is_none_stops_the_start(written: str) -> None:
    with pytest.raises(ConfigError, match=r"^ALLOWED_HOSTS: "):
        Config.from_environ({"ALLOWED_HOSTS": f"fine.example, {written}"})


def _twice(text: str, member: str) -> str:
    start = text.index(f'"{member}"')
    return f'{text[:start]}"{member}": null, {text[start:]}'


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context", "prefetch", "fhirServer"])
def test_a_member_that_stands_twice_is_refused(client: FlaskClient, member: str) -> None:
    text = json.dumps({"fhirServer": "https://fhir.example/R4", **hook_call()})
    assert client.post(SERVICE, data=text, content_type=JSON).status_code == 200
    (issue,) = issues(client.post(SERVICE, data=_twice(text, member), content_type=JSON), 400)
    assert "same name" in issue["diagnostics"]


@pytest.mark.parametrize(
    ("member", "place"), [("patientId", "context"), ("conditions", "prefetch"), ("asOf", "extension")]
)
def test_a_member_within_that_stands_twice_is_refused(client: FlaskClient, member: str, place: str) -> None:
    text = _twice(json.dumps(hook_call()), member)
    (issue,) = issues(client.post(SERVICE, data=text, content_type=JSON), 400)
    assert issue["expression"] == [place]


def test_a_member_whose_name_is_written_in_two_ways_stands_twice_too(client: FlaskClient) -> None:
    text = json.dumps(hook_call())
    escaped = '{"\\u0063ontext": {"patientId": "somebody-else", "userId": "Practitioner/1"}, ' + text[1:]
    assert issues(client.post(SERVICE, data=escaped, content_type=JSON), 400)


@pytest.mark.parametrize("depth", [200, 400, 800, 1500, 20_000])
@pytest.mark.parametrize("where", ["resource", "context", "extension", "prefetch", "own"])
def test_nesting_is_read_or_refused_in_one_sentence(client: FlaskClient, where: str, depth: int) -> None:
    call = hook_call()
    if where == "resource":
        call["prefetch"]["conditions"]["entry"][0]["resource"]["extension"] = "@"
    elif where == "own":
        call["vendor"] = "@"
    else:
        call.setdefault(where, {})["more"] = "@"
    body = json.dumps(call).replace('"@"', '{"a":[' * depth + "]}" * depth)
    response = client.post(SERVICE, data=body, content_type=JSON)
    if where == "resource" and depth < 800:
        # Nothing of the twitch rests on that member.
        assert response.status_code == 200
        assert response.get_json()["cards"]
    elif response.status_code == 200:
        assert depth < 1000
    else:
        (issue,) = issues(response, 400)
        assert depth >= 400
        assert issue["diagnostics"] == "The JSON is nested too deeply."


class Broken(io.BytesIO):
    def __init__(self, error: Exception) -> None:
        super().__init__(b"{")
        self.error = error

    def read(self, *_: Any) -> bytes:
        raise self.error

    readinto = read  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("error", "status"),
    [(TimeoutError("late"), 400), (ConnectionResetError("gone"), 400), (ValueError(WORD), 400)],
)
def test_a_body_that_does_not_arrive(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    response = client.post(
        "/evaluate",
        input_stream=Broken(error),
        content_type=JSON,
        headers={"Content-Length": "10"},
    )
    assert issues(response, status)
    assert WORD not in response.get_data(as_text=True) + caplog.text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity", "x" * 100])
def test_packed_bodies_are_not_unpacked(client: FlaskClient, encoding: str) -> None:
    response = client.post(SERVICE, json=hook_call(), headers={"Content-Encoding": encoding})
    assert issues(response, 415)


def test_secrets_come_from_the_environment_and_go_nowhere(knowledge: Knowledge, tmp_path: Path) -> None:
    (tmp_path / "admin").write_text(WORD)
    environ = {
        "JTI_STORE": f"redis://user:{WORD}@127.0.0.1:1/0",
        "ADMIN_TOKEN_FILE": str(tmp_path / "admin"),
    }
    config = Config.from_environ(environ)
    assert WORD not in repr(config)
    client = create_app(config, knowledge).test_client()
    assert WORD not in client.get("/readyz").get_data(as_text=True)
    shown = io.StringIO()
    assert main(["--help"], environ, shown) == 0
    assert WORD not in shown.getvalue()


def test_no_secret_is_an_argument() -> None:
    """An argument is seen by everyone on the machine: all settings are read from the environment."""
    out = io.StringIO()
    assert main(["--help"], {}, out) == 0
    assert [line.split()[0] for line in out.getvalue().splitlines()] == list(SETTINGS)
    assert "--" not in out.getvalue()


STATUSES: list[tuple[int, str, str, dict[str, Any]]] = [
    (400, "POST", SERVICE, {"data": b"{", "content_type": JSON}),
    (400, "POST", SERVICE, {"json": {"hook": "patient-view"}}),
    (400, "POST", "/evaluate?asOf=x", {"json": {"resourceType": "Bundle"}}),
    (404, "GET", "/nowhere", {}),
    (404, "POST", "/cds-services/no-such-service", {"json": {}}),
    (404, "GET", "/knowledge/no-such-row", {}),
    (404, "GET", "/fhir/Patient", {}),
    (405, "GET", "/evaluate", {}),
    (405, "DELETE", SERVICE, {}),
    (406, "GET", "/fhir/metadata", {"headers": {"Accept": "application/fhir+xml"}}),
    (412, "POST", SERVICE, {"json": hook_call(prefetch=None)}),
    (413, "POST", "/evaluate", {"data": b" " * 20_000_000, "content_type": JSON}),
    (415, "POST", "/evaluate", {"data": b"<a/>", "content_type": "application/xml"}),
    (422, "POST", "/evaluate", {"json": {"resourceType": "Patient"}}),
]


@pytest.mark.parametrize(("status", "method", "path", "more"), STATUSES)
def test_every_failure_is_an_operation_outcome(
    client: FlaskClient, status: int, method: str, path: str, more: dict[str, Any]
) -> None:
    for issue in issues(client.open(path, method=method, **more), status):
        assert issue["severity"] == "error"
        assert issue["code"] in ISSUE_TYPES
        assert issue["diagnostics"].endswith((".", "]")), issue


# Of http://hl7.org/fhir/issue-type, what the service uses.
ISSUE_TYPES = frozenset(
    ("invalid", "structure", "required", "value", "invariant", "login", "forbidden", "processing",
     "not-supported", "not-found", "too-long", "business-rule", "too-costly", "exception", "timeout",
     "transient", "incomplete")
)  # fmt: skip


def test_a_failure_of_our_own_says_nothing_but_that(
    app: Flask, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(WORD)

    monkeypatch.setattr("service.evaluation.Evaluator.evaluate", broken)
    client = create_app(Config(), knowledge).test_client()
    response = client.post("/evaluate", json=example("thigh-day-fifteen/bundle.json"))
    (issue,) = issues(response, 500)
    assert issue["code"] == "exception"
    assert WORD not in response.get_data(as_text=True) + caplog.text
    assert "RuntimeError" in caplog.text
