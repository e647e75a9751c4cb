"""A whole request becomes the bytes of its answer: the application, as gunicorn calls one."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

from gunicorn.http import wsgi

from service.connections import refusal
from service.endpoints.bodies import WHOLE
from service.endpoints.operations import STOPPING
from service.endpoints.response_headers import CONSTANT

_log = logging.getLogger("service")


class Answers:
    """server: the address that listens. stopping: the worker was told to end, and with it each connection."""

    def __init__(self, application: Any, server: Any, cfg: Any, stopping: Callable[[], bool]) -> None:
        self._application, self._server, self._cfg = application, server, cfg
        self._stopping = stopping

    def answer(self, head: Any, body: bytes | None, client: Any) -> tuple[bytes, bool]:
        """The answer as it is sent, and whether the connection ends with it. Never raises."""
        collected = _Collected()
        try:
            response, environ = wsgi.create(
                head, collected, client, self._server, self._cfg, response_class=_Answering
            )
            environ.update({"wsgi.input": io.BytesIO(body or b""), "wsgi.multithread": True, WHOLE: body})
            if self._stopping():
                environ[STOPPING] = True
            pieces = self._application(environ, response.start_response)
            try:
                if self._stopping():
                    response.force_close()
                for piece in pieces:
                    response.write(piece)
                response.close()
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
            return b"".join(collected.pieces), bool(response.should_close())
        except BaseException as error:
            _log.error("unexpected %s before or after the application", type(error).__name__)
            return refusal(500, "The service failed on this request; nothing was decided.", "exception"), True


class _Answering(wsgi.Response):  # type: ignore[misc]
    """Without the name of the server: it helps only those who look for old versions."""

    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Takes and checks them. Those of ours that never change were checked by a test."""
        for header in headers:
            if header in CONSTANT:
                self.headers.append(header)
            else:
                super().process_headers([header])


class _Collected:
    """Takes an answer as a socket would. Whole, it is one piece to send."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.pieces.append(data)

    send = sendall
