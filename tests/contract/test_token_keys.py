"""Keys: which are taken from a set, when a set is read again, and servers of keys that misbehave."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.authentication.issuer_keys import (
    FRESH_S,
    MAX_CACHE_AGE_S,
    MAX_KEY_SET_BYTES,
    MIN_REFRESH_INTERVAL_S,
    RETRY_INTERVAL_S,
    KeyFetch,
    KeySet,
    KeySetError,
    KeysUnavailable,
    parse_key_set,
)
from service.authentication.tokens import REASONS
from service.authentication.trusted_issuers import Issuer
from service.knowledge import Knowledge
from tests.contract.callers import (
    EHR,
    Clock,
    Signer,
    app_for,
    bearer,
    called,
    callers,
    jwks,
    public_jwk,
    said,
)
from tests.contract.jwks_server import Behaviour, JwksServer, answer
from tests.contract.requests import SERVICE


def a_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


@pytest.mark.parametrize(
    "jwk",
    [
        public_jwk("p384-a", use="enc"),
        public_jwk("p384-a", key_ops=["sign"]),
        public_jwk("p384-a", key_ops="verify"),
        public_jwk("p384-a", kid=5),
        public_jwk("p384-a", kid=""),
        public_jwk("p384-a", kid="k" * 257),
        public_jwk("p384-a", alg="ES256"),
        public_jwk("p384-a", alg="none"),
        public_jwk("p384-a", alg="HS256"),
        public_jwk("p384-a", crv="P-256"),
        public_jwk("p384-a", crv=["P-384"]),
        public_jwk("p384-a", kty="oct"),
        public_jwk("p384-a", kty=None),
        public_jwk("p384-a", x="AAAA"),
        public_jwk("p384-a", x=5),
        public_jwk("p384-a", y=public_jwk("p384-a")["x"]),
        public_jwk("rsa-a", n="AQAB"),
        public_jwk("rsa-a", e="AA"),
        public_jwk("rsa-a", e="Aw"),
        public_jwk("rsa-a", e="EQ"),
        public_jwk("rsa-a", e="__8"),
        public_jwk("rsa-a", alg="RSA-OAEP"),
        public_jwk("short-a"),
        public_jwk("ed-a", crv="X25519"),
        {"kid": "a"},
        {},
    ],
)
def test_a_key_that_cannot_verify_is_left_out(jwk: dict[str, Any]) -> None:
    assert set(parse_key_set(a_set(jwk, public_jwk("rsa-other")))) == {"rsa-other"}


@pytest.mark.parametrize(
    ("name", "more", "algorithms"),
    [
        ("p256-a", {}, {"ES256"}),
        ("p384-a", {"use": "sig", "key_ops": ["verify"], "alg": "ES384"}, {"ES384"}),
        ("p521-a", {}, {"ES512"}),
        ("ed-a", {}, {"EdDSA"}),
        ("rsa-a", {}, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("rsa-a", {"alg": "PS384"}, {"PS384"}),
    ],
)
def test_what_a_key_may_verify(name: str, more: dict[str, Any], algorithms: set[str]) -> None:
    assert parse_key_set(a_set(public_jwk(name, **more)))[name].algorithms == algorithms


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JWK Set"),
        (b'{"keys": {}}', "not a JWK Set"),
        (b'{"keys": [], "keys": []}', "stands twice"),
        (a_set("key"), r"keys\[0\]: not an object"),
        (a_set(*[{}] * 101), "more than 100"),
        (a_set(public_jwk("p384-a"), public_jwk("p384-b", kid="p384-a")), r"keys\[1\]: its kid stands twice"),
        (a_set(public_jwk("p384-a", d="AAAA")), "secret"),
        (a_set({"kty": "oct", "k": "c2VjcmV0", "kid": "a"}), "secret"),
        (a_set({"pad": "p" * MAX_KEY_SET_BYTES}), "larger"),
    ],
)
def test_a_wrong_set_is_refused_whole(content: bytes, said: str) -> None:
    with pytest.raises(KeySetError, match=said):
        parse_key_set(content)


class Source:
    """What is read; counts how often."""

    def __init__(self, *names: str) -> None:
        self.content: bytes | None = jwks(*names)
        self.times = 0

    def __call__(self) -> bytes:
        self.times += 1
        if self.content is None:
            raise KeySetError("away")
        return self.content


@pytest.fixture
def source() -> Source:
    return Source("p384-old")


@pytest.fixture
def keys(source: Source, clock: Clock) -> KeySet:
    return KeySet("ehr", source, clock)


def test_rotation_an_unknown_key_is_looked_for_once(keys: KeySet, source: Source, clock: Clock) -> None:
    assert keys.key("p384-old")
    clock.now += MIN_REFRESH_INTERVAL_S
    source.content = jwks("p384-new")
    assert keys.key("p384-old"), "not read again: it is known"
    assert source.times == 1
    assert keys.key("p384-new")
    assert source.times == 2
    assert keys.key("p384-old") is None, "its issuer took it back"
    assert source.times == 2


def test_the_floor_between_two_readings_holds(keys: KeySet, source: Source, clock: Clock) -> None:
    for _ in range(50):
        assert keys.key("p384-attacker") is None
    assert source.times == 1
    clock.now += MIN_REFRESH_INTERVAL_S - 1
    assert keys.key("p384-attacker") is None
    assert source.times == 1
    clock.now += 1
    assert keys.key("p384-attacker") is None
    assert keys.key("p384-old")
    assert source.times == 2


def test_a_key_that_was_taken_back_is_refused_in_time(keys: KeySet, source: Source, clock: Clock) -> None:
    assert keys.key("p384-old")
    source.content = jwks()
    clock.now += FRESH_S - 1
    assert keys.key("p384-old")
    clock.now += 1
    assert keys.key("p384-old") is None


def test_a_failed_reading_keeps_the_old_keys_for_a_day(keys: KeySet, source: Source, clock: Clock) -> None:
    assert keys.key("p384-old")
    source.content = None
    clock.now += FRESH_S
    for _ in range(3):
        assert keys.key("p384-old")
    assert source.times == 2, "tried once"
    clock.now += RETRY_INTERVAL_S - 1
    assert keys.key("p384-old")
    assert source.times == 2
    clock.now += 1
    assert keys.key("p384-old")
    assert source.times == 3
    clock.now += MAX_CACHE_AGE_S
    with pytest.raises(KeysUnavailable):
        keys.key("p384-old")
    source.content = jwks("p384-old")
    clock.now += RETRY_INTERVAL_S
    assert keys.key("p384-old")


def test_whether_a_key_exists_is_not_known_while_none_can_be_read(
    keys: KeySet, source: Source, clock: Clock
) -> None:
    source.content = None
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            keys.key("p384-old")
    assert source.times == 1
    source.content = jwks("p384-old")
    clock.now += MIN_REFRESH_INTERVAL_S
    assert keys.key("p384-old")
    source.content = None
    clock.now += MIN_REFRESH_INTERVAL_S
    with pytest.raises(KeysUnavailable):
        keys.key("p384-new")
    assert keys.key("p384-old")


def test_one_reads_whatever_the_number_of_calls(clock: Clock) -> None:
    reading, may_answer = threading.Event(), threading.Event()
    times: list[int] = []

    def slow() -> bytes:
        times.append(1)
        reading.set()
        assert may_answer.wait(10)
        return jwks("p384-old", "p384-new")

    keys = KeySet("ehr", slow, clock)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(keys.key("p384-new"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert reading.wait(10)
    may_answer.set()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert all(found)
    assert len(times) == 1


def test_who_has_a_key_does_not_wait_for_a_reading(source: Source, clock: Clock) -> None:
    reading, may_answer = threading.Event(), threading.Event()
    slow = False
    waited: list[bool] = []

    def read() -> bytes:
        if slow:
            reading.set()
            waited.append(may_answer.wait(5))
        return source()

    keys = KeySet("ehr", read, clock)
    assert keys.key("p384-old")
    slow = True
    clock.now += FRESH_S
    unknown = threading.Thread(target=lambda: keys.key("p384-new"))
    unknown.start()
    assert reading.wait(10)
    assert keys.key("p384-old")
    assert waited == []
    may_answer.set()
    unknown.join(10)


def drip(me: BaseHTTPRequestHandler) -> None:
    me.send_response(200)
    me.end_headers()
    while True:
        me.wfile.write(b" ")
        me.wfile.flush()
        time.sleep(0.02)


def drip_headers(me: BaseHTTPRequestHandler) -> None:
    me.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
    while True:
        me.wfile.write(b"x")
        me.wfile.flush()
        time.sleep(0.02)


def gzipped(me: BaseHTTPRequestHandler) -> None:
    import gzip

    answer(me, gzip.compress(b'{"keys": [' + b" " * 10_000_000), Content_Encoding="gzip")


BAD_SERVERS: dict[str, Behaviour] = {
    "not there": lambda me: answer(me, jwks("p384-ehr"), 404),
    "failing": lambda me: answer(me, jwks("p384-ehr"), 500),
    "asking who we are": lambda me: answer(me, jwks("p384-ehr"), 401, WWW_Authenticate="Basic"),
    "partial": lambda me: answer(me, jwks("p384-ehr"), 206),
    "HTML": lambda me: answer(me, b"<html>Please sign in</html>"),
    "an object": lambda me: answer(me, b"{}"),
    "huge": lambda me: answer(me, b'{"keys": [' + b" " * 1_000_000 + b"]}"),
    "zipped": gzipped,
    "cut short": lambda me: answer(me, jwks("p384-ehr")[:-20], Content_Length=100_000),
    "not HTTP": lambda me: (me.wfile.write(b"SSH-2.0-OpenSSH\r\n"), None)[1],
    "closing": lambda me: None,
    "endless": drip,
    "endless in its headers": drip_headers,
}


@pytest.fixture
def by_jku(knowledge: Knowledge, jwks_server: JwksServer, clock: Clock) -> FlaskClient:
    """A site that fetches the keys of its issuer."""
    issuers = {EHR: Issuer(EHR, jku=jwks_server.url)}
    keys = {EHR: KeySet(EHR, KeyFetch(jwks_server.url, timeout_s=0.5), clock)}
    return app_for(knowledge, callers(clock, issuers=issuers, keys=keys)).test_client()


@pytest.mark.parametrize("behaves", BAD_SERVERS.values(), ids=BAD_SERVERS)
def test_a_server_of_keys_that_misbehaves_lets_nobody_in(
    by_jku: FlaskClient,
    jwks_server: JwksServer,
    clock: Clock,
    behaves: Behaviour,
    caplog: pytest.LogCaptureFixture,
) -> None:
    signer = Signer(clock, SERVICE)
    jwks_server.keys, jwks_server.behaves = ("p384-ehr",), behaves
    answered = called(by_jku, bearer(signer.token()))
    said(answered, 503)
    assert answered.headers["Retry-After"]
    assert "could not be read" in caplog.text
    assert signer.token().split(".")[1] not in caplog.text
    assert len(jwks_server.requests) == 1


def test_a_redirect_is_not_followed(by_jku: FlaskClient, jwks_server: JwksServer, clock: Clock) -> None:
    jwks_server.keys = ("p384-ehr",)
    elsewhere = jwks_server.url + "?elsewhere"
    jwks_server.behaves = lambda me: answer(
        me, jwks("p384-ehr"), 200 if "?" in me.path else 302, Location=elsewhere
    )
    said(called(by_jku, bearer(Signer(clock, SERVICE).token())), 503)
    assert len(jwks_server.requests) == 1
    clock.now += MIN_REFRESH_INTERVAL_S
    jwks_server.behaves = None
    assert called(by_jku, bearer(Signer(clock, SERVICE).token())).status_code == 200


def test_a_server_that_hangs_is_left_alone(jwks_server: JwksServer) -> None:
    jwks_server.behaves = lambda me: (jwks_server.closing.wait(20), None)[1]
    fetch = KeyFetch(jwks_server.url, timeout_s=0.2)
    with pytest.raises(KeySetError, match=r"no whole answer|no answer"):
        fetch()


def test_what_does_not_end_is_not_read_to_its_end(jwks_server: JwksServer) -> None:
    def flood(me: BaseHTTPRequestHandler) -> None:
        me.send_response(200)
        me.end_headers()
        while True:
            me.wfile.write(b" " * 10_000)

    jwks_server.behaves = flood
    with pytest.raises(KeySetError, match="larger"):
        KeyFetch(jwks_server.url, timeout_s=20)()


def test_two_requests_never_hang_at_once(jwks_server: JwksServer) -> None:
    jwks_server.behaves = drip_headers
    fetch = KeyFetch(jwks_server.url, timeout_s=0.2)
    with pytest.raises(KeySetError, match="no whole answer"):
        fetch()
    with pytest.raises(KeySetError, match="still hangs"):
        fetch()
    assert len(jwks_server.requests) == 1


def test_rotation_by_jku(by_jku: FlaskClient, jwks_server: JwksServer, clock: Clock) -> None:
    def status(key: str, **more: Any) -> int:
        return called(by_jku, bearer(Signer(clock, SERVICE, key=key).token(**more))).status_code

    jwks_server.keys = ("p384-ehr",)
    assert status("p384-ehr", header={"jku": jwks_server.url}) == 200
    jwks_server.keys = ("rsa-new",)
    clock.now += MIN_REFRESH_INTERVAL_S
    assert (status("p384-ehr"), status("rsa-new"), status("p384-ehr")) == (200, 200, 401)
    assert len(jwks_server.requests) == 2


def test_nothing_of_the_machine_is_sent_along(
    jwks_server: JwksServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    jwks_server.keys = ("p384-ehr",)
    assert set(parse_key_set(KeyFetch(jwks_server.url)())) == {"p384-ehr"}
    (sent,) = jwks_server.requests
    assert not {"Authorization", "Cookie"} & set(sent)


def test_a_server_that_is_away_is_a_503(knowledge: Knowledge, clock: Clock, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/keys"
    keys = {EHR: KeySet(EHR, KeyFetch(url), clock)}
    client = app_for(knowledge, callers(clock, issuers={EHR: Issuer(EHR, jku=url)}, keys=keys)).test_client()
    assert "keys" in said(called(client, bearer(Signer(clock, SERVICE).token())), 503)


def test_an_attacker_without_an_issuer_makes_nobody_fetch(
    by_jku: FlaskClient, jwks_server: JwksServer, clock: Clock
) -> None:
    signer = Signer(clock, SERVICE)
    for token in (
        signer.token(iss="https://evil.example"),
        signer.token(header={"alg": "HS256"}),
        signer.token(header={"crit": ["x"]}),
        signer.token(header={"jku": jwks_server.url + "/"}),
    ):
        said(called(by_jku, bearer(token)), 401)
    assert jwks_server.requests == []


def test_refusals_name_no_key(by_jku: FlaskClient, jwks_server: JwksServer, clock: Clock) -> None:
    jwks_server.keys = ("p384-ehr",)
    token = Signer(clock, SERVICE).token(header={"kid": "Wolkenstein"})
    assert said(called(by_jku, bearer(token)), 401) == REASONS["key"][1]
