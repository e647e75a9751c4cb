"""Between the service and a server: passes everything on until the client says a word, then is silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """port: where it listens; fell_silent: set when the word was said."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.fell_silent = threading.Event()


@contextmanager
def silent_after(word: bytes, target: tuple[str, int]) -> Iterator[Relay]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay, open_ = Relay(listener.getsockname()[1]), list[socket.socket]()

        def forward(source: socket.socket, sink: socket.socket, *, listens: bool) -> None:
            with suppress(OSError):
                while data := source.recv(65536):
                    if listens and word in data:
                        relay.fell_silent.set()
                    if not relay.fell_silent.is_set():
                        sink.sendall(data)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.create_connection(target)
                    open_.extend((client, server))
                    for source, sink, listens in ((client, server, True), (server, client, False)):
                        arguments = {"listens": listens}
                        threading.Thread(
                            target=forward, args=(source, sink), kwargs=arguments, daemon=True
                        ).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield relay
        finally:
            for one in open_:
                one.close()
