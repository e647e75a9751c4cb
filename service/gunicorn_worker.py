"""gunicorn's gthread worker; requests that are not HTTP are rejected in fixed words."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers import gthread

# Status line, FHIR issue code and diagnostics, by the first class that matches.
_REFUSALS: tuple[tuple[type[Exception], str, str, str], ...] = (
    (errors.LimitRequestLine, "414 URI Too Long", "invalid", "The address is too long."),
    (
        errors.LimitRequestHeaders,
        "431 Request Header Fields Too Large",
        "invalid",
        "The headers are too many or too long.",
    ),
    (
        errors.InvalidHTTPVersion,
        "505 HTTP Version Not Supported",
        "not-supported",
        "Only HTTP/1.0 and HTTP/1.1 are supported.",
    ),
    (
        errors.ExpectationFailed,
        "417 Expectation Failed",
        "invalid",
        "Expect is supported for 100-continue only.",
    ),
    (
        errors.UnsupportedTransferCoding,
        "501 Not Implemented",
        "invalid",
        "This Transfer-Encoding is not supported.",
    ),
    (errors.ParseException, "400 Bad Request", "invalid", "The request is not valid HTTP/1.1."),
)
_FAILED = (
    "500 Internal Server Error",
    "exception",
    "The service failed on this request; nothing was decided.",
)
_log = logging.getLogger("service")


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    """`app` is the gunicorn application of service.server."""

    sockets: list[Any]
    # Unique among the running workers; a replacement has the number of the worker that ended.
    number: int

    def handle(self, conn: Any) -> Any:
        """Leave a connection without data in the poller: gunicorn would hold a thread for it for 5 s."""
        if self.alive and not conn.initialized and not conn.wait_for_data(0):
            return gthread._DEFER
        return super().handle(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that never reached the application.

        The message of the exception holds parts of the request, so only its class is used or logged.
        """
        status, code, text = next(
            (answer for kind, *answer in _REFUSALS if isinstance(exc, kind)), [*_FAILED]
        )
        if status == _FAILED[0]:
            _log.error("unexpected %s before or after the application", type(exc).__name__)
        else:
            _log.info("refused before the application: %s", status[:3])
        self.app.metrics.refused(int(status[:3]))
        with suppress(OSError):
            util.write_nonblock(client, self.app.refusal(status, code, text))

    def set_accept_enabled(self, enabled: bool) -> None:
        """Also close the listener of a worker that ends, after the connections in its backlog were accepted.

        gunicorn keeps it open until the last answer is sent: connections that arrive meanwhile would be
        reset instead of refused, and a proxy only sends a refused connection to another replica.
        """
        super().set_accept_enabled(enabled)
        if enabled or (self.alive and self.ppid == os.getppid()):
            return
        for listener in self.sockets:
            open_connections = -1
            while self.nr_conns > open_connections:
                open_connections = self.nr_conns
                self.accept(listener)
            listener.close()
        self.sockets = []
