"""GET /docs: the API on a page, with a form that sends its examples. Nothing comes from elsewhere."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from service.api_description import api_description
from service.endpoints.operations import OPENAPI
from service.knowledge.yaml_files import load_yaml

# A page with a script of ours, which asks this service alone. A form is sent by that script, or not at all.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def docs(version: str) -> Blueprint:
    """The page, written at its first request and kept: it changes only with the program."""
    blueprint = Blueprint("docs", __name__)
    kept: list[str] = []

    @blueprint.get("/docs")
    def page() -> Response:
        if not kept:
            kept.append(
                render_template("docs.html", api=api_description(load_yaml(OPENAPI)), version=version)
            )
        response = Response(kept[0], mimetype="text/html")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    return blueprint
