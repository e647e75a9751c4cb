"""The headers on every answer: what a browser may do with it, and who may read it from elsewhere."""

from __future__ import annotations

from flask import Blueprint, Response, request

from service.config import Config

# A page may hold more, which it sets itself: these are for what sets nothing.
_PAGE = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)
_DATA = "default-src 'none'; frame-ancestors 'none'"
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}
_ONE_YEAR = "max-age=31536000"


def response_headers(config: Config) -> Blueprint:
    """Sets them on every answer of the application, errors and preflights too."""
    blueprint = Blueprint("response_headers", __name__)
    any_origin = "*" in config.cors_origins
    # Over http a browser ignores it, and a site that is tried out on loopback must not be locked to https.
    secure = config.public_base_url.startswith("https://")

    @blueprint.after_app_request
    def set_headers(response: Response) -> Response:
        response.headers.update(_FIXED)
        if any_origin:
            response.headers["Access-Control-Allow-Origin"] = "*"
        else:
            # Also where the origin is not on the list: a cache must not hand that answer to one that is.
            response.vary.add("Origin")
            origin = request.headers.get("Origin")
            if origin in config.cors_origins:
                response.headers["Access-Control-Allow-Origin"] = origin
        if secure:
            response.headers["Strict-Transport-Security"] = _ONE_YEAR
        response.headers.setdefault(
            "Content-Security-Policy", _PAGE if response.mimetype == "text/html" else _DATA
        )
        if request.method == "POST" or "Authorization" in request.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint
