"""The public keys of an issuer: read from a file or fetched, cached, and read again for an unknown kid."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from service.authentication.strict_json import NotStrict, strict_json

MAX_KEY_SET_BYTES = 64 * 1024
MAX_KEYS = 100
MAX_KID_LENGTH = 256
FETCH_TIMEOUT_S = 3.0
# A call waits no longer for keys that are being read: a server that hangs must not hold the threads.
WAIT_S = 1.0
# Tokens with unknown keys cause at most one fetch in this time.
MIN_REFRESH_INTERVAL_S = 30.0
# A key that its issuer withdrew is rejected after this time.
FRESH_S = 600.0
# The interval between attempts while cached keys are used because the issuer does not answer.
RETRY_INTERVAL_S = 300.0
# Cached keys are used no longer than this without a successful read.
MAX_CACHE_AGE_S = 24 * 3600.0

_RSA_BITS = range(2048, 8193)
# FIPS 186-5, appendix A.1.1: with a small exponent a faulty check of the padding lets forged signatures pass.
_MIN_RSA_EXPONENT = 65537
_RSA = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
_ALGORITHMS: Mapping[tuple[str, str | None], frozenset[str]] = {
    ("RSA", None): _RSA,
    ("EC", "P-256"): frozenset(("ES256",)),
    ("EC", "P-384"): frozenset(("ES384",)),
    ("EC", "P-521"): frozenset(("ES512",)),
    ("OKP", "Ed25519"): frozenset(("EdDSA",)),
}
_log = logging.getLogger(__name__)


class KeySetError(Exception):
    """A key set is invalid or could not be read; the message repeats nothing of its content."""


class KeysUnavailable(Exception):
    """It is not known now whether the key exists."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and the algorithms that it may verify."""

    public: Any
    algorithms: frozenset[str]


def parse_key_set(content: bytes) -> dict[str, Key]:
    """Return the keys of a JWK Set by kid, without those that cannot verify a token. Raises KeySetError."""
    if len(content) > MAX_KEY_SET_BYTES:
        raise KeySetError(f"larger than {MAX_KEY_SET_BYTES} bytes")
    try:
        key_set = strict_json(content)
    except NotStrict as error:
        raise KeySetError(str(error)) from None
    if not isinstance(key_set, dict) or not isinstance(key_set.get("keys"), list):
        raise KeySetError("not a JWK Set: an object with a list named keys")
    if len(key_set["keys"]) > MAX_KEYS:
        raise KeySetError(f"more than {MAX_KEYS} keys")
    keys: dict[str, Key] = {}
    for index, jwk in enumerate(key_set["keys"]):
        place = f"keys[{index}]"
        if not isinstance(jwk, dict):
            raise KeySetError(f"{place}: not an object")
        if "d" in jwk or "k" in jwk:
            raise KeySetError(f"{place}: a secret key; only public keys belong here")
        key = _key(jwk)
        if key is None:
            continue
        if jwk["kid"] in keys:
            raise KeySetError(f"{place}: its kid stands twice")
        keys[jwk["kid"]] = key
    return keys


def _key(jwk: dict[str, Any]) -> Key | None:
    kid, curve, operations = jwk.get("kid"), jwk.get("crv"), jwk.get("key_ops", ["verify"])
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID_LENGTH:
        return None
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    key_type = jwk.get("kty")
    if not isinstance(key_type, str) or not isinstance(curve, str | None):
        return None
    algorithms = _ALGORITHMS.get((key_type, curve), frozenset())
    if "alg" in jwk:
        algorithms = frozenset(name for name in algorithms if name == jwk["alg"])
    if not algorithms:
        return None
    try:
        public = PyJWK(jwk, algorithm=min(algorithms)).key
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(public, RSAPublicKey) and not _is_strong(public):
        return None
    return Key(public, algorithms)


def _is_strong(public: RSAPublicKey) -> bool:
    return public.key_size in _RSA_BITS and public.public_numbers().e >= _MIN_RSA_EXPONENT


