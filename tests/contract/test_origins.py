"""Which pages of other origins a browser lets read an answer, or post."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config, ConfigError
from service.knowledge import Knowledge
from tests.contract.requests import SERVICE

OWN = ("/", "/evaluate", "/metrics", "/feedback/summary", f"{SERVICE}/feedback", "/workbench/answer",
       "/workbench/form", "/workbench/patient", "/fhir/PlanDefinition/fasciculation/$apply",
       "/fhir/PlanDefinition/$apply", "/nowhere")  # fmt: skip
# An application takes longer to make than to ask.
SITES: dict[str, Flask] = {}
FETCHING = {"FHIR_SERVERS": "https://fhir.example/R4"}


def origin_allowed(knowledge: Knowledge, environ: dict[str, str], method: str, path: str) -> str | None:
    """What a browser is told that asks for a page of evil.example."""
    key = str(environ)
    if key not in SITES:
        SITES[key] = create_app(Config.from_environ(environ), knowledge)
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    return (
        SITES[key]
        .test_client()
        .open(path, method=method, headers=headers)
        .headers.get("Access-Control-Allow-Origin")
    )


@pytest.mark.parametrize("environ", [{}, {"CORS_ORIGINS": "*, https://ehr.example"}, FETCHING], ids=str)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", OWN)
def test_a_page_elsewhere_neither_reads_nor_posts(
    knowledge: Knowledge, path: str, method: str, environ: dict[str, str]
) -> None:
    assert origin_allowed(knowledge, environ, method, path) is None


@pytest.mark.parametrize("path", [path for path in OWN if path != "/workbench/form"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_what_a_browser_posts_without_a_preflight_is_not_read(
    client: FlaskClient, path: str, content_type: str | None
) -> None:
    assert client.post(path, data=b'{"feedback": []}', content_type=content_type).status_code in (
        404,
        405,
        415,
    )


@pytest.mark.parametrize("site", ["cross-site", "same-site", "odd"])
def test_the_form_of_the_workbench_is_posted_by_its_own_page(client: FlaskClient, site: str) -> None:
    for asking, status in ((site, 403), ("same-origin", 200), ("none", 200)):
        reply = client.post("/workbench/form", data={"text": "{}"}, headers={"Sec-Fetch-Site": asking})
        assert reply.status_code == status
    assert client.post("/workbench/form", data="{}", content_type="text/plain").status_code == 415


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_hook_calls_are_open_but_where_the_service_fetches_without_a_token(
    knowledge: Knowledge, method: str
) -> None:
    assert origin_allowed(knowledge, {}, method, SERVICE) == "*"
    assert origin_allowed(knowledge, FETCHING, method, SERVICE) is None
    named = {**FETCHING, "CORS_ORIGINS": "*, https://evil.example"}
    assert origin_allowed(knowledge, named, method, SERVICE) == "https://evil.example"


@pytest.mark.parametrize(
    "path", ["/cds-services", "/knowledge", "/fhir/metadata", "/docs", "/openapi.json", "/static/pages.css"]
)
def test_what_is_about_no_patient_is_open(knowledge: Knowledge, path: str) -> None:
    for environ in ({}, FETCHING):
        assert origin_allowed(knowledge, environ, "GET", path) == "*"


@pytest.mark.parametrize("path", [*OWN[1:], SERVICE, "/cds-services"])
@pytest.mark.parametrize("origins", ["https://evil.example", "*, https://evil.example"])
def test_an_origin_that_is_named_may_do_both(knowledge: Knowledge, path: str, origins: str) -> None:
    allowed = origin_allowed(knowledge, {"CORS_ORIGINS": origins}, "OPTIONS", path)
    assert allowed in ("https://evil.example", "*")
    assert (allowed == "*") == (origins.startswith("*") and path in (SERVICE, "/cds-services"))


@pytest.mark.parametrize(
    "origin",
    ["http://ehr.example", "https://ehr.example:8443", "https://ehr.example.evil.example",
     "https://EHR.example", "https://sub.ehr.example", "null", "https://ehr.example/",
     "https://evil.example, https://ehr.example", ""],
)  # fmt: skip
def test_origins_are_compared_letter_by_letter(knowledge: Knowledge, origin: str) -> None:
    client = create_app(Config(cors_origins=("https://ehr.example",)), knowledge).test_client()
    for answer in (
        client.get("/cds-services", headers={"Origin": origin}),
        client.options(SERVICE, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        # Or a cache would hand it to the origin that may.
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "written", ["https://ehr.example/", "ehr.example", "null", "https://*.example", "https://a b"]
)
def test_an_origin_that_no_browser_sends_stops_the_start(written: str) -> None:
    with pytest.raises(ConfigError, match=r"^CORS_ORIGINS: "):
        Config.from_environ({"CORS_ORIGINS": f"https://fine.example, {written}"})
