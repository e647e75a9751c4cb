"""A server of keys on loopback that counts its requests and misbehaves when told to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.contract.callers import jwks

Behaviour = Callable[[BaseHTTPRequestHandler], None]


class JwksServer:
    """keys: what it serves; behaves: instead of serving them; requests: the headers of each, as they came."""

    def __init__(self, port: int, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}/keys"
        self.keys: tuple[str, ...] = ()
        self.behaves: Behaviour | None = None
        self.requests: list[dict[str, str]] = []
        self.closing = threading.Event()


def answer(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: Any) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": len(content), **headers}.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def jwks_serving(tls: ssl.SSLContext | None = None) -> Iterator[JwksServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(dict(self.headers.items()))
            # The client may have given up, as it should.
            with suppress(BrokenPipeError, ConnectionResetError):
                (served.behaves or (lambda me: answer(me, jwks(*served.keys))))(self)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = JwksServer(server.server_address[1], "https" if tls else "http")
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            served.closing.set()
            server.shutdown()
            thread.join()
