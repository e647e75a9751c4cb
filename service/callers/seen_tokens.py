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

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.callers.refusals import refused
from service.config import ConfigError
from service.errors import Issue, Unavailable

# For one issuer: what one may sign away must not push out another's.
MAXIMUM_TOKENS = 50_000
# The clocks of several processes, and of Redis, differ: remember longer than anyone would accept it.
MARGIN_SECONDS = 60.0
_REDIS_SECONDS = 1.0


class SeenTokens(Protocol):
    """Remembers tokens until they are of no use any more."""

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        """Marks it as used, valid until then. Raises Unauthenticated if it was, Unavailable if unknown."""


def _name(iss: str, jti: str) -> str:
    # As a list in JSON no two pairs are written alike, whatever stands in them.
    return hashlib.sha256(json.dumps([iss, jti]).encode()).hexdigest()


class InMemory:
    """For one process. A new process forgets, so it takes no token that is older than itself."""

    def __init__(self, clock: Callable[[], float] = time.time, maximum: int = MAXIMUM_TOKENS) -> None:
        self._clock, self._maximum = clock, maximum
        self.start_anew()
        _STORES.add(self)

    def start_anew(self) -> None:
        """Forgets all; nothing issued before now is taken."""
        self._lock = threading.Lock()
        self._began = self._clock()
        self._used: dict[str, tuple[set[str], list[tuple[float, str]]]] = {}

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        name, now = _name(iss, jti), self._clock()
        if issued < math.floor(self._began):
            raise refused("restarted")
        with self._lock:
            names, ends = self._used.setdefault(iss, (set(), []))
            while ends and ends[0][0] <= now:
                names.discard(heapq.heappop(ends)[1])
            if name in names:
                raise refused("replayed")
            if len(names) >= self._maximum:
                raise Unavailable([Issue("throttled", "Too many tokens of this issuer in a short time.")])
            names.add(name)
            heapq.heappush(ends, (until + MARGIN_SECONDS, name))


_STORES: weakref.WeakSet[InMemory] = weakref.WeakSet()


def _in_a_new_process() -> None:
    # gunicorn replaces a worker that died by a new copy of the master, whose memory is empty.
    for store in list(_STORES):
        store.start_anew()


os.register_at_fork(after_in_child=_in_a_new_process)


class InRedis:
    """For several processes. If Redis does not answer, nobody is let in."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            # Tried again, a lost answer would look like a token used twice.
            retry=Retry(NoBackoff(), 0),
        )

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        milliseconds = max(1, math.ceil((until - self._clock() + MARGIN_SECONDS) * 1000))
        try:
            fresh = self._client.set(
                f"fasciculation-cds:jti:{_name(iss, jti)}", b"", nx=True, px=milliseconds
            )
        except (redis.RedisError, OSError):
            raise Unavailable(
                [Issue("transient", "Used tokens cannot be looked up now: send a new token in a moment.")]
            ) from None
        if fresh is not True:
            raise refused("replayed")


def seen_tokens_in(setting: str) -> SeenTokens:
    """The store that JTI_STORE names. Raises ConfigError without the URL, which may hold a password."""
    if setting == "memory":
        return InMemory()
    try:
        return InRedis(setting)
    except (ValueError, TypeError):
        raise ConfigError("JTI_STORE: memory, or a URL redis://host:port/number") from None
