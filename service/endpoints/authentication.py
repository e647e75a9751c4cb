"""Who may see which address, decided before anything of a body is read."""

from __future__ import annotations

from flask import Blueprint, g, request

from service.authentication import Caller, Callers
from service.authentication.admin_token import AdminToken
from service.errors import Issue, NotFound

# First part of an address without patient data that all may read. What is in no list needs a token.
# "" is the front page, which then only lists the addresses.
OPEN = frozenset(
    ("", "healthz", "readyz", "openapi.yaml", "openapi.json", "docs", "static", "knowledge", "fhir")
)
FOR_ADMINS = frozenset(("/metrics", "/feedback/summary"))
OFF = frozenset(("/workbench/answer",))


def authentication(callers: Callers | None, admin: AdminToken) -> Blueprint:
    """Checks every request of the application. callers: None = CDS_AUTH=off, and only admins are asked."""
    blueprint = Blueprint("authentication", __name__)

    @blueprint.before_app_request
    def check() -> None:
        matched, method = request.url_rule, request.environ["REQUEST_METHOD"]
        # A preflight carries no token; an address that does not exist holds nothing.
        if method == "OPTIONS" or matched is None:
            return
        rule = matched.rule
        authorization = request.environ.get("HTTP_AUTHORIZATION")
        if rule in FOR_ADMINS:
            if callers is not None or admin.is_set:
                admin.check(authorization)
        elif callers is not None:
            if rule in OFF:
                raise NotFound([Issue("not-found", "The workbench is off where callers need a token.")])
            # Reading alone is open: what is sent may be about a patient.
            if method not in ("GET", "HEAD") or rule.split("/")[1] not in OPEN:
                g.caller = callers.caller(authorization, request.path.rstrip("/"))

    return blueprint


def caller() -> Caller | None:
    """Who sent this request, verified; None where nobody needs to say."""
    found: Caller | None = g.get("caller")
    return found
