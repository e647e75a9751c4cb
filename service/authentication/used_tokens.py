"""Which tokens were used: each once, in one process or, with Redis, in all of them."""

from __future__ import annotations

import hashlib
import heapq
import json
import math
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from service.authentication.refusals import refused
from service.config import ConfigError
from service.errors import Issue, Unavailable

# For one issuer: what one may sign away must not push out another's.
MAXIMUM_TOKENS = 50_000
# The clocks of several processes, and of Redis, differ: remember longer than anyone would accept it.
MARGIN_SECONDS = 60.0
# In Redis there is room for more: also clocks that are wrong by an hour, and put right, open no token again.
REDIS_MARGIN_SECONDS = 7200.0
_REDIS_SECONDS = 1.0
_PREFIX = "fasciculation-cds:"


class SeenTokens(Protocol):
    """Remembers tokens until they are of no use any more."""

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        """Marks it as used, valid until then. Raises Unauthenticated if it was, Unavailable if unknown."""

    def state(self) -> str:
        """ "ok", or what is wrong. May take seconds."""


def _name(iss: str, jti: str) -> str:
    # As a list in JSON no two pairs are written alike, whatever stands in them.
    return hashlib.sha256(json.dumps([iss, jti]).encode()).hexdigest()


class InMemory:
    """For one process. A new process forgets, so it takes no token that is older than itself.

    clock: seconds since 1970; steady: seconds that only grow, whoever sets the clock.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        maximum: int = MAXIMUM_TOKENS,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._maximum, self._steady = clock, maximum, steady
        self.start_anew()
        _STORES.add(self)

    def start_anew(self) -> None:
        """Forgets all; nothing issued before now is taken."""
        self._lock = threading.Lock()
        self._began = self._clock()
        # issuer -> names, and for each the time by the clock and the steady time until which it is kept
        self._used: dict[str, tuple[set[str], list[tuple[float, float, str]]]] = {}

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        name, now, steady = _name(iss, jti), self._clock(), self._steady()
        if issued < math.floor(self._began):
            raise refused("restarted")
        with self._lock:
            names, ends = self._used.setdefault(iss, (set(), []))
            # Both must have passed: a clock may jump, and jump back.
            while ends and ends[0][0] <= now and ends[0][1] <= steady:
                names.discard(heapq.heappop(ends)[2])
            if name in names:
                raise refused("replayed")
            if len(names) >= self._maximum:
                raise Unavailable([Issue("throttled", "Too many tokens of this issuer in a short time.")])
            names.add(name)
            kept = until + MARGIN_SECONDS
            heapq.heappush(ends, (kept, steady + kept - now, name))

    def state(self) -> str:
        return "ok"


_STORES: weakref.WeakSet[InMemory] = weakref.WeakSet()


def _in_a_new_process() -> None:
    # gunicorn replaces a worker that died by a new copy of the master, whose memory is empty.
    for store in list(_STORES):
        store.start_anew()


os.register_at_fork(after_in_child=_in_a_new_process)


class InRedis:
    """For several processes. If Redis does not answer, nobody is let in.

    A Redis that was started anew, was emptied, or took over from another one may have lost tokens, so none
    is taken that was issued before it was first asked.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        # Half of the services need none, and it takes a tenth of a second to start.
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._clock = clock
        self._outages = (redis.RedisError, OSError)
        # Which run of Redis was asked last, as it names itself.
        self._run = ""
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            # Tried again, a lost answer would look like a token used twice.
            retry=Retry(NoBackoff(), 0),
        )

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        milliseconds = max(1, math.ceil((until - self._clock() + REDIS_MARGIN_SECONDS) * 1000))
        # Once: another thread may learn of another run meanwhile, and what is asked here is of this one.
        run = self._run
        try:
            # One way there and back for all three.
            with self._client.pipeline(transaction=False) as asked:
                asked.info("server")
                asked.set(f"{_PREFIX}jti:{_name(iss, jti)}", b"", nx=True, px=milliseconds)
                asked.get(_began_key(run))
                server, fresh, began = asked.execute()
            if server["run_id"] != run or began is None:
                began = self._begin(server["run_id"])
            began = float(began)
        except (*self._outages, LookupError, TypeError, ValueError):
            raise Unavailable(
                [Issue("transient", "Used tokens cannot be looked up now: send a new token in a moment.")]
            ) from None
        if issued < math.floor(began):
            raise refused("restarted")
        if fresh is not True:
            raise refused("replayed")

    def state(self) -> str:
        try:
            # A command that its user needs anyway.
            self._client.info("server")
        except self._outages as error:
            return f"unavailable ({type(error).__name__})"
        return "ok"

    def _begin(self, run: str) -> bytes | None:
        """When that run of Redis was first asked, by whichever process; it is now if by none."""
        with self._client.pipeline(transaction=False) as asked:
            asked.set(_began_key(run), repr(self._clock()), nx=True)
            asked.get(_began_key(run))
            found: bytes | None = asked.execute()[1]
        self._run = run
        return found


def _began_key(run: str) -> str:
    return f"{_PREFIX}began:{run}"


def seen_tokens_in(setting: str) -> SeenTokens:
    """The store that JTI_STORE names. Raises ConfigError without the URL, which may hold a password."""
    if setting == "memory":
        return InMemory()
    try:
        return InRedis(setting)
    except (ValueError, TypeError):
        raise ConfigError("JTI_STORE: memory, or a URL redis://host:port/number") from None
