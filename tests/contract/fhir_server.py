"""A FHIR server on loopback with one patient's lists; it misbehaves when told to and keeps what is sent."""

from __future__ import annotations

import copy
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from fhir_mappings.request.bundles import PREFETCH_KEYS
from service.app import create_app
from service.config import Config
from service.fhir_client import template_of
from service.knowledge import Knowledge
from tests.contract.requests import DAY, SERVICE
from tests.vignettes.dialects import DIALECTS
from tests.vignettes.patient import BY_ID, Person

Resource = dict[str, Any]
Behaviour = Callable[[BaseHTTPRequestHandler], None]
PERSON = BY_ID["v08"]
OTHER = "somebody-else"
TOKEN = "the-token-of-this-call"  # noqa: S105 - invented
# Long enough for the slowest machine: who waits for it has failed.
PATIENT_SECONDS = 120.0
TYPES = {
    "conditions": "Condition",
    "findings": "Observation",
    "labs": "Observation",
    "examinations": "Observation",
    "medications": "MedicationRequest",
    "medicationStatements": "MedicationStatement",
    "orders": "ServiceRequest",
    "procedures": "Procedure",
    "reports": "DiagnosticReport",
    "familyHistory": "FamilyMemberHistory",
}


class FhirServer:
    """lists: what it holds, by prefetch key; behaves: by key, instead of serving it; asked: path and headers
    of every request; page: how many entries one page has.
    """

    def __init__(self, port: int, addresses: Mapping[str, str], scheme: str = "http") -> None:
        self.base = f"{scheme}://127.0.0.1:{port}/fhir"
        self.lists: dict[str, Any] = {}
        self.behaves: dict[str, Behaviour] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.page = 1000
        self.closing = threading.Event()
        self._keys = {address: key for key, address in addresses.items()}

    def key_of(self, path: str) -> str | None:
        """The list that this address asks for."""
        place = path.removeprefix("/fhir/")
        return parse_qs(urlsplit(path).query)["key"][0] if "/more?" in place else self._keys.get(place)

    @property
    def keys(self) -> list[str]:
        """What was asked for, in the order of the discovery."""
        asked = [self.key_of(path) or path for path, _ in self.asked]
        return sorted(asked, key=lambda key: PREFETCH_KEYS.index(key) if key in PREFETCH_KEYS else 99)

    def answer_to(self, path: str) -> Any:
        """One page of what it holds; None: it has no such address."""
        key = self.key_of(path)
        held = self.lists.get(key or "")
        if key is None or held is None or held["resourceType"] != "Bundle":
            return held
        start = int(parse_qs(urlsplit(path).query).get("from", ["0"])[0])
        return self.first_page(key, held, start)

    def first_page(self, key: str, held: Resource, start: int = 0) -> Resource:
        entries = held.get("entry", [])
        bundle = {**held, "entry": entries[start : start + self.page]}
        if start + self.page < len(entries):
            url = f"{self.base}/{TYPES[key]}/more?key={key}&from={start + self.page}"
            bundle["link"] = [{"relation": "next", "url": url}]
        return bundle

    def reset(self) -> None:
        self.lists, self.behaves, self.asked, self.page = record(), {}, [], 1000


def reply(handler: BaseHTTPRequestHandler, content: Any, status: int = 200, **headers: Any) -> None:
    """Answers with JSON, or with bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler.send_response(status)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    shown = {"Content-Type": "application/fhir+json", "Content-Length": len(body), **named}
    for name, value in shown.items():
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def fhir_serving(addresses: Mapping[str, str], tls: ssl.SSLContext | None = None) -> Iterator[FhirServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.asked.append((self.path, dict(self.headers.items())))
            behaviour = served.behaves.get(served.key_of(self.path) or "")
            # The client may have given up, as it should.
            with suppress(BrokenPipeError, ConnectionResetError):
                if behaviour:
                    behaviour(self)
                    return
                content = served.answer_to(self.path)
                reply(self, content or {}, 200 if content else 404, Set_Cookie="session=1; Path=/")

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """A client that hangs up is no error here."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        served = FhirServer(server.server_address[1], addresses, "https" if tls else "http")
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        served.reset()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            served.closing.set()
            server.shutdown()
            thread.join()


def addresses_of(knowledge: Knowledge, person: Person = PERSON) -> dict[str, str]:
    """key -> what is asked for below the base URL."""
    found = {}
    for key, text in knowledge.hooks[0]["prefetch"].items():
        template = template_of(text, {"patientId": person.id})
        assert template is not None
        found[key] = template.address
    return found


def site(knowledge: Knowledge, server: FhirServer, seconds: float = PATIENT_SECONDS) -> Flask:
    config = Config(public_base_url="https://cds.example", fhir_servers=(server.base,), fhir_timeout=seconds)
    return create_app(config, knowledge)


def record(person: Person = PERSON) -> dict[str, Any]:
    """A prefetch with every key, at least two resources in each list, and the twitch in two of them."""
    made = copy.deepcopy(DIALECTS["prefetch"](person))
    subject = {"reference": f"Patient/{person.id}"}
    twitch = made["conditions"]["entry"][0]["resource"]
    seen = {"resourceType": "Observation", "id": "twitch", "status": "final", "code": twitch["code"]}
    made["findings"]["entry"].insert(0, {"resource": {**seen, "subject": subject, "valueBoolean": True}})
    for key, kind in TYPES.items():
        entries = made[key].setdefault("entry", [])
        while len(entries) < 2:
            filler = {"resourceType": kind, "id": f"{key}-{len(entries)}", "status": "completed"}
            owner = {"patient" if kind == "FamilyMemberHistory" else "subject": subject}
            entries.append({"resource": {**filler, **owner}})
        made[key]["total"] = len(entries)
    return made


def call(prefetch: Mapping[str, Any] | None, server: str | None, **changes: Any) -> Resource:
    """A patient-view call about PERSON; a member set to None is left out."""
    authorization = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "fasciculation-cds",
    }
    members = {
        "hook": "patient-view",
        "hookInstance": "8a5f5e3e-6d4f-4b5e-9b59-0d4b1f6a6c11",
        "fhirServer": server,
        "fhirAuthorization": authorization if server else None,
        "context": {"userId": "Practitioner/1", "patientId": PERSON.id},
        "prefetch": prefetch,
        "extension": {"org.fasciculation-cds": {"assessment": True, "asOf": DAY}},
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def assessment(answer: Resource) -> Resource:
    found: Resource = answer["extension"]["org.fasciculation-cds"]["assessment"]
    return found


def asked(client: FlaskClient, server: FhirServer, *keys: str) -> Resource:
    """The assessment of a call that lacks those keys."""
    prefetch = {name: value for name, value in record().items() if name not in keys}
    response = client.post(SERVICE, json=call(prefetch, server.base))
    assert response.status_code == 200, response.get_data(as_text=True)
    return assessment(response.get_json())
