"""Requests for another host are rejected: a page of another site could reach the service by DNS rebinding."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from schemas.urls import is_loopback
from service.config import Config
from service.endpoints.operations import PROBES
from service.endpoints.responses import problem_answer
from service.errors import Issue

_INVALID = "400 Bad Request", Issue("invalid", "The request must have one Host header.", "http.host")
_UNKNOWN = (
    "421 Misdirected Request",
    Issue("forbidden", "This host is not served here: name it in ALLOWED_HOSTS.", "http.host"),
)


def host_check(application: WSGIApplication, config: Config) -> WSGIApplication:
    """That application for the hosts of PUBLIC_BASE_URL, ALLOWED_HOSTS and loopback; probes for any host."""
    urls = (config.public_base_url, *config.public_base_aliases)
    allowed = {urlsplit(url).hostname for url in urls} | set(config.allowed_hosts)

    def checked(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        refusal = None
        host = environ.get("HTTP_HOST")
        if host is None:
            # HTTP/1.0 has none.
            if environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
                refusal = _INVALID
        elif "," in host:
            # gunicorn joins several headers of one name.
            refusal = _INVALID
        elif environ["PATH_INFO"] not in PROBES:
            name = _name_of(host)
            if name not in allowed and not is_loopback(name):
                refusal = _UNKNOWN
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
