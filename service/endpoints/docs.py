"""GET /docs: openapi.yaml in Swagger UI. Its files are those of the package flask-swagger-ui."""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, Response, render_template, request, send_from_directory
from werkzeug.exceptions import NotFound

SWAGGER_UI = files("flask_swagger_ui") / "dist"
# The folder holds more: pages with inline scripts, and other builds.
FILES = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
# The icons of the style sheet are data: URLs. "Try it out" calls this service alone.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def docs() -> Blueprint:
    """GET /docs and /docs/{filename}."""
    blueprint = Blueprint("docs", __name__)

    @blueprint.get("/docs")
    def page() -> Response:
        response = Response(render_template("docs.html"), mimetype="text/html")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    @blueprint.get("/docs/<filename>")
    def file(filename: str) -> Response:
        if filename not in FILES:
            raise NotFound
        return send_from_directory(str(SWAGGER_UI), filename)

    return blueprint
