"""WSGI middleware: the log line and count of each request, its Host check, and the headers of each answer.

It stands around Flask and not in it, so that errors and preflights get the same, and at less cost.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import has_request_context, request

from fhir_mappings.record import Note
from fhir_mappings.resources.budget import Budget, within
from fhir_mappings.resources.select import KINDS
from schemas.hooks import EXTENSION
from schemas.urls import is_loopback
from service.config import Config
from service.endpoints.authentication import PUBLIC
from service.endpoints.operations import PROBES
from service.endpoints.responses import problem_answer
from service.errors import Issue
from service.evaluation import Evaluation
from service.logs import Fields
from service.metrics import OTHER, Metrics

# Other ids are replaced: a free text or a short number could be a patient's.
_REQUEST_ID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))
# The key of the environment under which the line of a request is kept.
_LINE = "fasciculation_cds.line"
_log = logging.getLogger("service.requests")
_BAD_HOST = "400 Bad Request", Issue("invalid", "The request must have one Host header.", "http.host")
_VERSIONS = frozenset(("HTTP/1.0", "HTTP/1.1"))
_BAD_VERSION = (
    "505 HTTP Version Not Supported",
    Issue("not-supported", "Only HTTP/1.0 and HTTP/1.1 are supported.", "http"),
)
_UNKNOWN_HOST = (
    "421 Misdirected Request",
    Issue("forbidden", "This host is not served here: name it in ALLOWED_HOSTS.", "http.host"),
)
# For answers that set none themselves.
_PAGE = (
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'",
)
_DATA = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
_FIXED = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
)
_ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
_ONE_YEAR = ("Strict-Transport-Security", "max-age=31536000")
_UNSTORED = ("Cache-Control", "no-store")


def new_id() -> str:
    """An id for a request that came without one."""
    return os.urandom(16).hex()


class _Line:
    """The log line of one request. members: what the endpoints add."""

    __slots__ = ("began", "id", "members")

    def __init__(self, sent: str | None) -> None:
        self.began = time.perf_counter()
        self.id = sent if sent and _REQUEST_ID.fullmatch(sent) else new_id()
        self.members: dict[str, object] = {}


def request_log(application: WSGIApplication, metrics: Metrics) -> WSGIApplication:
    """Log and count each request. The outermost middleware: it begins first and ends last."""

    def logged(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        line = environ[_LINE] = _Line(environ.get("HTTP_X_REQUEST_ID"))
        metrics.began()

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            end(line, environ, int(status[:3]))
            headers.append(("X-Request-ID", line.id))
            return start_response(status, headers, *error)

        return application(environ, start)

    def end(line: _Line, environ: WSGIEnvironment, status: int) -> None:
        seconds = time.perf_counter() - line.began
        # Flask does not see a request for another host.
        rule = request.url_rule if has_request_context() else None
        route = OTHER if rule is None else template_of(rule.rule)
        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in _METHODS else OTHER
        metrics.answered(route, method, status, seconds)
        members = {
            "id": line.id,
            **_trace(environ),
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            **line.members,
        }
        # Probes come every few seconds, and a successful one is no news.
        level = logging.DEBUG if route in PROBES and status == 200 else logging.INFO
        _log.log(level, Fields("request", members))

    return logged


def template_of(rule: str) -> str:
    """A Flask rule as OpenAPI writes it: /knowledge/{row}."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def add_to_log_line(members: Mapping[str, object]) -> None:
    """Add to the line of this request: counts and names of the knowledge alone, nothing that was sent."""
    line: _Line = request.environ[_LINE]
    line.members.update(members)


def log_evaluation(metrics: Metrics, hook: str, evaluation: Evaluation, shown: list[dict[str, Any]]) -> None:
    """Count an evaluation and add it to the line. shown: the cards that leave."""
    decision = evaluation.decision
    record = decision.record
    leaving = {card["uuid"] for card in shown}
    for card in evaluation.cards:
        rows = card["extension"][EXTENSION]["rows"]
        metrics.card(hook, card["indicator"], rows[0] if rows else "none", card["uuid"] in leaving)
    for withheld in decision.withheld:
        metrics.withheld(withheld.id, withheld.why)
    for kind, count in Counter(map(_kind, record.not_understood)).items():
        metrics.not_understood(kind, count)
    for kind, count in evaluation.unknown.entries.items() if evaluation.unknown else ():
        metrics.unknown_codes(kind, count)
    for key in record.not_seen:
        metrics.not_seen(key)
    add_to_log_line(
        {
            "hook": hook,
            "decision": decision.level,
            "rows": [row.id for row in decision.rows],
            "cards": len(shown),
            "resources": len(evaluation.submission.entries),
            "notUnderstood": len(record.not_understood),
            "notUsed": len(record.not_used),
            "notSeen": list(record.not_seen),
        }
    )


