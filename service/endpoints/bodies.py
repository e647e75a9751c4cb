"""The body of a request as bytes."""

from __future__ import annotations

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from service.endpoints.responses import FHIR_JSON, JSON
from service.errors import Issue, NotSupported, RequestError, TooLarge

# Nearly every client sends one of these; others are parsed first.
_USUAL_TYPES = (JSON, FHIR_JSON, f"{JSON}; charset=utf-8", f"{FHIR_JSON}; charset=utf-8")


def body_of(request: Request) -> bytes:
    """The whole body. Raises NotSupported (415), TooLarge (413) or RequestError (400)."""
    environ = request.environ
    if environ.get("CONTENT_TYPE") not in _USUAL_TYPES or "HTTP_CONTENT_ENCODING" in environ:
        _check_content_type(request)
    body = _received(request)
    limit = request.max_content_length
    if limit is not None and len(body) >= limit and request.content_length is None:
        # Reading a chunked body, which has no length, ends at the limit.
        raise TooLarge(
            [Issue("too-long", "The body is larger than MAX_BODY_BYTES allows: send fewer resources.")]
        )
    if not body.strip():
        raise RequestError([Issue("required", "The body is empty.")])
    # Some clients send a byte order mark, which JSON forbids.
    return body.removeprefix(b"\xef\xbb\xbf")


def _check_content_type(request: Request) -> None:
    """Raises NotSupported if the body is not JSON in UTF-8, or is compressed."""
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
                    "Content-Encoding is not supported: send the body uncompressed.",
                    "http.content-encoding",
                )
            ]
        )
    charset = request.mimetype_params.get("charset", "utf-8").strip().lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise NotSupported([Issue("not-supported", "The charset must be UTF-8.", "http.content-type")])


def _received(request: Request) -> bytes:
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise
    except Exception:
        # The message of the server repeats parts of the request.
        raise RequestError(
            [Issue("incomplete", "The body ended early, or its chunks are not valid HTTP.", "http")]
        ) from None
