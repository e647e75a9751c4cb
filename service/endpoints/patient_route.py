"""POST /workbench/patient: the record of a patient from a FHIR server of FHIR_SERVERS, for the workbench.

Only where the service listens on loopback without authentication, and only for its own page.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, Request, Response, request
from marshmallow import ValidationError

from fhir_mappings.request.bundles import Fetched
from fhir_mappings.request.json_body import InvalidBody, decoded, indented, with_raw_numbers
from schemas.evaluation_requests import WorkbenchPatientSchema
from schemas.urls import is_loopback
from service.config import Config
from service.endpoints.bodies import body_of
from service.endpoints.responses import json_answer
from service.errors import Forbidden, Issue, NotFound, RequestError, issues_of, rejection
from service.fhir_client import FhirServers, Wanted, template_of
from service.knowledge import Knowledge

_HOOK = "patient-view"
# Kind of failure of service/fhir_client -> its words after "the server".
_WORDS: Mapping[str, str] = {
    "address": "was not asked: the id cannot stand in an address",
    "another-id": "answered with another patient",
    "broken-off": "broke off its answer",
    "busy": "was silent a moment ago, or has too many requests of ours: try again in some seconds",
    "forbidden": "does not let this token read it (403)",
    "gone": "says that it was deleted (410)",
    "next-elsewhere": "has its next page at another address, which is not asked",
    "no-connection": "cannot be reached",
    "not-found": "has no such address or patient (404)",
    "not-json": "answered with something that is not JSON",
    "redirect": "answered with a redirect, which is not followed",
    "timeout": "did not answer within FHIR_TIMEOUT",
    "tls": "has a certificate that is not trusted: see FHIR_CA_FILE",
    "token-unusable": "was not asked: the token has characters that no bearer token has, or is too long",
    "too-large": "answered with more than is taken",
    "too-many-pages": "answered with more pages than are taken",
    "too-many-requests": "was asked too often (429): try again later",
    "too-many-resources": "answered with more resources than are taken",
    "unauthorized": "refuses the token, or asks for one (401)",
    "unavailable": "is not available now (502, 503 or 504)",
    "wrong-resource": "answered with another resource than was asked for",
}


def add_patient_route(
    blueprint: Blueprint, config: Config, servers: FhirServers, knowledge: Knowledge
) -> str:
    """Add the route. Returns the token of the page; "" where nothing may be fetched."""
    host = urlsplit(config.public_base_url).hostname or ""
    allowed = config.fhir_servers and config.cds_auth == "off" and is_loopback(config.host)
    key = config.card_secrets[0] if config.card_secrets else secrets.token_hex()
    page_token = hmac.digest(key.encode(), b"page of the workbench", "sha256").hex()
    templates = next(hook["prefetch"] for hook in knowledge.hooks if hook["hook"] == _HOOK)

    @blueprint.post("/workbench/patient")
    def patient() -> Response:
        if not (allowed and is_loopback(host)):
            raise NotFound([Issue("not-found", "Patients are fetched on loopback only, from FHIR_SERVERS.")])
        _check_page(request, page_token)
        asked = _asked(body_of(request))
        if asked["server"] not in config.fhir_servers:
            raise RequestError([Issue("value", "server: FHIR_SERVERS does not name it.", "server")])
        patient_id = asked["patient"]
        filled = {name: template_of(text, {"patientId": patient_id}) for name, text in templates.items()}
        wanted = {name: Wanted(template) for name, template in filled.items() if template}
        had = servers.typed(asked["server"], asked["token"], patient_id, wanted)
        notes = list(_notes(had.why))
        if "patient" not in had.lists:
            raise RequestError([Issue("processing", note) for note in notes], 422)
        call = {
            "hook": _HOOK,
            "hookInstance": str(uuid.uuid4()),
            "context": {"patientId": patient_id, "userId": f"Patient/{patient_id}"},
        }
        try:
            prefetch = {name: _content(fetched) for name, fetched in had.lists.items()}
            text = indented({**call, "prefetch": prefetch})
        except (ValueError, RecursionError):
            raise RequestError([Issue("processing", f"The server {_WORDS['not-json']}.")], 422) from None
        return json_answer({"text": text, "notes": notes})

    return page_token if allowed and is_loopback(host) else ""


def _check_page(request: Request, page_token: str) -> None:
    """Raise Forbidden unless the request comes from the page, and the page from loopback."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if not (
        is_loopback(host)
        and request.headers.get("Origin") == f"{request.scheme}://{request.host}"
        and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        and hmac.compare_digest(request.headers.get("X-Page-Token", "").encode(), page_token.encode())
    ):
        raise Forbidden([Issue("forbidden", "Only the page of this service may ask: load it again.", "http")])


def _asked(body: bytes) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], WorkbenchPatientSchema().load(decoded(body, dict[str, Any], "")))
    except InvalidBody as error:
        raise rejection(error, 400) from None
    except ValidationError as error:
        raise RequestError(list(issues_of(error.normalized_messages()))) from None


def _notes(why: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each kind of failure, with the lists that it lost."""
    lost = defaultdict(list)
    for name, kind in why.items():
        lost[kind].append(name)
    for kind, names in lost.items():
        status = kind.partition("status-")[2]
        words = _WORDS.get(kind) or (
            f"answered with status {status}" if status else "gave no answer that can be read"
        )
        yield f"Not fetched ({', '.join(names)}): the server {words}."


def _content(fetched: Fetched) -> Any:
    """The Patient, or the pages of a list as one; a `next` link stays where later pages are missing."""
    first, *more = (
        with_raw_numbers(bytes(page.raw).decode("utf-8-sig", "replace")) for page in fetched.pages
    )
    for page in more:
        first["entry"] = [*(first.get("entry") or ()), *(page.get("entry") or ())]
    if fetched.whole and first["resourceType"] == "Bundle":
        first.pop("link", None)
    return first
