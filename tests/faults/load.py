"""Steady load on one address: hook calls, feedback, and tokens sent a second time."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from tests.faults.known import Known
from tests.faults.tally import (
    FAILED,
    FEEDBACK,
    HOOK,
    REFUSED,
    REPLAY,
    RIGHT,
    UNAVAILABLE,
    WRONG,
    Attempt,
    Tally,
)

# Longer than any answer takes: who waits for it has failed.
ANSWERED_WITHIN = 90.0
RECOVERED_WITHIN = 90.0
_FIRST = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
# No two actions at one time, in any load of this run: each must be kept.
_TIMES = (_FIRST + timedelta(seconds=number) for number in itertools.count())
_TIMING = threading.Lock()


@dataclass(frozen=True)
class Target:
    """url: of the service; tls: how its certificate is checked; token: for an audience, None = no tokens."""

    url: str
    tls: ssl.SSLContext | None
    token: Callable[[str], str] | None


class Connection:
    """One kept connection, as an EHR has; opened again when it broke."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes, token: str | None) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body. Raises OSError or HTTPException; nothing is sent a second time."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = self._connection or self._opened()
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            self._connection = None
            raise
        self._connection = None if answer.will_close else connection
        return answer.status, answer.headers, content

    def _opened(self) -> http.client.HTTPConnection:
        place = urlsplit(self._target.url)
        host, port = str(place.hostname), place.port
        if self._target.tls:
            return http.client.HTTPSConnection(host, port, timeout=ANSWERED_WITHIN, context=self._target.tls)
        return http.client.HTTPConnection(host, port, timeout=ANSWERED_WITHIN)

    def close(self) -> None:
        if self._connection:
            self._connection.close()


@dataclass
class Item:
    """One item of feedback as it is sent."""

    card: str
    at: str
    suggestions: tuple[str, ...]

    @property
    def content(self) -> dict[str, Any]:
        if not self.suggestions:
            return {"card": self.card, "outcome": "overridden", "outcomeTimestamp": self.at}
        accepted = [{"id": one} for one in self.suggestions]
        return {"card": self.card, "outcome": "accepted", "acceptedSuggestions": accepted,
                "outcomeTimestamp": self.at}  # fmt: skip


