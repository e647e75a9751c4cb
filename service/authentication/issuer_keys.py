"""The public keys of one issuer: read from a file or fetched, kept, and read again when a new one appears."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from service.authentication.strict_json import NotStrict, strict_json

MAXIMUM_BYTES = 64 * 1024
MAXIMUM_KEYS = 100
MAXIMUM_KID = 256
_RSA_BITS = range(2048, 8193)
# Whoever names unknown keys makes us read no more often than this.
FLOOR_SECONDS = 30.0
# A key that its issuer took back is refused within this time.
FRESH_SECONDS = 600.0
# While keys that are known cannot be read again, calls go on and rarely wait for another try.
RETRY_SECONDS = 300.0
# Keys that could not be read again for this long are not believed any more.
KEPT_SECONDS = 24 * 3600.0

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
    """A key set cannot be had or is wrong; the message repeats nothing of it but a place."""


class KeysUnavailable(Exception):
    """Whether the key exists cannot be known now."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key and what it may verify."""

    public: Any
    algorithms: frozenset[str]


def keys_in(content: bytes) -> dict[str, Key]:
    """kid -> key, of a JWK Set; keys for other ends or of other kinds are left out. Raises KeySetError."""
    if len(content) > MAXIMUM_BYTES:
        raise KeySetError(f"larger than {MAXIMUM_BYTES} bytes")
    try:
        listed = strict_json(content)
    except NotStrict as error:
        raise KeySetError(str(error)) from None
    if not isinstance(listed, dict) or not isinstance(listed.get("keys"), list):
        raise KeySetError("not a JWK Set: an object with a list named keys")
    if len(listed["keys"]) > MAXIMUM_KEYS:
        raise KeySetError(f"more than {MAXIMUM_KEYS} keys")
    keys: dict[str, Key] = {}
    for index, jwk in enumerate(listed["keys"]):
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
    if not isinstance(kid, str) or not 0 < len(kid) <= MAXIMUM_KID:
        return None
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    kind = jwk.get("kty")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return None
    algorithms = _ALGORITHMS.get((kind, curve), frozenset())
    if "alg" in jwk:
        algorithms = frozenset(name for name in algorithms if name == jwk["alg"])
    if not algorithms:
        return None
    try:
        public = PyJWK(jwk, algorithm=min(algorithms)).key
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size not in _RSA_BITS:
        return None
    return Key(public, algorithms)


class KeySet:
    """The keys of one issuer.

    name: for the log. read: the bytes of its JWK Set, or KeySetError. clock: seconds that only grow.
    """

    def __init__(
        self, name: str, read: Callable[[], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._read, self._clock = name, read, clock
        self._keys: Mapping[str, Key] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._reading = threading.Lock()

    def load(self) -> int:
        """Reads the keys now; how many can be used. Raises KeySetError."""
        self._tried_at = self._clock()
        self._keys = keys_in(self._read())
        self._read_at = self._tried_at
        return len(self._keys)

    def key(self, kid: str) -> Key | None:
        """The key of that name; None if the issuer has none. Raises KeysUnavailable."""
        known = kid in self._keys and self._younger_than(FRESH_SECONDS)
        if not known:
            self._read_again(known=kid in self._keys)
        keys = self._keys
        # A key set that could not be read again may lack the newest key.
        current = kid in keys or self._read_at == self._tried_at
        if not current or not self._younger_than(KEPT_SECONDS):
            raise KeysUnavailable
        return keys.get(kid)

    def _younger_than(self, seconds: float) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < seconds

    def _read_again(self, *, known: bool) -> None:
        # One reads, whatever the number of calls; who has a key to go on with does not wait for it.
        if not self._reading.acquire(blocking=not known):
            return
        try:
            pause = RETRY_SECONDS if known else FLOOR_SECONDS
            if self._tried_at is None or self._clock() - self._tried_at >= pause:
                self.load()
        except KeySetError as error:
            _log.warning("keys of issuer %s could not be read: %s", self._name, error)
        finally:
            self._reading.release()
