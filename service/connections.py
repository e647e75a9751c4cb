"""One client's connection: its bytes until a request is whole, and those of an answer until they are sent.

What a request is, gunicorn's parser says; here is only known where one ends.
"""

from __future__ import annotations

import io
import json
import logging
import socket
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any

from gunicorn import http
from gunicorn.http import body as bodies
from gunicorn.http import errors

from fhir_mappings.from_actions import operation_outcome

# Between two pieces of a request, or of an answer that is taken, a client may rest for RESTS seconds; a whole
# request must be there within ARRIVES: 16 MiB over a line of 6 Mbit/s.
RESTS = 5.0
ARRIVES = 25.0
# Longer than proxies keep theirs (60 seconds): the end that sends must be the one that closes.
IDLE = 75.0
# How long a client may take to see that nothing more comes.
_LINGERS = 2.0
_PIECE = 64 * 1024
_LARGE_PIECE = 1024 * 1024
_CHUNK_LINE = 8190
_TRAILERS = 64 * 1024
_HEX = b"0123456789abcdefABCDEF"

# What is refused before the application is asked, in fixed words.
_REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.LimitRequestLine, 414, "The address is too long."),
    (errors.LimitRequestHeaders, 431, "The headers are too many or too long."),
    (errors.ExpectationFailed, 417, "Expect is not read but for 100-continue."),
    (errors.UnsupportedTransferCoding, 501, "This Transfer-Encoding is not read."),
    (errors.ParseException, 400, "This is not HTTP/1.1 as it is written."),
    (errors.NoMoreData, 400, "This is not HTTP/1.1 as it is written."),
)
_REASONS = {503: "Service Unavailable", 500: "Internal Server Error", 408: "Request Timeout"}
_log = logging.getLogger("service")


class _Memory:
    """Bytes that are there, read as from a socket."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def recv(self, size: int) -> bytes:
        return self._stream.read(size)


class _Chunks:
    """Counts along a chunked body to find its end. What it cannot read ends it: gunicorn's reader judges."""

    def __init__(self) -> None:
        # size: of what the chunks hold. surplus: how much of the last piece comes after the end.
        self.size, self.surplus, self.ended = 0, 0, False
        self._skip, self._line = 0, bytearray()
        self._after_chunk = self._trailers = False

    def add(self, piece: bytes) -> None:
        at = 0
        while at < len(piece) and not self.ended:
            if self._skip:
                step = min(self._skip, len(piece) - at)
                self._skip -= step
                at += step
                continue
            end = piece.find(b"\n", at)
            stop = len(piece) if end < 0 else end + 1
            self._line += piece[at:stop]
            at = stop
            if len(self._line) > (_TRAILERS if self._trailers else _CHUNK_LINE):
                self.ended = True
            elif end >= 0:
                self._read_line()
        self.surplus = len(piece) - at

    def _read_line(self) -> None:
        line = bytes(self._line)
        self._line.clear()
        if self._trailers:
            self.ended = line == b"\r\n" or not line.endswith(b"\r\n")
            return
        if self._after_chunk:
            self._after_chunk, self.ended = False, line != b"\r\n"
            return
        written = line.partition(b";")[0].strip()
        if not written or written.strip(_HEX) or not line.endswith(b"\r\n"):
            self.ended = True
            return
        self._skip = int(written, 16)
        self.size += self._skip
        self._trailers = self._skip == 0
        self._after_chunk = not self._trailers


