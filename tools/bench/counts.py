"""Calls of functions in one request, counted in this process, whatever else the machine does."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask

ROOT = Path(__file__).parents[2]
PATH = "/cds-services/fasciculation-patient-view"


def posted(app: Flask, body: bytes) -> str:
    """Status of the answer, without a server."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "SERVER_NAME": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    statuses: list[str] = []

    def begin(status: str, headers: object, error: object = None, /) -> Callable[[bytes], object]:
        statuses.append(status)
        return bytes

    b"".join(app(environ, begin))
    return statuses[0]


def calls(app: Flask, body: bytes, *, by_place: bool = False, python_alone: bool = False) -> Counter[str]:
    """Name of a function -> how often it was called, those written in C included; of a repeated request.

    by_place: by the package whose code made the call instead of by name. python_alone: without those in C.
    """
    assert posted(app, body) == "200 OK"
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, called: Any) -> None:
        if event == "call":
            counted[_place(frame.f_code.co_filename) if by_place else frame.f_code.co_name] += 1
        elif event == "c_call" and not python_alone:
            counted[_place(frame.f_code.co_filename) if by_place else called.__qualname__] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        posted(app, body)
    finally:
        sys.setprofile(before)
    return counted


def _place(file: str) -> str:
    """The package of the project, "libraries" for all else.

    >>> _place(f"{ROOT}/service/decision/facts.py")
    'service/decision'
    """
    inside = file.removeprefix(f"{ROOT}/").split("/")
    if inside[0] not in ("service", "fhir_mappings", "schemas"):
        return "libraries"
    return "/".join(inside[:2]) if len(inside) > 2 else inside[0]
