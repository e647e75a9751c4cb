"""One line and one count for every request, however it ends; ids that tie it to the logs of others."""

from __future__ import annotations

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import has_request_context, request

from fhir_mappings.record import Note
from fhir_mappings.resources.select import KINDS
from schemas.hooks import EXTENSION
from service.endpoints.operations import PROBES
from service.evaluation import Answer
from service.logs import Fields
from service.metrics import OTHER, Metrics

# Only what no person makes up: a free text, or a short number, could be a patient's.
_ID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))
# Where the line of a request lies while it is answered.
_LINE = "fasciculation_cds.line"
_log = logging.getLogger("service.requests")


def new_id() -> str:
    """An id for a request that came without one."""
    return os.urandom(16).hex()


class _Line:
    """What one request will be logged with. members: what the endpoints add."""

    __slots__ = ("began", "id", "members")

    def __init__(self, sent: str | None) -> None:
        self.began = time.perf_counter()
        self.id = sent if sent and _ID.fullmatch(sent) else new_id()
        self.members: dict[str, object] = {}


def request_log(application: WSGIApplication, metrics: Metrics) -> WSGIApplication:
    """That application with the line and the count. Around everything else: it begins first and ends last."""
    templates: dict[str, str] = {}

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
        route = OTHER
        if rule is not None:
            route = templates.get(rule.rule) or templates.setdefault(rule.rule, template_of(rule.rule))
        method = environ["REQUEST_METHOD"]
        if method not in _METHODS:
            method = OTHER
        metrics.answered(route, method, status, seconds)
        # Asked by machines every few seconds: a line of theirs says nothing new.
        level = logging.DEBUG if route in PROBES and status == 200 else logging.INFO
        if _log.isEnabledFor(level):
            members = {
                "id": line.id,
                **_trace(environ),
                "method": method,
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 2),
                **line.members,
            }
            # Without looking for the line of code that logs, which costs more than the line itself.
            _log.handle(_log.makeRecord(_log.name, level, "", 0, Fields("request", members), (), None))

    return logged


def template_of(rule: str) -> str:
    """A Flask rule as OpenAPI writes it: /knowledge/{row}."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def tell(members: Mapping[str, object]) -> None:
    """Adds to the line of this request. Counts and names of the knowledge alone, never what was sent."""
    line: _Line = request.environ[_LINE]
    line.members.update(members)


def tell_decision(
    metrics: Metrics, hook: str, answered: Answer, shown: list[dict[str, Any]], resources: int
) -> None:
    """Counts a decision and adds it to the line. shown: those of its cards that leave."""
    decision = answered.decision
    record = decision.record
    leaving = {card["uuid"] for card in shown}
    for card in answered.cards:
        rows = card["extension"][EXTENSION]["rows"]
        metrics.card(hook, card["indicator"], rows[0] if rows else "none", card["uuid"] in leaving)
    for withheld in decision.withheld:
        metrics.withheld(withheld.id, withheld.kind)
    for kind, count in Counter(map(_kind, record.not_understood)).items():
        metrics.not_understood(kind, count)
    for key in record.not_seen:
        metrics.not_seen(key)
    tell(
        {
            "hook": hook,
            "decision": decision.level,
            "rows": [row.id for row in decision.rows],
            "cards": len(shown),
            "resources": resources,
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
    found = _TRACEPARENT.fullmatch(environ.get("HTTP_TRACEPARENT", ""))
    return {"trace": found[1]} if found else {}
