"""The body of a request as bytes."""

from __future__ import annotations

import codecs
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from urllib.parse import parse_qs

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from service.endpoints.responses import FHIR_JSON, JSON
from service.errors import Issue, RequestError

# 16 MiB at 6 Mbit/s. The proxy limits the pause between pieces, and the whole time of a small body only.
BODY_DEADLINE_S = 25.0
BUFFERED_BYTES = 200_000
FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 1000
_GZIP = b"\x1f\x8b"
_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def body_of(request: Request) -> bytes:
    """The whole body. Raises RequestError (400, 413 or 415) if it cannot be read as JSON."""
    if request.mimetype not in (JSON, FHIR_JSON):
        raise _not_supported(f"Content-Type must be {JSON} or {FHIR_JSON}.", "content-type")
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        diagnostics = "Content-Encoding is not supported: send the body uncompressed."
        raise _not_supported(diagnostics, "content-encoding")
    charset = request.mimetype_params.get("charset", "utf-8").strip().lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise _not_supported("The charset must be UTF-8.", "content-type")
    body = _received(request)
    # RFC 8259, section 8.1: a reader may ignore a byte order mark, and no JSON is UTF-16 or UTF-32.
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise RequestError([Issue("required", "The body is empty.")])
    if body.startswith(_GZIP):
        raise _not_supported("The body is compressed: send it uncompressed.", "content-encoding")
    if body.startswith(_OTHER_MARKS) or b"\0" in body[:4]:
        raise RequestError([Issue("invalid", "The body is UTF-16 or UTF-32: send JSON as UTF-8.")])
    return body


def form_of(request: Request) -> dict[str, list[str]]:
    """The fields of a posted form, line ends as in JSON. Raises RequestError (400, 413 or 415)."""
    if request.mimetype != FORM:
        raise _not_supported(f"Content-Type must be {FORM}.", "content-type")
    try:
        fields = parse_qs(
            _received(request).decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise RequestError([Issue("invalid", "Not a form in UTF-8, or one of too many fields.")]) from None
    return {name: [value.replace("\r\n", "\n") for value in values] for name, values in fields.items()}


def _not_supported(diagnostics: str, header: str) -> RequestError:
    return RequestError([Issue("not-supported", diagnostics, f"http.{header}")], 415)


def _received(request: Request) -> bytes:
    """The bytes of the body. Raises RequestError where it is too large or incomplete."""
    length, limit = request.content_length, request.max_content_length
    if length is not None and limit is not None and length > limit:
        raise RequestEntityTooLarge
    incomplete = Issue("incomplete", "The body ended early, or its chunks are not valid HTTP.", "http")
    try:
        with _deadline(request) if length is None or length > BUFFERED_BYTES else nullcontext():
            # In the 64 KiB steps of get_data gunicorn copies the rest of its buffer at each step.
            body: bytes = (
                request.get_data(cache=False)
                if length is None
                else request.environ["wsgi.input"].read(length)
            )
    except RequestEntityTooLarge:
        raise
    except Exception:
        # The message of the exception may repeat parts of the body.
        raise RequestError([incomplete]) from None
    if length is not None and len(body) < length:
        raise RequestError([incomplete])
    if length is None and limit is not None and len(body) >= limit:
        # Reading a chunked body, which has no length, ends at the limit.
        diagnostics = "The body is larger than MAX_BODY_BYTES allows: send fewer resources."
        raise RequestError([Issue("too-long", diagnostics)], 413)
    return body


@contextmanager
def _deadline(request: Request) -> Iterator[None]:
    """End the connection if the block takes longer than BODY_DEADLINE_S: reading it then fails."""
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    timer = threading.Timer(BODY_DEADLINE_S, _stop_reading, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _stop_reading(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
