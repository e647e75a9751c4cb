"""Authorization of each request, before its body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, g, request

from service.authentication.admin_token import AdminToken
from service.errors import Issue, NotFound

if TYPE_CHECKING:
    from service.authentication.tokens import Caller, Callers

# First parts of paths that need no token to read: they hold no patient data. "" is the front page, which
# then only lists the addresses.
PUBLIC = frozenset(
    ("", "healthz", "readyz", "openapi.yaml", "openapi.json", "docs", "static", "knowledge", "fhir")
)
ADMIN_ROUTES = frozenset(("/metrics", "/feedback/summary"))
DISABLED_ROUTES = frozenset(("/workbench/answer", "/workbench/form", "/workbench/patient"))


def authentication(callers: Callers | None, admin: AdminToken) -> Blueprint:
    """Checks every request. callers: None with CDS_AUTH=off, where only administrators need a token."""
    blueprint = Blueprint("authentication", __name__)

    @blueprint.before_app_request
    def check() -> None:
        method = request.environ["REQUEST_METHOD"]
        # A preflight carries no token, and an address that does not exist needs none.
        if method == "OPTIONS" or request.url_rule is None:
            return
        rule = request.url_rule.rule
        authorization = request.environ.get("HTTP_AUTHORIZATION")
        if rule in ADMIN_ROUTES:
            if callers is not None or admin.is_set:
                admin.check(authorization)
        elif callers is not None:
            if rule in DISABLED_ROUTES:
                raise NotFound([Issue("not-found", "The workbench is off where callers need a token.")])
            # Only reading is public: a body may be about a patient.
            if method not in ("GET", "HEAD") or rule.split("/")[1] not in PUBLIC:
                g.caller = callers.caller(authorization, request.path.rstrip("/"))

    return blueprint


def caller() -> Caller | None:
    """The verified caller of this request; None with CDS_AUTH=off."""
    verified: Caller | None = g.get("caller")
    return verified
