"""A token is used once: in one process, in several with Redis, and in none while Redis is away."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from flask.testing import FlaskClient

from service.authentication.tokens import LEEWAY_S, REASONS, UsedTokens
from service.authentication.used_tokens import (
    MARGIN_S,
    REDIS_MARGIN_S,
    InMemory,
    InRedis,
)
from service.errors import RequestError, Unauthenticated, Unavailable
from service.knowledge import Knowledge
from tests.contract.callers import CLINIC, EHR, Clock, Signer, app_for, bearer, called, callers, part, said
from tests.contract.conftest import redis_running
from tests.contract.requests import SERVICE


def jti() -> str:
    return str(uuid.uuid4())


@pytest.fixture(params=["memory", "redis"])
def seen(request: pytest.FixtureRequest, clock: Clock) -> UsedTokens:
    if request.param == "memory":
        return InMemory(clock)
    return InRedis(request.getfixturevalue("redis_url"), clock)


def is_new(seen: UsedTokens, iss: str, name: str, clock: Clock, until: float = 330) -> bool:
    """Whether it is taken; an error other than that it was used goes on."""
    try:
        seen.use(iss, name, clock(), clock() + until)
    except Unauthenticated as error:
        if error.issues[0].diagnostics != REASONS["replayed"][1]:
            raise
        return False
    return True


def test_once_and_not_again(seen: UsedTokens, clock: Clock) -> None:
    name = jti()
    assert is_new(seen, EHR, name, clock)
    assert not is_new(seen, EHR, name, clock)
    assert is_new(seen, EHR, name + " ", clock)


def test_each_issuer_counts_for_itself(seen: UsedTokens, clock: Clock) -> None:
    name = jti()
    assert is_new(seen, EHR, name, clock)
    assert is_new(seen, CLINIC, name, clock)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "bc"), ("ab", "c")),
        (("a\x00b", "c"), ("a", "b\x00c")),
        (('a", "b', "c"), ("a", 'b", "c')),
        (("a", "?"), ("a", "\ud800")),
        (("a", "\\ud800"), ("a", "\ud800")),
    ],
)
def test_no_two_pairs_are_taken_for_one(
    seen: UsedTokens, clock: Clock, one: tuple[str, str], other: tuple[str, str]
) -> None:
    salt = jti()
    assert is_new(seen, salt + one[0], one[1], clock)
    assert is_new(seen, salt + other[0], other[1], clock)
    assert not is_new(seen, salt + other[0], other[1], clock)


def test_a_call_sent_again_is_refused(knowledge: Knowledge, seen: UsedTokens, clock: Clock) -> None:
    client = app_for(knowledge, callers(clock, seen)).test_client()
    signer = Signer(clock, SERVICE)
    assert called(client, bearer(signer.token())).status_code == 200
    assert said(called(client, bearer(signer.token())), 401) == REASONS["replayed"][1]
    assert said(called(client, bearer(signer.token(exp=int(clock()) + 299))), 401) == REASONS["replayed"][1]
    clock.now += 329
    assert said(called(client, bearer(signer.token(iat=int(clock()) - 300, exp=int(clock()) - 29))), 401)
    assert called(client, bearer(signer.token(jti=jti()))).status_code == 200


def test_the_other_signature_of_the_same_token_is_the_same_token(
    knowledge: Knowledge, seen: UsedTokens, clock: Clock
) -> None:
    """Of each ECDSA signature (r, s) anybody can make another that is valid: (r, n - s)."""
    order = int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
    )
    client = app_for(knowledge, callers(clock, seen)).test_client()
    text, _, signature = Signer(clock, SERVICE).token().rpartition(".")
    r, s = (base64.urlsafe_b64decode(signature)[half] for half in (slice(48), slice(48, None)))
    other = part(r + (order - int.from_bytes(s, "big")).to_bytes(48, "big"))
    assert other != signature
    assert called(client, bearer(f"{text}.{other}")).status_code == 200
    assert said(called(client, bearer(f"{text}.{signature}")), 401) == REASONS["replayed"][1]


def test_many_at_once_are_one(seen: UsedTokens, clock: Clock) -> None:
    name = jti()
    with ThreadPoolExecutor(16) as together:
        taken = list(together.map(lambda _: is_new(seen, EHR, name, clock), range(64)))
    assert sum(taken) == 1


class Asked:
    """Remembers what it was asked."""

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        self.asked = (iss, jti, issued, until)


def test_a_token_is_remembered_until_nobody_takes_it_and_by_what_it_says(clock: Clock) -> None:
    asked, signer = Asked(), Signer(clock, SERVICE)
    callers(clock, asked).caller(f"Bearer {signer.token(exp=int(clock()) + 200)}", SERVICE)
    assert asked.asked == (EHR, signer.jti, clock(), clock() + 200 + LEEWAY_S)


def two_apps(knowledge: Knowledge, one: UsedTokens, other: UsedTokens, clock: Clock) -> list[FlaskClient]:
    return [app_for(knowledge, callers(clock, seen)).test_client() for seen in (one, other)]


def test_a_token_used_at_one_instance_is_refused_at_another(
    knowledge: Knowledge, redis_url: str, clock: Clock
) -> None:
    one, other = two_apps(knowledge, InRedis(redis_url, clock), InRedis(redis_url, clock), clock)
    token = Signer(clock, SERVICE).token()
    assert called(one, bearer(token)).status_code == 200
    assert said(called(other, bearer(token)), 401) == REASONS["replayed"][1]
    assert called(other, bearer(Signer(clock, SERVICE).token())).status_code == 200


def test_redis_keeps_only_a_hash_and_only_for_a_while(redis_url: str, clock: Clock) -> None:
    client, name = redis.Redis.from_url(redis_url), jti()
    assert is_new(InRedis(redis_url, clock), EHR, name, clock, until=100)
    key = "fasciculation-cds:jti:" + hashlib.sha256(json.dumps([EHR, name]).encode()).hexdigest()
    assert client.get(key) == b""
    kept = client.pttl(key) / 1000
    # Longer than any instance would take the token, were its clock an hour behind: see below.
    assert 100 + REDIS_MARGIN_S - 30 < kept <= 100 + REDIS_MARGIN_S
    client.delete(key)


@pytest.mark.parametrize("password", ["", "secret-of-redis"])
def test_without_redis_nobody_is_let_in(
    knowledge: Knowledge, clock: Clock, closed_port: int, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = InRedis(f"redis://:{password}@127.0.0.1:{closed_port}/0", clock)
    client = app_for(knowledge, callers(clock, store)).test_client()
    signer = Signer(clock, SERVICE)
    for _ in range(2):
        answered = called(client, bearer(signer.token()))
        said(answered, 503)
        assert int(answered.headers["Retry-After"]) > 0
        assert "secret-of-redis" not in caplog.text + answered.get_data(as_text=True)
    assert said(called(client, bearer(signer.token(iss="https://evil.example"))), 401)


def test_a_redis_that_refuses_lets_nobody_in(redis_url: str, clock: Clock) -> None:
    wrong = redis_url.replace("//", f"//nobody:{secrets.token_hex(4)}@")
    with pytest.raises(Unavailable):
        InRedis(wrong, clock).use(EHR, jti(), clock(), clock() + 330)


@pytest.mark.parametrize("how", ["killed", "flushed"])
def test_a_redis_without_what_it_held_takes_no_token_from_before(how: str, clock: Clock) -> None:
    """Not even the process that saw the token used, and no other."""
    with redis_running() as server:
        before, name = InRedis(server.url, clock), jti()
        assert is_new(before, EHR, name, clock)
        if how == "killed":
            server.kill()
            server.start()
        else:
            redis.Redis.from_url(server.url).flushall()
        issued = clock()
        clock.now += 20
        for seen in (before, InRedis(server.url, clock)):
            with pytest.raises(Unauthenticated) as error:
                seen.use(EHR, name, issued, issued + 330)
            assert error.value.issues[0].diagnostics == REASONS["restarted"][1]
            assert is_new(seen, EHR, jti(), clock)


def test_a_redis_that_goes_on_takes_tokens_from_before_it_was_asked_by_another_process(
    redis_url: str, clock: Clock
) -> None:
    assert is_new(InRedis(redis_url, clock), EHR, jti(), clock)
    clock.now += 100
    InRedis(redis_url, clock).use(EHR, jti(), clock() - 90, clock() + 240)


def test_a_readiness_check_starts_the_memory_so_that_the_first_calls_are_let_in(clock: Clock) -> None:
    """Two callers at once on a new Redis: the second token is a moment older than the first question."""
    with redis_running() as server:
        one, other = InRedis(server.url, clock), InRedis(server.url, clock)
        assert [one.state(), other.state()] == ["ok", "ok"]
        clock.now += 60
        issued = clock() - 1
        assert is_new(one, EHR, jti(), clock)
        other.use(EHR, jti(), issued, issued + 330)
        with pytest.raises(Unauthenticated) as error:
            other.use(EHR, jti(), issued - 60, issued + 200)
        assert error.value.issues[0].diagnostics == REASONS["restarted"][1]


def test_an_hour_that_a_clock_is_wrong_opens_no_token_in_memory(clock: Clock) -> None:
    steady = Clock(0.0)
    seen, name = InMemory(clock, steady=steady), jti()
    clock.now += 7200
    assert is_new(seen, EHR, name, clock)
    clock.now += 3600
    assert is_new(seen, EHR, jti(), clock)
    clock.now -= 3600
    steady.now += 10
    assert not is_new(seen, EHR, name, clock)
    clock.now -= 3600
    steady.now += 3610
    assert is_new(seen, EHR, jti(), clock, until=3600 + 330)
    assert not is_new(seen, EHR, name, clock)


def test_memory_forgets_what_nobody_would_take_any_more(clock: Clock) -> None:
    seen = InMemory(clock, maximum=2, steady=clock)
    first = jti()
    assert is_new(seen, EHR, first, clock)
    assert is_new(seen, EHR, jti(), clock)
    clock.now += 330 + MARGIN_S - 1
    with pytest.raises(Unavailable):
        seen.use(EHR, jti(), clock(), clock() + 330)
    assert not is_new(seen, EHR, first, clock)
    clock.now += 1
    assert is_new(seen, EHR, first, clock)


def test_a_full_memory_lets_nobody_in_but_other_issuers(clock: Clock) -> None:
    seen = InMemory(clock, maximum=1)
    name = jti()
    assert is_new(seen, EHR, name, clock)
    with pytest.raises(Unavailable):
        seen.use(EHR, jti(), clock(), clock() + 330)
    assert not is_new(seen, EHR, name, clock)
    assert is_new(seen, CLINIC, jti(), clock)


def test_memory_takes_no_token_from_before_it_began(knowledge: Knowledge, clock: Clock) -> None:
    client = app_for(knowledge, callers(clock)).test_client()
    signer = Signer(clock, SERVICE)
    used_before_the_restart = signer.token(iat=int(clock()) - 1, exp=int(clock()) + 200)
    assert said(called(client, bearer(used_before_the_restart)), 401) == REASONS["restarted"][1]
    assert called(client, bearer(signer.token())).status_code == 200


def test_a_new_worker_takes_no_token_of_the_old_one(clock: Clock) -> None:
    """gunicorn replaces a worker that died by a copy of its master, which saw no token."""
    seen = InMemory(clock)
    began = clock()
    clock.now += 100
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            seen.use(EHR, jti(), began + 50, began + 350)
            os.write(writing, b"taken")
        except RequestError as error:
            os.write(writing, error.issues[0].diagnostics.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    assert os.read(reading, 1000).decode() == REASONS["restarted"][1]
    os.close(reading)
    assert is_new(seen, EHR, jti(), clock)
