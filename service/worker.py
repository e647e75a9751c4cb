"""gunicorn's worker: one thread talks to all clients, others decide whole requests.

So no client that is slow holds up another, and what cannot be decided soon is refused at once.
"""

from __future__ import annotations

import logging
import os
import queue
import selectors
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from gunicorn.http import errors
from gunicorn.workers import base

from service.answering import Answers
from service.connections import Connection, refusal, why_unread
from service.endpoints.operations import PROBES

# So many are decided at the same time: the interpreter runs one thread at a time.
AT_ONCE = 1
# What takes longer is large, or waits for somebody else such as a FHIR server: then others go on beside it.
# There are threads for more of those than a FHIR server is asked at the same time.
LONG = 0.025
THREADS = 28
# Seconds after which a thread that decides lets the one that talks to clients have its turn.
SWITCHES = 0.0005
# Who would wait longer than that, as far as can be told, is refused at once. As many as FEW always wait.
WAITS = 0.5
FEW = 16
# Of each worker: connections, and bytes of requests that are arriving or waiting.
CONNECTIONS = 1000
BYTES_OF_BODIES = 4
# A decision that takes longer will never end: the worker is given up, and the master starts another.
HANGS = 40.0
# A worker that was told to stop takes what still comes for so long, and says so on each connection.
STOPS = 1.0
# A worker that is busy lets an idle one take new connections first.
_YIELDS = 0.005
_TICK = 0.25
_log = logging.getLogger("service")


