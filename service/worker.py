"""gunicorn's worker, which waits for no client longer than is said here and tells nobody what it runs on."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from gunicorn import http, util
from gunicorn.http import errors, wsgi
from gunicorn.workers.sync import SyncWorker

from fhir_mappings.from_actions import operation_outcome

# A worker serves one request at a time. Between two pieces of one a client may rest for RESTS seconds; the
# whole must be there within ARRIVES: 16 MiB over a line of 6 Mbit/s, and before the worker counts as hung.
RESTS = 5.0
ARRIVES = 25.0
_REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "The address is too long."),
    (errors.LimitRequestHeaders, 431, "The headers are too many or too long."),
    (errors.ExpectationFailed, 417, "Expect is not read but for 100-continue."),
    (errors.UnsupportedTransferCoding, 501, "This Transfer-Encoding is not read."),
    (errors.ParseException, 400, "This is not HTTP/1.1 as it is written."),
)
_log = logging.getLogger("service")


class _Guarded:
    """A connection whose request must arrive in time; raises TimeoutError where it does not."""

    def __init__(self, connection: Any) -> None:
        self._connection, self._until = connection, time.monotonic() + ARRIVES

    def recv(self, size: int) -> bytes:
        self._connection.settimeout(min(RESTS, max(0.001, self._until - time.monotonic())))
        received: bytes = self._connection.recv(size)
        return received

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(RESTS)
        self._connection.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Unnamed(wsgi.Response):  # type: ignore[misc]
    """Without the name of the server: it helps only those who look for old versions."""

    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]


# The one place where gunicorn looks for the class of its answers.
wsgi.Response = _Unnamed


class Worker(SyncWorker):  # type: ignore[misc]
    """One request after the other. What is not HTTP is refused in fixed words, never repeated or logged."""

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        guarded = _Guarded(client)
        try:
            request = next(http.get_parser(self.cfg, guarded, addr))
            self.handle_request(listener, request, guarded, addr)
        except TimeoutError:
            _refuse(client, 408, "The request did not arrive in time.")
        except (errors.NoMoreData, StopIteration, OSError):
            _log.debug("a connection ended early")
        except BaseException as error:
            self.handle_error(None, client, addr, error)
        finally:
            util.close_graceful(client)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """The message of the exception holds what was sent: only its class is looked at."""
        for kind, status, says in _REFUSALS:
            if isinstance(exc, kind):
                _refuse(client, status, says)
                return
        _log.error("unexpected %s before or after the application", type(exc).__name__)
        if isinstance(exc, SystemExit):
            _refuse(client, 503, "The answer took too long; nothing was decided.", "transient")
        else:
            _refuse(client, 500, "The service failed on this request; nothing was decided.", "exception")


def _refuse(client: Any, status: int, says: str, code: str = "invalid") -> None:
    _log.info("refused before the application: %s", status)
    body = json.dumps(operation_outcome([("error", code, says, "http")]), separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {status} {'Refused' if status < 500 else 'Failed'}\r\nConnection: close\r\n"
        "Content-Type: application/fhir+json\r\nX-Content-Type-Options: nosniff\r\n"
        "Cache-Control: no-store\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    try:
        client.settimeout(RESTS)
        client.sendall(head.encode("ascii") + body)
    except OSError:
        _log.debug("a connection ended early")