class Connection:
    """limit: of a body, in bytes; of a longer one no more is read than shows that it is."""

    def __init__(self, client: socket.socket, address: Any, cfg: Any, limit: int) -> None:
        self.socket, self.address = client, address
        self._cfg, self._limit = cfg, limit
        # at_work: its request is being decided. ending: nothing more is read but to be thrown away.
        self.at_work = self.ending = self.gone = False
        # For which events its worker watches it.
        self.watched = 0
        self.answer = memoryview(b"")
        # last: the client sends nothing after this request.
        self._then_close, self._last = True, False
        self._until = time.monotonic() + RESTS
        self._began: float | None = None
        self._surplus = b""
        self._start_anew()

    def _start_anew(self) -> None:
        self._start = bytearray()
        self._tried = 0
        self._head: Any = None
        self._needs: int | _Chunks = 0
        self._pieces: list[bytes] = []
        self.size = 0
        self.promised = False

    @property
    def began(self) -> bool:
        """A request has begun to arrive and was not answered yet."""
        return self._began is not None

    @property
    def late(self) -> bool:
        """Its time is over, whatever it was waiting for."""
        return not self.at_work and time.monotonic() >= self._until

    def receive(self) -> bool:
        """Takes in what has come; False when nothing has or will. Raises OSError."""
        wanted = _PIECE
        if isinstance(self._needs, int) and self._needs - self.size > _PIECE:
            wanted = min(self._needs - self.size, _LARGE_PIECE)
        try:
            piece = self.socket.recv(wanted)
        except (BlockingIOError, InterruptedError):
            return False
        if not piece:
            self.gone = True
            return False
        if not self.ending:
            self._take(piece)
        return True

    def _take(self, piece: bytes) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now
        self._until = min(now + RESTS, self._began + ARRIVES)
        if self._head is None:
            self._start += piece
        else:
            self._add(piece)

    def _add(self, piece: bytes) -> None:
        if isinstance(self._needs, _Chunks):
            self._needs.add(piece)
            extra = self._needs.surplus
        else:
            extra = max(0, self.size + len(piece) - self._needs)
        if extra:
            self._surplus += piece[len(piece) - extra :]
            piece = piece[: len(piece) - extra]
        self._pieces.append(piece)
        self.size += len(piece)

    @property
    def held(self) -> int:
        """Bytes of it in memory."""
        return len(self._start) + self.size + len(self._surplus)

    def head(self) -> Any | None:
        """The head of the request that is arriving, if it is there. Raises what gunicorn's parser raises."""
        if self._head is None and self._start:
            end = self._start.find(b"\r\n\r\n", max(0, self._tried - 3))
            # Without an end it is asked only now and then: it may be wrong, or too long, already.
            if end >= 0 or len(self._start) >= 2 * self._tried or b"\n\n" in self._start[self._tried - 1 :]:
                self._parse(end)
                self._tried = len(self._start)
        return self._head

    def _parse(self, end: int) -> None:
        known = bytes(self._start if end < 0 else self._start[: end + 4])
        try:
            head = next(http.get_parser(self._cfg, _Memory(known), self.address))
        except (errors.NoMoreData, StopIteration):
            return
        hosts = sum(name == "HOST" for name, _ in head.headers)
        if hosts > 1 or (not hosts and head.version >= (1, 1)):
            # RFC 9112, 3.2; gunicorn lets it pass.
            raise errors.InvalidHeader("Host")
        rest = bytes(self._start[len(known) :])
        self._start.clear()
        self._head = head
        reader = head.body.reader
        if isinstance(reader, bodies.LengthReader):
            self._needs = reader.length
        elif isinstance(reader, bodies.ChunkedReader):
            self._needs = _Chunks()
        if rest:
            self._add(rest)

    @property
    def too_long(self) -> bool:
        needs = self._needs
        return (needs.size if isinstance(needs, _Chunks) else needs) > self._limit

    @property
    def large(self) -> bool:
        """It is not worth reading what will be refused."""
        return (
            self.awaits_word or (self._needs if isinstance(self._needs, int) else self._needs.size) > _PIECE
        )

    @property
    def whole(self) -> bool:
        """All of the request is there, or as much as will ever be read of it."""
        if self._head is None:
            return False
        if isinstance(self._needs, _Chunks):
            return self._needs.ended or self.too_long
        return self.too_long or self.size >= self._needs

    @property
    def awaits_word(self) -> bool:
        """The client sends its body only when it is told to."""
        head = self._head
        return head is not None and bool(head._expected_100_continue) and not self.promised and not self.size

    def request(self) -> tuple[Any, bytes | None]:
        """The head and the body of a request that is whole. Raises what gunicorn's reader of chunks raises.

        The body is None where it is too long; then the connection ends with the answer.
        """
        head, pieces = self._head, self._pieces
        self._pieces = []
        # The word to go on, if any, was given already.
        head._expected_100_continue = False
        if self.too_long:
            head.force_close()
            return head, None
        self._last = head.should_close()
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if isinstance(self._needs, _Chunks):
            head.unreader.sock = _Memory(body)
            body = head.body.read()
        return head, body

    def hand_over(self) -> None:
        self.at_work = True

    def give(self, answer: bytes, then_close: bool) -> None:
        """Sends as much of the answer as goes now; `send` sends the rest."""
        self.answer = memoryview(answer)
        self._then_close = then_close
        self.send()

    def send(self) -> None:
        with suppress(BlockingIOError, InterruptedError):
            try:
                while self.answer:
                    self.answer = self.answer[self.socket.send(self.answer) :]
            except (BlockingIOError, InterruptedError):
                raise
            except OSError:
                self.answer = memoryview(b"")
                self.gone = True
        self._until = time.monotonic() + RESTS

    @property
    def over(self) -> bool:
        """Both ends have said all that they will: there is nothing to wait for."""
        return self._then_close and self._last and not self._surplus and not self.answer

    def go_on(self, stopping: bool) -> None:
        """After an answer was sent whole: waits for the next request, or for the client to close."""
        self.at_work = False
        surplus, self._surplus, self._began = self._surplus, b"", None
        self._start_anew()
        if self._then_close:
            self.end()
            return
        self._until = time.monotonic() + (_LINGERS if stopping else IDLE)
        if surplus:
            self._take(surplus)

    def end(self) -> None:
        """Says that no more is sent. What still comes is read and dropped, so that the answer is not lost."""
        self.ending = True
        self._until = time.monotonic() + _LINGERS
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def hurry(self, until: float) -> None:
        """An idle connection is kept no longer than that."""
        if not self.began and not self.at_work:
            self._until = min(self._until, until)

    def close(self) -> None:
        self.gone = True
        with suppress(OSError):
            self.socket.close()


def why_unread(error: BaseException) -> tuple[int, str, str]:
    """Status, words, code. The message of the exception holds what was sent: only its class is looked at."""
    for kind, status, says in _REFUSALS:
        if isinstance(error, kind):
            return status, says, "invalid"
    _log.error("unexpected %s before the application", type(error).__name__)
    return 500, "The service failed on this request; nothing was decided.", "exception"


@lru_cache(maxsize=64)
def refusal(status: int, says: str, code: str = "transient", then_close: bool = True) -> bytes:
    """A whole answer, in bytes."""
    body = json.dumps(operation_outcome([("error", code, says, "http")]), separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Refused')}\r\n"
        f"Connection: {'close' if then_close else 'keep-alive'}\r\n"
        "Content-Type: application/fhir+json\r\nX-Content-Type-Options: nosniff\r\n"
        "Cache-Control: no-store\r\n"
        + ("Retry-After: 1\r\n" if status == 503 else "")
        + f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