class Worker(base.Worker):  # type: ignore[misc]
    """What is not HTTP is refused in fixed words, never repeated or logged."""

    sockets: list[Any]
    alive: bool

    def run(self) -> None:
        sys.setswitchinterval(SWITCHES)
        self._metrics, self._limit = self.app.metrics, self.app.max_body_bytes
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        # Whole requests in the order of their coming, and those at work with the moment they began.
        self._waiting: deque[tuple[Connection, Any, bytes | None, float]] = deque()
        self._at_work: dict[Connection, float] = {}
        self._work, self._probes = queue.SimpleQueue[Any](), queue.SimpleQueue[Any]()
        # Those that were answered, and when.
        self._done: deque[tuple[Connection, float]] = deque()
        self._threads = 0
        # Seconds from one decision that ends to the next when others wait: what each costs those behind it.
        self._takes, self._ended = 0.002, time.monotonic()
        self._held = 0
        self._listens, self._listen_again = False, 0.0
        self._stop_at: float | None = None
        self._swept = self._told = self._notifies = 0.0
        self._selector.register(self.PIPE[0], selectors.EVENT_READ)
        for listener in self.sockets:
            listener.setblocking(False)
        self._answers = Answers(self.wsgi, self.sockets[0].getsockname(), self.cfg, lambda: not self.alive)
        self._start(self._probes)
        try:
            self._serve()
        except SystemExit:
            # Killed for what hangs: those who wait for it are told.
            for connection in self._at_work:
                self._answer(connection, refusal(503, "The answer took too long; nothing was decided."), True)
            raise

    def _serve(self) -> None:
        while self._goes_on():
            for key, events in self._selector.select(self._patience()):
                if key.fileobj == self.PIPE[0]:
                    with suppress(BlockingIOError):
                        os.read(self.PIPE[0], 4096)
                elif key.data is None:
                    self._accept()
                elif events & selectors.EVENT_WRITE:
                    self._send(key.data)
                else:
                    self._read(key.data)
            self._dispatch()
            self._look_around()

    def _goes_on(self) -> bool:
        now = time.monotonic()
        if self._at_work and now - min(self._at_work.values()) > HANGS:
            return True
        if now >= self._notifies:
            self._notifies = now + _TICK
            self.notify()
            if self.alive and self.ppid != os.getppid():
                return False
        if self.alive:
            return True
        if self._stop_at is None:
            self._stop_at = now + STOPS
            for connection in self._connections:
                connection.hurry(self._stop_at)
        if now >= self._stop_at and self.sockets:
            # Whoever is in the queue of the listener was promised an answer.
            while self._accept():
                pass
            self._listen(False)
            for listener in self.sockets:
                listener.close()
            self.sockets = []
        if now >= self._stop_at + self.cfg.graceful_timeout:
            return False
        return bool(self.sockets or self._connections)

    def _patience(self) -> float:
        if self._waiting or not self._listens:
            return _YIELDS
        return _TICK if self._connections or not self.alive else 1.0

    def _look_around(self) -> None:
        now = time.monotonic()
        if self.sockets and not self._listens and now >= self._listen_again:
            if self._busy:
                self._accept()
                self._listen_again = now + _YIELDS
            else:
                self._listen(True)
        elif self._listens and self._busy and self.cfg.workers > 1:
            self._listen(False)
            self._listen_again = now + _YIELDS
        if now - self._swept >= _TICK:
            self._swept = now
            for connection in [one for one in self._connections if one.late]:
                if connection.began and not connection.answer and not connection.ending:
                    self._refuse(connection, 408, "The request did not arrive in time.", "timeout")
                else:
                    self._drop(connection)
            self._held = sum(connection.held for connection in self._connections)
            self._metrics.waiting(len(self._waiting))

    @property
    def _busy(self) -> bool:
        return len(self._at_work) + len(self._waiting) >= AT_ONCE

    def _listen(self, wanted: bool) -> None:
        if wanted != self._listens:
            for listener in self.sockets:
                if wanted:
                    self._selector.register(listener, selectors.EVENT_READ, None)
                else:
                    self._selector.unregister(listener)
        self._listens = wanted

    def _accept(self) -> bool:
        """Takes new connections; False when none is there."""
        took = False
        for listener in self.sockets:
            if len(self._connections) >= CONNECTIONS:
                self._make_room()
            if len(self._connections) >= CONNECTIONS:
                return False
            try:
                client, address = listener.accept()
            except OSError:
                # Nobody is there, another worker was faster, or the machine has no descriptor to give.
                continue
            took = True
            client.setblocking(False)
            connection = Connection(client, address, self.cfg, self._limit)
            self._connections.add(connection)
            self._read(connection)
            if not (connection.at_work or connection.answer or connection.gone):
                self._watch(connection, selectors.EVENT_READ)
        return took

    def _make_room(self) -> None:
        for connection in [one for one in self._connections if not one.began and not one.at_work][:50]:
            self._drop(connection)

    def _read(self, connection: Connection) -> None:
        held = connection.held
        try:
            came = connection.receive()
        except OSError:
            connection.gone, came = True, False
        if connection.gone:
            if connection.at_work:
                # It may still listen to the answer, which is another thread's to send until it is done.
                self._watch(connection, 0)
            elif connection.answer:
                self._watch(connection, selectors.EVENT_WRITE)
            else:
                self._drop(connection)
            return
        self._held += connection.held - held
        if connection.at_work and connection.held > self._limit:
            self._watch(connection, 0)
        elif came and not (connection.ending or connection.at_work or connection.answer):
            self._progress(connection)

    def _progress(self, connection: Connection) -> None:
        """Looks whether a request is whole, and gives it to those who decide."""
        try:
            head = connection.head()
            if head is None:
                return
            probe, whole = head.path in PROBES, connection.whole
            # What is nearly there is read, so that the connection can go on.
            if (whole or connection.large) and not probe and self._overloaded(connection):
                self._refuse_for_now(connection, head.should_close() or not whole)
                return
            if not whole:
                if connection.awaits_word:
                    connection.promised = True
                    connection.socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            head, body = connection.request()
        except OSError as error:
            if not isinstance(error, errors.NoMoreData):
                self._drop(connection)
                return
            self._refuse(connection, *why_unread(error))
        except Exception as error:
            self._refuse(connection, *why_unread(error))
        else:
            connection.at_work = True
            if probe:
                self._at_work[connection] = time.monotonic()
                self._probes.put((connection, head, body))
            else:
                self._waiting.append((connection, head, body, time.monotonic()))
                self._dispatch()

    def _overloaded(self, connection: Connection) -> bool:
        bound = max(BYTES_OF_BODIES * self._limit, connection.held)
        if self._held > bound:
            # What was answered or has gone since the last count holds nothing any more.
            self._held = sum(one.held for one in self._connections)
            if self._held > bound:
                return True
        if len(self._waiting) < FEW:
            return False
        oldest = time.monotonic() - self._waiting[0][3]
        return max(oldest, len(self._waiting) * self._takes) > WAITS

    def _dispatch(self) -> None:
        while self._done:
            self._finish(*self._done.popleft())
        if not self._waiting:
            return
        now = time.monotonic()
        free = AT_ONCE - sum(now - began < LONG for began in self._at_work.values())
        while self._waiting and free > 0 and len(self._at_work) < THREADS:
            connection, head, body, _ = self._waiting.popleft()
            free -= 1
            self._at_work[connection] = now
            if len(self._at_work) > self._threads:
                self._threads += 1
                self._start(self._work)
            self._work.put((connection, head, body))
            self.nr += 1
            if self.nr >= self.max_requests and self.alive:
                self.log.info("Autorestarting worker after current request.")
                self.alive = False

    def _start(self, work: queue.SimpleQueue[Any]) -> None:
        threading.Thread(target=self._decide, args=(work,), daemon=True).start()

    def _decide(self, work: queue.SimpleQueue[Any]) -> None:
        """In a thread of its own: one request after the other."""
        while True:
            connection, head, body = work.get()
            connection.give(*self._answers.answer(head, body, connection.address))
            del head, body
            over = connection.over and not connection.watched
            if over:
                connection.close()
            self._done.append((connection, time.monotonic()))
            # Looked at after that: what begins to wait now is seen here, or this is seen where it waits.
            if not over or self._waiting or not (self._listens and self.alive):
                with suppress(BlockingIOError):
                    os.write(self.PIPE[1], b"d")

    def _finish(self, connection: Connection, now: float) -> None:
        """An answer was given: the connection waits for its rest to be taken, or for what comes next."""
        took = now - self._at_work.pop(connection, now)
        # Without others it is its own time, and no more than it may take without company.
        took = min(took, LONG) if not self._waiting else min(now - self._ended, WAITS)
        self._takes += (took - self._takes) / 16
        self._ended = now
        if connection.answer:
            self._watch(connection, selectors.EVENT_WRITE)
        else:
            self._next(connection)

    def _answer(self, connection: Connection, answer: bytes, then_close: bool) -> None:
        connection.give(answer, then_close)
        if connection.answer:
            self._watch(connection, selectors.EVENT_WRITE)
        else:
            self._next(connection)

    def _send(self, connection: Connection) -> None:
        connection.send()
        if not connection.answer:
            self._next(connection)

    def _next(self, connection: Connection) -> None:
        if connection.gone or connection.over:
            self._drop(connection)
            return
        connection.go_on(not self.alive)
        self._watch(connection, selectors.EVENT_READ)
        if connection.began:
            self._progress(connection)

    def _watch(self, connection: Connection, events: int) -> None:
        """0: nothing, until its answer is given."""
        if events == connection.watched:
            return
        if not connection.watched:
            self._selector.register(connection.socket, events, connection)
        elif events:
            self._selector.modify(connection.socket, events, connection)
        else:
            self._selector.unregister(connection.socket)
        connection.watched = events

    def _drop(self, connection: Connection) -> None:
        self._watch(connection, 0)
        self._connections.discard(connection)
        connection.close()

    def _refuse(self, connection: Connection, status: int, says: str, code: str = "invalid") -> None:
        _log.info("refused before the application: %s", status)
        self._metrics.refused(status)
        self._answer(connection, refusal(status, says, code), True)

    def _refuse_for_now(self, connection: Connection, then_close: bool) -> None:
        self._metrics.overloaded()
        now = time.monotonic()
        if now - self._told >= 1:
            # Once a second: under load lines would only add to it.
            self._told = now
            _log.warning("too many requests wait: refusing for now")
        says = "Too many requests are waiting; nothing was decided. Send it again in a second."
        self._answer(connection, refusal(503, says, "throttled", then_close), then_close)
