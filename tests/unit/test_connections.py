"""Where a request ends: the same, however its bytes are cut, as gunicorn's parser says of all of them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import errors, get_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from service import connections
from service.connections import Connection

CFG = Config()
LIMIT = 1000
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"POST /evaluate HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def connected(limit: int = LIMIT) -> Iterator[tuple[socket.socket, Connection]]:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        yield far, Connection(near, ("127.0.0.1", 1), CFG, limit)


def requests_in(pieces: list[bytes], limit: int = LIMIT) -> list[tuple[str, bytes | None]]:
    """Address and body of every request that becomes whole; ("error", name) where one is refused."""
    found: list[tuple[str, bytes | None]] = []
    with connected(limit) as (client, connection):
        for piece in pieces:
            client.sendall(piece)
            while connection.receive():
                pass
            try:
                while connection.head() is not None and connection.whole:
                    head, body = connection.request()
                    found.append((head.uri, body))
                    if head.should_close():
                        return found
                    connection.give(b"", False)
                    connection.go_on(False)
            except (errors.ParseException, errors.NoMoreData) as error:
                found.append(("error", type(error).__name__.encode()))
                return found
    return found


def judged(data: bytes) -> list[tuple[str, bytes | None]]:
    """The same, by gunicorn's parser alone."""
    found: list[tuple[str, bytes | None]] = []
    parser: Any = get_parser(CFG, connections._Memory(data), ("127.0.0.1", 1))
    try:
        for head in parser:
            has_body = type(head.body.reader).__name__ != "EOFReader"
            found.append((head.uri, head.body.read() if has_body else b""))
    except (errors.NoMoreData, StopIteration):
        pass
    except errors.ParseException as error:
        found.append(("error", type(error).__name__.encode()))
    return found


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


BODIES = st.one_of(
    st.binary(max_size=40).map(lambda body: HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body),
    st.lists(st.binary(min_size=1, max_size=20), max_size=4).map(lambda parts: CHUNKED + chunks(*parts)),
    st.just(GET),
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]


@settings(max_examples=300, deadline=None)
@given(wholes=st.lists(BODIES, min_size=1, max_size=4), places=st.lists(st.integers(0, 10_000), max_size=12))
def test_requests_are_the_same_however_they_are_cut(wholes: list[bytes], places: list[int]) -> None:
    data = b"".join(wholes)
    found = requests_in(cut(data, places))
    assert found == judged(data)
    assert len(found) == len(wholes)


# Bytes that chunks are made of, in any order: most of it is no chunked body.
SOUP = st.lists(
    st.sampled_from(
        [b"0", b"1", b"5", b"a", b"x", b"\r\n", b"\n", b"\r", b";", b";q=1", b" ", b"-", b"_", b"X-A: b",
         b"0\r\n\r\n"]
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(soup=SOUP, places=st.lists(st.integers(0, 100), max_size=6))
def test_no_chunks_are_taken_that_gunicorn_refuses(soup: bytes, places: list[int]) -> None:
    """And none are refused that it takes; what it would wait for longer may be refused, or waited for."""
    first = requests_in(cut(CHUNKED + soup, places), 1 << 80)[:1]
    expected = judged(CHUNKED + soup)[:1]
    if expected and expected[0][0] != "error":
        assert first == expected
    elif first:
        assert first[0][0] == "error"


def test_the_soup_holds_bodies_and_refusals() -> None:
    assert judged(CHUNKED + b"1\r\nx\r\n0\r\n\r\n") == [("/evaluate", b"x")]
    assert requests_in([CHUNKED + b"5;q=1\r\nabcde\r\n0\r\nX-A: b\r\n\r\n" + GET]) == [
        ("/evaluate", b"abcde"),
        ("/healthz", b""),
    ]
    for wrong in (b"x\r\n", b"1\r\nxx\r\n", b"\r\n", b"-1\r\n", b"0x1\r\nx\r\n0\r\n\r\n", b"1_0\r\n", b"1\n"):
        ((kind, _),) = requests_in([CHUNKED + wrong])
        assert kind == "error", wrong


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GET /" + b"x" * 5000, b"LimitRequestLine"),
        (b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 200_000, b"LimitRequestHeaders"),
        (b"GET / HTTP/1.1\nHost: a\n\n", b"InvalidRequestLine"),
    ],
)
def test_a_head_that_is_wrong_is_refused_before_its_end(data: bytes, name: bytes) -> None:
    pieces = [data[start : start + 8192] for start in range(0, len(data), 8192)]
    assert requests_in(pieces) == [("error", name)]


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Content-Length: 1001\r\n\r\n",
        CHUNKED + b"3e9\r\n",
        CHUNKED + b"%x\r\n%s\r\n1\r\n" % (LIMIT, b"x" * LIMIT),
    ],
)
def test_a_body_that_is_too_long_is_not_read(sent: bytes) -> None:
    assert requests_in([sent]) == [("/evaluate", None)]


def test_a_body_at_the_limit_is_read() -> None:
    body = b"x" * LIMIT
    assert requests_in([HEAD + b"Content-Length: 1000\r\n\r\n" + body]) == [("/evaluate", body)]
    assert requests_in([CHUNKED + chunks(body)]) == [("/evaluate", body)]


def test_a_client_may_rest_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(connections.time, "monotonic", lambda: now[0])
    with connected() as (client, connection):
        now[0] += connections.RESTS - 0.1
        assert not connection.late
        # Each piece comes in time, the whole does not.
        waited = 0.0
        while waited + connections.RESTS - 1 < connections.ARRIVES:
            client.sendall(b"P")
            connection.receive()
            now[0] += connections.RESTS - 1
            waited += connections.RESTS - 1
            assert not connection.late
        client.sendall(b"P")
        connection.receive()
        now[0] += connections.ARRIVES - waited
        assert connection.late


def test_a_connection_that_rests_between_requests_is_kept_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(connections.time, "monotonic", lambda: now[0])
    with connected() as (client, connection):
        client.sendall(GET)
        connection.receive()
        assert connection.head()
        connection.at_work = True
        now[0] += 1000
        assert not connection.late, "it waits for us"
        connection.give(b"", False)
        connection.go_on(False)
        now[0] += connections.IDLE - 1
        assert not connection.late
        connection.hurry(now[0])
        assert connection.late