class KeySet:
    """The cached keys of an issuer.

    Args:
        name: The issuer, for the log.
        read: Returns the bytes of the JWK Set, or raises KeySetError.
        clock: Monotonic seconds.
        wait_s: How long calls wait for a reading, from its start.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], bytes],
        clock: Callable[[], float] = time.monotonic,
        wait_s: float = WAIT_S,
    ) -> None:
        self._name, self._read, self._clock, self._wait_s = name, read, clock, wait_s
        self._keys: Mapping[str, Key] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._starting = threading.Lock()
        self._reading: Future[None] | None = None
        self._wait_until = 0.0
        self._failed = False

    def load(self) -> int:
        """Read the keys now, and return the number of usable keys. Raises KeySetError."""
        self._tried_at = self._clock()
        self._keys = parse_key_set(self._read())
        self._read_at = self._tried_at
        return len(self._keys)

    def key(self, kid: str) -> Key | None:
        """Return the key with that kid; None if the issuer has no such key. Raises KeysUnavailable."""
        known = kid in self._keys
        if not known or not self._younger_than(FRESH_S):
            self._refresh(known=known)
        keys = self._keys
        # Keys that could not be read again may lack the newest one.
        current = kid in keys or self._read_at == self._tried_at
        if not current or not self._younger_than(MAX_CACHE_AGE_S):
            raise KeysUnavailable
        return keys.get(kid)

    def _younger_than(self, age_s: float) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < age_s

    def _refresh(self, *, known: bool) -> None:
        """Read the keys again where it is time, in a thread of its own, and wait if that may help."""
        with self._starting:
            started = self._start(RETRY_INTERVAL_S if known else MIN_REFRESH_INTERVAL_S)
            reading = self._reading
        # After a failure one call tries; otherwise all that have no cached key to use wait.
        if reading is not None and (started or not (known or self._failed)):
            wait((reading,), max(0.0, self._wait_until - time.monotonic()))

    def _start(self, interval_s: float) -> bool:
        if self._reading is not None and not self._reading.done():
            return False
        if self._tried_at is not None and self._clock() - self._tried_at < interval_s:
            return False
        self._tried_at = self._clock()
        self._wait_until = time.monotonic() + self._wait_s
        reading = Future[None]()
        # A daemon: a reading that hangs must not keep the worker from ending.
        threading.Thread(target=self._load, args=(reading,), daemon=True).start()
        self._reading = reading
        return True

    def _load(self, reading: Future[None]) -> None:
        failed = True
        try:
            self.load()
            failed = False
        except KeySetError as error:
            _log.warning("keys of issuer %s could not be read: %s", self._name, error)
        finally:
            self._failed = failed
            reading.set_result(None)


class KeyFetch:
    """GET of a JWK Set: no redirects, limited in bytes and in total time."""

    def __init__(self, url: str, timeout_s: float = FETCH_TIMEOUT_S) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._running: Future[bytes] | None = None

    def __call__(self) -> bytes:
        """Return the body. Raises KeySetError, at the latest after timeout_s."""
        # The timeout of a socket starts again with every byte; only a second thread limits the total.
        if self._running is not None and not self._running.done():
            raise KeySetError("the last request still hangs")
        running = self._running = Future[bytes]()
        # A daemon: a server that sends byte after byte must not keep the worker from ending.
        threading.Thread(target=self._run, args=(running,), daemon=True).start()
        try:
            return running.result(self._timeout_s)
        except KeySetError:
            raise
        except TimeoutError:
            raise KeySetError(f"no whole answer within {self._timeout_s:g} seconds") from None
        except Exception as error:
            # The message of the error could name what was sent.
            raise KeySetError(f"no answer ({type(error).__name__})") from None

    def _run(self, running: Future[bytes]) -> None:
        try:
            running.set_result(self._get())
        except Exception as error:
            running.set_exception(error)

    def _get(self) -> bytes:
        deadline = time.monotonic() + self._timeout_s
        with requests.Session() as session:
            # The proxy and CA settings of this machine hold for https; on loopback there is no proxy.
            session.trust_env = urlsplit(self._url).scheme == "https"
            response = session.get(
                self._url,
                headers={
                    "Accept": "application/jwk-set+json, application/json",
                    "Accept-Encoding": "identity",
                },
                auth=_no_credentials,
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            )
            if response.status_code != 200:
                raise KeySetError(f"answered with status {response.status_code}")
            content = b""
            while chunk := response.raw.read1(MAX_KEY_SET_BYTES):
                content += chunk
                if len(content) > MAX_KEY_SET_BYTES:
                    raise KeySetError(f"larger than {MAX_KEY_SET_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise KeySetError("too slow")
            return content


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding the password of a .netrc file."""
    return request
