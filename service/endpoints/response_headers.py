"""The headers on every answer: what a browser may do with it, and who may read it from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from service.config import Config

# A page may hold more, which it sets itself: these are for what sets nothing.
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


def response_headers(application: WSGIApplication, config: Config) -> WSGIApplication:
    """That application with these headers on every answer, errors and preflights too."""
    add = header_rules(config)

    def headed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            add(headers, environ, status)
            return start_response(status, headers, *error)

        return application(environ, start)

    return headed


def header_rules(config: Config) -> Callable[[list[tuple[str, str]], Mapping[str, Any], str], None]:
    """What adds the headers: to a list, for an environment and a status line."""
    any_origin = "*" in config.cors_origins
    # Over http a browser ignores it, and a site that is tried out on loopback must not be locked to https.
    secure = config.public_base_url.startswith("https://")

    def add(headers: list[tuple[str, str]], environ: Mapping[str, Any], status: str) -> None:
        given = dict(headers)
        headers += _FIXED
        if any_origin:
            headers.append(_ANY_ORIGIN)
        else:
            # Also where the origin is not on the list: a cache must not hand that answer to one that is.
            _put(headers, ("Vary", f"{given['Vary']}, Origin" if "Vary" in given else "Origin"))
            origin = environ.get("HTTP_ORIGIN")
            if origin in config.cors_origins:
                headers.append(("Access-Control-Allow-Origin", origin))
        if secure:
            headers.append(_ONE_YEAR)
        # What is unchanged was sent with its own, and has no type here to tell a page by.
        if "Content-Security-Policy" not in given and not status.startswith("304"):
            is_page = given.get("Content-Type", "").startswith("text/html")
            headers.append(_PAGE if is_page else _DATA)
        if environ["REQUEST_METHOD"] == "POST" or "HTTP_AUTHORIZATION" in environ:
            _put(headers, _UNSTORED)

    return add


def _put(headers: list[tuple[str, str]], header: tuple[str, str]) -> None:
    """In the place of the one of that name, where an endpoint set it."""
    places = [place for place, (name, _) in enumerate(headers) if name == header[0]]
    if places:
        headers[places[0]] = header
    else:
        headers.append(header)
