"""The body of a request as bytes, refused where it cannot be read."""

from __future__ import annotations

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from service.endpoints.responses import FHIR_JSON, JSON
from service.errors import Issue, NotSupported, RequestError, TooLarge

# What nearly every client writes; anything else is taken apart first.
_AS_USUAL = (JSON, FHIR_JSON, f"{JSON}; charset=utf-8", f"{FHIR_JSON}; charset=utf-8")


def body_of(request: Request) -> bytes:
    """The whole body. Raises NotSupported (415), TooLarge (413) or RequestError (400)."""
    environ = request.environ
    if environ.get("CONTENT_TYPE") not in _AS_USUAL or "HTTP_CONTENT_ENCODING" in environ:
        _check_kind(request)
    body = _received(request)
    limit = request.max_content_length
    if limit is not None and len(body) >= limit and request.content_length is None:
        # A chunked body says no length: reading it ended at the limit, in its middle.
        raise TooLarge(
            [Issue("too-long", "The body is larger than MAX_BODY_BYTES allows: send fewer resources.")]
        )
    if not body.strip():
        raise RequestError([Issue("required", "The body is empty.")])
    # Some clients write a byte order mark, which JSON forbids and nobody means.
    return body.removeprefix(b"\xef\xbb\xbf")


def _check_kind(request: Request) -> None:
    """Raises NotSupported where the body is no JSON in UTF-8, or is packed."""
    if request.mimetype not in (JSON, FHIR_JSON):
        raise NotSupported(
            [Issue("not-supported", f"Content-Type must be {JSON} or {FHIR_JSON}.", "http.content-type")]
        )
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        raise NotSupported(
            [
                Issue(
                    "not-supported",
                    "Content-Encoding is not read: send the body as it is.",
                    "http.content-encoding",
                )
            ]
        )
    charset = request.mimetype_params.get("charset", "utf-8").strip().lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise NotSupported([Issue("not-supported", "The charset must be UTF-8.", "http.content-type")])


def _received(request: Request) -> bytes:
    length, limit = request.content_length, request.max_content_length
    if length is not None and limit is not None and length > limit:
        raise RequestEntityTooLarge
    try:
        if length is None:
            return request.get_data(cache=False)
        # In one read: in the 64 KiB steps of get_data gunicorn copies the rest of its buffer at each step.
        body: bytes = request.environ["wsgi.input"].read(length)
    except RequestEntityTooLarge:
        raise
    except Exception:
        # The message of the exception may repeat parts of the body.
        body = b""
    if length is None or len(body) < length:
        raise RequestError(
            [Issue("incomplete", "The body broke off, or its chunks are not as HTTP writes them.", "http")]
        )
    return body