@dataclass
class Load:
    """rates: attempts a second of each kind, over all their threads."""

    target: Target
    calls: Sequence[Known]
    tally: Tally
    rates: Mapping[str, float] = field(default_factory=lambda: {HOOK: 12.0, FEEDBACK: 3.0, REPLAY: 2.0})
    threads: Mapping[str, int] = field(default_factory=lambda: {HOOK: 8, FEEDBACK: 2, REPLAY: 1})
    acknowledged: list[Item] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _used: deque[tuple[Known, str]] = field(default_factory=lambda: deque(maxlen=300))

    @contextmanager
    def running(self) -> Iterator[Load]:
        """While it runs; at the end every post that was refused or lost has been sent again."""
        makers = {HOOK: self._hook, FEEDBACK: self._posts, REPLAY: self._replay}
        workers = [
            threading.Thread(target=self._repeat, args=(kind, makers[kind], number))
            for kind in makers
            for number in range(self.threads[kind])
            if self.rates[kind] and (kind != REPLAY or self.target.token)
        ]
        for worker in workers:
            worker.start()
        try:
            yield self
        finally:
            self._stopping.set()
            for worker in workers:
                worker.join()

    def wait(self, seconds: float) -> None:
        """Lets the load run on."""
        self._stopping.wait(seconds)

    def recovered(self, kind: str = HOOK, calls: int = 15) -> None:
        """Returns when so many attempts of that kind that began after now were right, one after the other."""
        began = monotonic()
        while monotonic() < began + RECOVERED_WITHIN:
            last = [a for a in self.tally.of(kind) if a.began >= began][-calls:]
            if len(last) == calls and all(attempt.outcome == RIGHT for attempt in last):
                return
            self.wait(0.1)
        raise AssertionError(f"no {calls} {kind} attempts in a row were right: {self.tally.line()}")

    def _repeat(self, kind: str, once: Callable[[Connection, random.Random], None], number: int) -> None:
        pause, dice = self.threads[kind] / self.rates[kind], random.Random(f"{kind}{number}")
        connection = Connection(self.target)
        next_time = monotonic() + pause * dice.random()
        while not self._stopping.wait(max(0.0, next_time - monotonic())):
            # What came too late is not made up for by a burst.
            next_time = max(next_time + pause, monotonic())
            once(connection, dice)
        connection.close()

    def _token(self, path: str) -> str | None:
        return self.target.token(self.target.url + path) if self.target.token else None

    def attempt(
        self, kind: str, connection: Connection, path: str, body: bytes, token: str | None, answer: bytes
    ) -> str:
        """Sends it once; how it ended, which is in the tally as well."""
        began, why = monotonic(), ""
        try:
            status, headers, content = connection.post(path, body, token)
        except (OSError, http.client.HTTPException) as error:
            outcome, why = FAILED, type(error).__name__
        else:
            outcome = _outcome(status, headers, content, answer)
            if outcome not in (RIGHT, REFUSED):
                why = f"{status} {content[:200]!r}"
        self.tally.add(Attempt(kind, outcome, began, monotonic(), why))
        return outcome

    def _hook(self, connection: Connection, dice: random.Random) -> None:
        call = dice.choice(self.calls)
        token = self._token(call.path)
        if self.attempt(HOOK, connection, call.path, call.body, token, call.answer) == RIGHT and token:
            self._used.append((call, token))

    def _replay(self, connection: Connection, dice: random.Random) -> None:
        if self._used:
            call, token = dice.choice(list(self._used))
            self.attempt(REPLAY, connection, call.path, call.body, token, call.answer)

    def _posts(self, connection: Connection, dice: random.Random) -> None:
        """One post, sent until it is acknowledged, as a client does; now and then once more."""
        call = dice.choice([call for call in self.calls if call.cards])
        path = call.path + "/feedback"
        items = [self.item(call, dice) for _ in range(dice.randint(1, 3))]
        body = json.dumps({"feedback": [item.content for item in items]}).encode()
        until = monotonic() + RECOVERED_WITHIN
        while self.attempt(FEEDBACK, connection, path, body, self._token(path), b"{}") != RIGHT:
            if monotonic() > until:
                return
            # Also while the load ends: what was not acknowledged may be stored or not.
            self._stopping.wait(0.3)
            if self._stopping.is_set() and monotonic() > until - RECOVERED_WITHIN + 10:
                return
        self.acknowledged += items
        if dice.random() < 0.2:
            self.attempt(FEEDBACK, connection, path, body, self._token(path), b"{}")

    def item(self, call: Known, dice: random.Random | None = None) -> Item:
        dice = dice or random.Random()
        (card,) = call.cards
        with _TIMING:
            at = next(_TIMES)
        offered = _compatible(card, dice)
        taken = dice.sample(offered, dice.randint(0, min(2, len(offered))))
        return Item(card["uuid"], at.strftime("%Y-%m-%dT%H:%M:%SZ"), tuple(taken))


def _compatible(card: Mapping[str, Any], dice: random.Random) -> list[str]:
    """Ids of suggestions that can be accepted together: all orders, and one answer."""
    answers, orders = [], []
    for one in card.get("suggestions", ()):
        (action,) = one["actions"][:1]
        (answers if action["resource"]["resourceType"] == "Observation" else orders).append(one["uuid"])
    return [*orders, *([dice.choice(answers)] if answers else ())]


def _outcome(status: int, headers: Mapping[str, str], content: bytes, answer: bytes) -> str:
    if status == 200:
        return RIGHT if content == answer else WRONG
    if status == 401:
        return REFUSED
    if status == 503 and headers.get("Retry-After", "").isdigit():
        with suppress(ValueError):
            if json.loads(content)["resourceType"] == "OperationOutcome":
                return UNAVAILABLE
    return FAILED
