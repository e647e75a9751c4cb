"""Which servers may be written down, who reaches which, and which addresses lie under one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from schemas.urls import fhir_server_problem
from service.authentication.trusted_issuers import Issuer
from service.fhir_client import template_of
from service.fhir_client.access import is_under
from service.knowledge import Knowledge
from tests.contract.callers import CLINIC, EHR, Clock, Signer, app_for, bearer, callers
from tests.contract.fhir_server import FhirServer, assessment, call, record
from tests.contract.requests import SERVICE


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://ehr.example/fhir", True),
        ("https://ehr.example", True),
        ("https://ehr.example:8443/tenants/a-1/R4", True),
        ("http://127.0.0.1:8080/fhir", True),
        ("http://[::1]:8080/fhir", True),
        ("http://localhost/fhir", True),
        ("http://ehr.example/fhir", False),
        ("http://127.0.0.1.nip.io/fhir", False),
        ("http://2130706433/fhir", False),
        ("http://0.0.0.0/fhir", False),
        ("https://EHR.example/fhir", False),
        ("HTTPS://ehr.example/fhir", False),
        ("https://user@ehr.example/fhir", False),
        ("https://ehr.example/fhir?a=b", False),
        ("https://ehr.example/fhir?", False),
        ("https://ehr.example/fhir#a", False),
        ("https://ehr.example/a/../fhir", False),
        ("https://ehr.example/./fhir", False),
        ("https://ehr.example/%66hir", False),
        ("https://ehr.example//fhir", False),
        ("https://ehr.example/fhir;a", False),
        ("https://faß.example/fhir", False),
        ("https://ehr.example:0/fhir", False),
        ("https://ehr.example:99999/fhir", False),
        ("https://ehr.example\\fhir", False),
        ("https:///fhir", False),
        ("ftp://ehr.example/fhir", False),
        ("ehr.example/fhir", False),
    ],
)
def test_what_may_be_written_down(url: str, fine: bool) -> None:
    assert (fhir_server_problem(url) is None) == fine


@pytest.mark.parametrize("base", ["http://127.0.0.1:80/fhir", "https://ehr.example"])
def test_what_lies_under_a_base(base: str) -> None:
    for below in ("/Patient/1", "?_getpages=a-b&_offset=1", "/Observation?code=a%2Cb|c&_sort=-date", "/"):
        assert is_under(base, base + below), below
    for beside in (
        "",
        "x",
        ".evil.example/",
        "@evil.example/",
        ":8080/",
        "/..",
        "/a/../b",
        "/%2e%2e/b",
        "/.?",
    ):
        assert not is_under(base, base + beside), beside


@pytest.mark.parametrize(
    ("template", "context", "address"),
    [
        ("Patient/{{context.patientId}}", {"patientId": "Patient/a-1"}, "Patient/a-1"),
        ("A?b={{context.patientId}}&c=d", {"patientId": "1&c=e#/../ y"}, "A?b=1%26c%3De%23%2F..%2F%20y&c=d"),
        ("A?b={{context.encounterId}}", {"encounterId": 7}, "A?b=7"),
        ("A?b={{context.encounterId}}", {}, None),
        ("A?b={{context.encounterId}}", {"encounterId": ""}, None),
        ("A?b={{context.encounterId}}", {"encounterId": None}, None),
        ("A?b={{context.encounterId}}", {"encounterId": True}, None),
        ("A?b={{context.encounterId}}", {"encounterId": {"a": 1}}, None),
        ("A?b={{userPractitionerId}}", {"userId": "Practitioner/1"}, None),
    ],
)  # fmt: skip
def test_a_template_is_filled_from_the_context(
    template: str, context: dict[str, Any], address: str | None
) -> None:
    filled = template_of(template, context)
    assert (filled.address if filled else None) == address


@pytest.mark.parametrize(
    ("iss", "own", "asked"),
    [
        (EHR, True, True),
        (EHR, False, False),
        (CLINIC, False, False),
    ],
)
def test_a_caller_reaches_only_its_own_servers(
    knowledge: Knowledge, server: FhirServer, trap: FhirServer, iss: str, own: bool, asked: bool
) -> None:
    """Both servers are allowed to the site; each issuer has its own."""
    clock = Clock()
    its = {EHR: server.base if own else trap.base + "/", CLINIC: trap.base}
    issuers = {name: Issuer(name, fhir_servers=(its[name],)) for name in (EHR, CLINIC)}
    app = app_for(
        knowledge, callers(clock, issuers=issuers), fhir_servers=(server.base, trap.base), fhir_timeout=120.0
    )
    signer = Signer(clock, SERVICE, iss, "p384-ehr" if iss == EHR else "rsa-clinic")
    body = call({"conditions": record()["conditions"]}, server.base)
    response = app.test_client().post(SERVICE, json=body, headers=bearer(signer.token()))
    assert response.status_code == 200, response.get_data(as_text=True)
    assert (assessment(response.get_json())["notSeen"] == []) == asked
    assert bool(server.asked) == asked
    assert trap.asked == []


def test_an_issuer_without_servers_reaches_none(knowledge: Knowledge, server: FhirServer) -> None:
    clock = Clock()
    app = app_for(knowledge, callers(clock), fhir_servers=(server.base,), fhir_timeout=120.0)
    body = call({"conditions": record()["conditions"]}, server.base)
    headers = bearer(Signer(clock, SERVICE).token())
    assert app.test_client().post(SERVICE, json=body, headers=headers).status_code == 200
    assert server.asked == []


PIECES = [
    *"/\\@:?#.%a;[]&=| \t\n\u3002\uff0f",
    "..",
    "//",
    "%2e",
    "%2f",
    "%5c",
    ":80",
    "[::1]",
    "http:",
    "b.example",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_two_readers_of_urls_agree_about_what_is_taken(rest: str) -> None:
    """One of them sends the request, the other stands for everyone else who may read the address."""
    url = "https://ehr.example/fhir" + rest
    if not is_under("https://ehr.example/fhir", url):
        return
    sent = requests.Request("GET", url).prepare().url
    assert sent is not None
    for read in (urlsplit(url), urlsplit(sent)):
        assert (read.scheme, read.netloc) == ("https", "ehr.example")
        assert read.path == "/fhir" or read.path.startswith("/fhir/")
        assert ".." not in read.path.split("/")
