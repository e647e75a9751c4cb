"""Stores of used tokens, so that each is accepted once: in one process or, with Redis, in all of them."""

from __future__ import annotations

import hashlib
import heapq
import json
import math
import os
import threading
import time
from collections.abc import Callable

from service.authentication.tokens import UsedTokens, rejection
from service.config import ConfigError
from service.errors import Issue, Unavailable

# Per issuer: the tokens of one must not displace those of another.
MAX_TOKENS = 50_000
# The clocks of the machines differ: keep a token longer than any of them accepts it.
MARGIN_S = 60.0
# Redis has room for more: a clock that is an hour wrong and is corrected does not make a token valid again.
REDIS_MARGIN_S = 7200.0
_REDIS_TIMEOUT_S = 1.0
_PREFIX = "fasciculation-cds:"


def _name(iss: str, jti: str) -> str:
    # A JSON list is unambiguous, whatever the two contain.
    return hashlib.sha256(json.dumps([iss, jti]).encode()).hexdigest()


class InMemory:
    """Store for one process. It is empty in a new process, which rejects tokens older than itself.

    Args:
        clock: Seconds since 1970.
        maximum: Tokens that are kept for one issuer.
        steady: Monotonic seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        maximum: int = MAX_TOKENS,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._maximum, self._steady = clock, maximum, steady
        self._clear()
        # gunicorn replaces a worker by a new copy of the master, which knows none of its tokens.
        os.register_at_fork(after_in_child=self._clear)

    def _clear(self) -> None:
        self._lock = threading.Lock()
        self._started = self._clock()
        # issuer -> names, and a heap of (end by the clock, end by the steady clock, name)
        self._used: dict[str, tuple[set[str], list[tuple[float, float, str]]]] = {}

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        name, now, steady = _name(iss, jti), self._clock(), self._steady()
        if issued < math.floor(self._started):
            raise rejection("restarted")
        with self._lock:
            names, ends = self._used.setdefault(iss, (set(), []))
            # By both clocks: the first can be set forward and back.
            while ends and ends[0][0] <= now and ends[0][1] <= steady:
                names.discard(heapq.heappop(ends)[2])
            if name in names:
                raise rejection("replayed")
            if len(names) >= self._maximum:
                raise Unavailable([Issue("throttled", "Too many tokens of this issuer in a short time.")])
            names.add(name)
            end = until + MARGIN_S
            heapq.heappush(ends, (end, steady + end - now, name))

    def state(self) -> str:
        return "ok"


class InRedis:
    """Store for several processes. While Redis does not answer, all calls are rejected.

    A Redis that was restarted, emptied or replaced may have lost tokens, so tokens issued before it was first
    asked are rejected. A readiness check asks it too, so that the first calls are not rejected.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        # The driver takes 0.1 s to import, and JTI_STORE=memory does not need it.
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._clock = clock
        self._outages = (redis.RedisError, OSError)
        # The run id of the Redis that answered last.
        self._run_id = ""
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            # A retry after a lost answer would look like a token used twice.
            retry=Retry(NoBackoff(), 0),
        )

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        milliseconds = max(1, math.ceil((until - self._clock() + REDIS_MARGIN_S) * 1000))
        # Another thread may change it meanwhile.
        run_id = self._run_id
        try:
            # One round trip for the three commands.
            with self._client.pipeline(transaction=False) as commands:
                commands.info("server")
                commands.set(f"{_PREFIX}jti:{_name(iss, jti)}", b"", nx=True, px=milliseconds)
                commands.get(_started_key(run_id))
                server, fresh, started = commands.execute()
            if server["run_id"] != run_id or started is None:
                started = self._start(server["run_id"])
            started = float(started)
        except (*self._outages, LookupError, TypeError, ValueError):
            raise Unavailable(
                [Issue("transient", "Used tokens cannot be looked up now: send a new token in a moment.")]
            ) from None
        if issued < math.floor(started):
            raise rejection("restarted")
        if fresh is not True:
            raise rejection("replayed")

    def state(self) -> str:
        try:
            # The user of Redis has the permission for these commands, because use() needs them.
            run_id = self._client.info("server")["run_id"]
            if run_id != self._run_id:
                self._start(run_id)
        except (*self._outages, LookupError) as error:
            return f"unavailable ({type(error).__name__})"
        return "ok"

    def _start(self, run_id: str) -> bytes | None:
        """Return the time at which any process first asked that run of Redis, and set it if there is none."""
        with self._client.pipeline(transaction=False) as commands:
            commands.set(_started_key(run_id), repr(self._clock()), nx=True)
            commands.get(_started_key(run_id))
            started: bytes | None = commands.execute()[1]
        self._run_id = run_id
        return started


def _started_key(run_id: str) -> str:
    return f"{_PREFIX}began:{run_id}"


def used_token_store(setting: str) -> UsedTokens:
    """Return the store of JTI_STORE. Raises ConfigError, without the URL, which may hold a password."""
    if setting == "memory":
        return InMemory()
    try:
        return InRedis(setting)
    except (ValueError, TypeError):
        raise ConfigError("JTI_STORE: memory, or a URL redis://host:port/number") from None
