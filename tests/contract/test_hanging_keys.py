"""A server of keys that hangs holds no threads: one reading, and calls that do not wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from service.authentication.issuer_keys import (
    FRESH_S,
    MIN_REFRESH_INTERVAL_S,
    RETRY_INTERVAL_S,
    KeySet,
    KeySetError,
    KeysUnavailable,
)
from tests.contract.callers import Clock, jwks


class Hanging:
    """Reads nothing until it may; counts how often."""

    def __init__(self) -> None:
        self.times = 0
        self.reading, self.may_answer = threading.Event(), threading.Event()
        self.answers: bytes | None = None

    def __call__(self) -> bytes:
        self.times += 1
        self.reading.set()
        assert self.may_answer.wait(20)
        if self.answers is None:
            raise KeySetError("away")
        return self.answers


def in_time(keys: KeySet, kid: str) -> list[object]:
    """What a call for that key gets, or nothing while it still waits."""
    got: list[object] = []

    def call() -> None:
        try:
            got.append(keys.key(kid))
        except KeysUnavailable:
            got.append(KeysUnavailable)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(5)
    return got


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    source = Hanging()
    yield source
    source.may_answer.set()


def test_no_call_waits_for_a_server_of_keys_that_hangs(hanging: Hanging, clock: Clock) -> None:
    keys = KeySet("ehr", hanging, clock, wait_s=0.01)
    for _ in range(20):
        assert in_time(keys, "p384-attacker") == [KeysUnavailable]
    assert hanging.times == 1, "one reading at a time"
    clock.now += 10 * RETRY_INTERVAL_S
    assert in_time(keys, "p384-attacker") == [KeysUnavailable]
    assert hanging.times == 1, "none beside one that hangs"


def test_what_hung_is_used_when_it_comes(hanging: Hanging, clock: Clock) -> None:
    keys = KeySet("ehr", hanging, clock, wait_s=0.01)
    assert in_time(keys, "p384-new") == [KeysUnavailable]
    hanging.answers = jwks("p384-new")
    hanging.may_answer.set()
    for _ in range(1000):
        if (got := in_time(keys, "p384-new")) != [KeysUnavailable]:
            break
        time.sleep(0.01)
    assert got == [keys.key("p384-new")]
    assert hanging.times == 1


def test_after_a_failure_one_call_waits_and_the_others_do_not(hanging: Hanging, clock: Clock) -> None:
    keys = KeySet("ehr", hanging, clock, wait_s=20)
    hanging.may_answer.set()
    assert in_time(keys, "p384-attacker") == [KeysUnavailable]
    hanging.may_answer.clear()
    hanging.reading.clear()
    clock.now += MIN_REFRESH_INTERVAL_S
    first = threading.Thread(target=in_time, args=(keys, "p384-attacker"))
    first.start()
    assert hanging.reading.wait(10)
    for _ in range(3):
        assert in_time(keys, "p384-attacker") == [KeysUnavailable]
    assert hanging.times == 2
    hanging.may_answer.set()
    first.join(10)


def test_a_known_key_is_used_while_the_server_hangs(hanging: Hanging, clock: Clock) -> None:
    keys = KeySet("ehr", hanging, clock, wait_s=0.01)
    hanging.answers = jwks("p384-old")
    hanging.may_answer.set()
    assert keys.load() == 1
    hanging.may_answer.clear()
    clock.now += FRESH_S
    (found,) = in_time(keys, "p384-old")
    assert found == keys.key("p384-old")
    assert hanging.times == 2
