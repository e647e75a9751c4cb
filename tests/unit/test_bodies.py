"""A body that drips is not read for ever."""

from __future__ import annotations

import socket
import threading

import pytest
from flask import Flask, Request

from service.endpoints import bodies
from service.errors import RequestError


@pytest.mark.parametrize("length", [bodies.BUFFERED_BYTES + 1, None])
def test_a_large_body_that_drips_ends_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    monkeypatch.setattr(bodies, "BODY_DEADLINE_S", 0.2)
    near, far = socket.socketpair()
    near.settimeout(20)
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            far.send(b" ")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": near.makefile("rb"),
        "gunicorn.socket": near,
        "wsgi.input_terminated": True,
    }
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    try:
        with Flask(__name__).app_context(), pytest.raises(RequestError) as caught:
            bodies.body_of(Request(environ))
    finally:
        stop.set()
        thread.join()
        near.close()
        far.close()
    assert caught.value.status == 400
