"""Which address needs what, decided before a body is read; and what a browser needs to see of a refusal."""

from __future__ import annotations

import base64
import io
import logging
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.authentication.tokens import REASONS
from service.config import Config
from service.endpoints.authentication import ADMIN_ROUTES, DISABLED_ROUTES, PUBLIC, caller
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.contract.callers import ALIAS, BASE, CLINIC, EHR, Clock, Signer, app_for, bearer, callers, said
from tests.contract.requests import APPLY, SERVICE, applied, example, hook_call

SECRET = "only-for-these-tests-5f2c"  # noqa: S105
CALLS = {
    "/cds-services": ("GET", None),
    SERVICE: ("POST", hook_call()),
    SERVICE + "/feedback": ("POST", {"feedback": []}),
    "/evaluate": ("POST", example("thigh-day-fifteen/bundle.json")),
    APPLY: ("POST", applied(example("thigh-day-fifteen/bundle.json"))),
}


@pytest.fixture(scope="module")
def site(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """With routes that are not there yet, so that the rules for them are seen to hold."""
    file = tmp_path_factory.mktemp("admin") / "token"
    file.write_text(SECRET + "\n")
    store = f"sqlite:///{file.parent / 'feedback.sqlite3'}"
    upgrade(store)
    app = app_for(knowledge, callers(Clock()), admin_token_file=file, feedback_db=store)
    return with_later_routes(app)


def with_later_routes(app: Flask) -> Flask:
    there = {rule.rule for rule in app.url_map.iter_rules()}
    app.add_url_rule("/fhir/apply", "later_apply", lambda: "", methods=["POST"])
    for rule in {"/metrics", "/feedback/summary", "/docs/<path:file>", "/fhir/metadata", "/new"} - there:
        app.add_url_rule(rule, rule.replace("/", "_").replace(".", "_"), lambda **_: "later")
    feedback = "/cds-services/<service_id>/feedback"
    if feedback not in there:
        app.add_url_rule(feedback, "later_feedback", lambda service_id: "", methods=["POST"])
    return app


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.mark.parametrize("path", CALLS)
def test_cds_hooks_177_it_needs_a_token_with_its_own_url(client: FlaskClient, path: str) -> None:
    method, body = CALLS[path]
    assert said(client.open(path, method=method, json=body), 401) == REASONS["no-token"][1]
    for other in CALLS:
        token = Signer(Clock(), other).token()
        answered = client.open(path, method=method, json=body, headers=bearer(token))
        if other == path:
            assert answered.status_code == 200, answered.get_data(as_text=True)
        else:
            assert said(answered, 401).startswith(REASONS["audience"][1])


@pytest.mark.parametrize("path", CALLS)
def test_the_audience_is_without_query_and_slash_whatever_was_called(client: FlaskClient, path: str) -> None:
    method, body = CALLS[path]
    for called_as in (path + "/", path + "?asOf=2026-06-15", path + "/?asOf=2026-06-15"):
        for aud, status in ((BASE + path, 200), (ALIAS + path, 200), (BASE + called_as, 401)):
            token = Signer(Clock(), path).token(aud=aud)
            answered = client.open(called_as, method=method, json=body, headers=bearer(token))
            assert answered.status_code == status, (called_as, aud)


@pytest.mark.parametrize(
    ("headers", "status"), [({"Host": "evil.example"}, 421), ({"X-Forwarded-Host": "evil.example"}, 401)]
)
def test_the_audience_does_not_follow_the_host_header(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    token = Signer(Clock(), "/cds-services").token(aud="https://evil.example/cds-services")
    assert said(client.get("/cds-services", headers={**bearer(token), **headers}), status)


def test_every_address_is_open_or_needs_something(site: Flask) -> None:
    """A new route that nobody thought of needs a token."""
    client = site.test_client()
    for rule in site.url_map.iter_rules():
        path = rule.rule.replace("<service_id>", "x").replace("<row>", "x").replace("<path:file>", "x")
        for method in (rule.methods or set()) - {"OPTIONS"}:
            status = client.open(path, method=method).status_code
            if rule.rule.split("/")[1] in PUBLIC and method != "POST":
                assert status not in (401, 403), path
            else:
                assert status == (404 if rule.rule in DISABLED_ROUTES else 401), (method, path)


def test_what_is_kept_from_others_is_kept_by_nobody_on_the_way(client: FlaskClient) -> None:
    token = Signer(Clock(), "/cds-services").token()
    assert client.get("/cds-services", headers=bearer(token)).headers["Cache-Control"] == "no-store"
    assert client.get("/metrics", headers=basic("a", SECRET)).headers["Cache-Control"] == "no-store"
    assert "no-store" not in client.get("/knowledge").headers.get("Cache-Control", "")


def test_a_head_request_needs_a_token_too(client: FlaskClient) -> None:
    assert client.head("/cds-services").status_code == 401


@pytest.mark.parametrize("path", ["/nowhere", "/cds-services/a/b/c", "/evaluate/x"])
def test_an_address_that_does_not_exist_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", [*CALLS, "/healthz", "/metrics"])
def test_preflights_carry_no_token(client: FlaskClient, path: str) -> None:
    answered = client.options(
        path,
        headers={
            "Origin": "https://ehr.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    assert answered.status_code == 200
    assert "Authorization" in answered.headers["Access-Control-Allow-Headers"]


def test_the_workbench_is_off_and_the_front_page_lists_the_addresses(client: FlaskClient) -> None:
    assert "off" in said(client.post("/workbench/answer", json={"text": "{}"}), 404)
    assert "off" in said(client.post("/workbench/form", data={"text": "{}"}), 404)
    page = client.get("/").get_data(as_text=True)
    assert "/cds-services" in page
    assert "<textarea" not in page
    assert "<script" not in page


class Unreadable(io.BytesIO):
    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readinto = readline = readlines = read  # type: ignore[assignment]


def test_nothing_of_the_body_is_read_before(client: FlaskClient) -> None:
    def post(headers: dict[str, str]) -> int:
        return client.post(
            SERVICE,
            input_stream=Unreadable(b"{}"),
            headers=headers,
            content_type="application/json",
        ).status_code

    assert post({}) == 401
    assert post(bearer(Signer(Clock(), SERVICE).token())) == 400, "the control does read it"


def test_a_body_that_is_too_large_is_refused_for_its_token_first(client: FlaskClient) -> None:
    body = b" " * 20_000_000
    assert client.post(SERVICE, data=body, content_type="application/json").status_code == 401


def test_endpoints_see_who_calls(site: Flask) -> None:
    with site.test_request_context(
        "/cds-services", headers=bearer(Signer(Clock(), "/cds-services").token(tenant="a"))
    ):
        site.preprocess_request()
        found = caller()
        assert found is not None
        assert (found.issuer.iss, found.tenant) == (EHR, "a")
        assert found.issuer.iss != CLINIC


def test_without_authentication_nobody_is_asked(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/cds-services").status_code == 200
    assert client.get("/cds-services", headers=bearer("a.b.c")).status_code == 200
    assert client.get("/").status_code == 200
    with app.test_request_context("/cds-services"):
        app.preprocess_request()
        assert caller() is None


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.mark.parametrize("path", sorted(ADMIN_ROUTES))
@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("admin", ""),
        basic("admin", SECRET[:-1]),
        basic("admin", SECRET + "x"),
        basic("admin", SECRET.upper()),
        basic(SECRET, ""),
        {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Basic \u00e9"},
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": "Bearer " + base64.b64encode(f"admin:{SECRET}".encode()).decode()},
        {"Authorization": SECRET},
        {"Authorization": ", ".join([basic("admin", SECRET)["Authorization"]] * 2)},
        bearer(Signer(Clock(), "/metrics").token()),
    ],
)
def test_counts_need_the_admin_token(
    client: FlaskClient, path: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answered = client.get(path, headers=headers)
    assert answered.status_code == 401
    assert answered.headers["WWW-Authenticate"].startswith("Basic ")
    assert SECRET not in caplog.text + answered.get_data(as_text=True)
    assert client.get(path, headers=basic("prometheus", SECRET)).status_code == 200


def test_the_admin_token_is_no_token_of_a_caller(client: FlaskClient) -> None:
    assert said(client.get("/cds-services", headers=basic("admin", SECRET)), 401) == REASONS["not-bearer"][1]


def test_without_an_admin_token_counts_are_closed(knowledge: Knowledge) -> None:
    client = with_later_routes(app_for(knowledge, callers(Clock()))).test_client()
    for headers in ({}, basic("admin", ""), basic("admin", "None")):
        assert "ADMIN_TOKEN_FILE" in said(client.get("/metrics", headers=headers), 403)


def test_without_authentication_counts_ask_for_the_admin_token_where_there_is_one(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    closed = with_later_routes(create_app(Config(admin_token_file=file), knowledge)).test_client()
    assert closed.get("/metrics").status_code == 401
    assert closed.get("/metrics", headers=basic("a", SECRET)).status_code == 200
    assert with_later_routes(create_app(Config(), knowledge)).test_client().get("/metrics").status_code == 200
