"""No connection to PostgreSQL outlives its time, whatever the server does or leaves undone."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_OVER = "over"


def end_after(engine: Engine, seconds: float) -> None:
    """Every connection of that engine that is still open so many seconds after it was made is cut.

    PostgreSQL's own limits end a statement that takes long, not the wait for a server that says nothing more.
    Whoever waits then sees an OperationalError.
    """

    # Before SQLAlchemy asks the server for its version on the same connection.
    @event.listens_for(engine, "connect", insert=True)
    def begin(connection: Any, record: Any) -> None:
        record.info[_OVER] = over = threading.Event()
        own = socket.socket(fileno=os.dup(connection.fileno()))
        try:
            threading.Thread(target=_cut, args=(own, over, seconds), daemon=True).start()
        except RuntimeError:
            # The machine gives no more threads: then only the server's own limits hold.
            own.close()

    @event.listens_for(engine, "close")
    def end(_: Any, record: Any) -> None:
        over = record.info.pop(_OVER, None)
        if over is not None:
            over.set()


def _cut(own: socket.socket, over: threading.Event, seconds: float) -> None:
    with own, suppress(OSError):
        if not over.wait(seconds):
            own.shutdown(socket.SHUT_RDWR)
