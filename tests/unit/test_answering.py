"""What is added to gunicorn's way of answering: no header that it would not send or would refuse."""

from __future__ import annotations

import pytest
from gunicorn.http import wsgi
from gunicorn.http.errors import InvalidResponseHeader

from service.answering import _Answering
from service.endpoints.response_headers import CONSTANT


def test_headers_that_never_change_are_such_as_gunicorn_sends() -> None:
    judged = wsgi.Response(None, None, None)
    judged.process_headers(list(CONSTANT))
    assert set(judged.headers) == CONSTANT


def test_any_other_header_is_judged_by_gunicorn() -> None:
    answering = _Answering(None, None, None)
    constant, *_ = CONSTANT
    answering.process_headers([("Connection", "close"), constant, ("Content-Length", "3")])
    assert answering.headers == [constant, ("Content-Length", "3")]
    assert answering.response_length == 3
    with pytest.raises(InvalidResponseHeader):
        answering.process_headers([(constant[0], f"{constant[1]}\r\nX-Injected: 1")])