def _kind(note: Note) -> str:
    for text in (note.reference.partition("/")[0], (note.expression or "").partition(".")[0]):
        if text in KINDS:
            return text
    return OTHER


def _trace(environ: WSGIEnvironment) -> dict[str, str]:
    match = _TRACEPARENT.fullmatch(environ.get("HTTP_TRACEPARENT", ""))
    return {"trace": match[1]} if match else {}


def host_check(
    application: WSGIApplication, config: Config, issuer_urls: Iterable[str] = ()
) -> WSGIApplication:
    """Reject requests for other hosts than those of PUBLIC_BASE_URL, of issuers, ALLOWED_HOSTS and loopback.

    A version of HTTP other than 1.0 and 1.1 is rejected too: what its headers mean would be a guess.
    A page of another site could reach the service by DNS rebinding. Probes may name any host.
    """
    urls = (config.public_base_url, *config.public_base_aliases, *issuer_urls)
    allowed = {urlsplit(url).hostname for url in urls} | set(config.allowed_hosts)

    def checked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        refusal = None
        host = environ.get("HTTP_HOST")
        if environ.get("SERVER_PROTOCOL") not in _VERSIONS:
            refusal = _BAD_VERSION
        elif host is None:
            # HTTP/1.0 has none.
            if environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
                refusal = _BAD_HOST
        elif "," in host:
            # gunicorn joins several headers of one name.
            refusal = _BAD_HOST
        elif environ["PATH_INFO"] not in PROBES:
            name = _name_of(host)
            if name not in allowed and not is_loopback(name):
                refusal = _UNKNOWN_HOST
        if refusal is None:
            return application(environ, start_response)
        status, issue = refusal
        answer = problem_answer([issue], int(status[:3]))
        start_response(status, list(answer.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.data]

    return checked


def _name_of(host: str) -> str:
    """The name or address in a Host header, without its port and brackets."""
    if host.startswith("["):
        address, end, _ = host[1:].partition("]")
        return address.lower() if end else ""
    return host.partition(":")[0].lower()


def response_headers(application: WSGIApplication, config: Config) -> WSGIApplication:
    """Add the headers that say what a browser may do with an answer, and which sites may read it."""
    add = header_rules(config)

    def headed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            add(headers, environ, status)
            return start_response(status, headers, *error)

        return application(environ, start)

    return headed


def header_rules(config: Config) -> Callable[[list[tuple[str, str]], Mapping[str, Any], str], None]:
    """A function that adds the headers to a list, for an environment and a status line."""
    any_origin = "*" in config.cors_origins
    # Without tokens a page elsewhere could have a record fetched.
    open_hooks = not (config.fhir_servers and config.cds_auth == "off")
    # A trial on loopback must not lock the browser to https.
    secure = config.public_base_url.startswith("https://")

    def add(headers: list[tuple[str, str]], environ: Mapping[str, Any], status: str) -> None:
        given = dict(headers)
        headers += _FIXED
        if "Cross-Origin-Resource-Policy" in given:
            # The page of the workbench holds a token: no other site may read it.
            pass
        elif any_origin and _is_open(environ, open_hooks):
            headers.append(_ANY_ORIGIN)
        else:
            # Also for an origin that is not on the list: no cache may hand that answer to one that is.
            _put(headers, ("Vary", f"{given['Vary']}, Origin" if "Vary" in given else "Origin"))
            origin = environ.get("HTTP_ORIGIN")
            if origin in config.cors_origins:
                headers.append(("Access-Control-Allow-Origin", origin))
        if secure:
            headers.append(_ONE_YEAR)
        # A 304 has no Content-Type, and the cached answer has its policy.
        if "Content-Security-Policy" not in given and not status.startswith("304"):
            is_page = given.get("Content-Type", "").startswith("text/html")
            headers.append(_PAGE if is_page else _DATA)
        if environ["REQUEST_METHOD"] == "POST" or "HTTP_AUTHORIZATION" in environ:
            _put(headers, _UNSTORED)

    return add


def _is_open(environ: Mapping[str, Any], hooks: bool) -> bool:
    """Return whether CORS_ORIGINS=* includes the address: discovery, hook calls and what is about no patient.

    Args:
        hooks: Whether hook calls are open.
    """
    # A request that is not HTTP has no path, and its answer has fixed words.
    first, *more = environ.get("PATH_INFO", "/cds-services").strip("/").split("/")
    if first == "cds-services":
        return not more or (hooks and len(more) == 1)
    return bool(first) and first in PUBLIC and "$apply" not in more


def _put(headers: list[tuple[str, str]], header: tuple[str, str]) -> None:
    """Set a header, instead of the one of that name that an endpoint set."""
    headers[:] = [given for given in headers if given[0] != header[0]]
    headers.append(header)


def within_budget(limits: Budget, app: WSGIApplication) -> WSGIApplication:
    """The application, each request within those limits."""

    def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with within(limits):
            return app(environ, start_response)

    return answered
