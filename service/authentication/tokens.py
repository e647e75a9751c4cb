"""Verify a token, in this order: form, issuer, header, key, signature, times, audience, tenant, first use."""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from service.authentication.issuer_keys import MAX_KID_LENGTH, KeySet, KeysUnavailable
from service.authentication.strict_json import NotStrict, strict_json
from service.authentication.trusted_issuers import Issuer
from service.errors import Forbidden, Issue, Unauthenticated, Unavailable

LEEWAY_S = 30.0
MAX_HEADER_LENGTH = 8000
MAX_JTI_LENGTH = 512
# Above this, a double does not represent each second.
_MAX_TIME_S = 2**53
_TOKEN = re.compile(r"bearer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)
# Only such a path is repeated in an answer; another could hold anything.
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9.-]{1,64}){1,3}")
_signatures = PyJWS()
_log = logging.getLogger(__name__)

# reason -> (FHIR issue type, diagnostics). docs/authentication.md lists them all.
REASONS: Mapping[str, tuple[str, str]] = {
    "no-token": ("login", "No token was sent: this address needs Authorization: Bearer and a signed JWT."),
    "not-bearer": ("login", "Authorization must be sent once, as Bearer and one token of three parts."),
    "too-long": ("login", "The token is too long."),
    "malformed": (
        "login",
        "The token cannot be read: header and payload must be base64url of a JSON object in UTF-8,"
        " no member twice.",
    ),
    "typ": ("login", "The header's typ must be JWT."),
    "algorithm": ("login", "The header's alg is not one that is allowed for this issuer."),
    "header": ("login", "The header names crit or b64, which are not read: sign without them."),
    "kid": ("login", "The header's kid must be a text of 1 to 256 characters."),
    "issuer": ("unknown", "The issuer is unknown: iss must be exactly as it was registered."),
    "jku": ("login", "The header's jku is not the one that was registered for this issuer."),
    "key": ("unknown", "The key is unknown: kid is not in the issuer's key set."),
    "key-algorithm": ("login", "The key that kid names is not for this alg."),
    "signature": ("login", "The signature does not fit the token and the key."),
    "exp": ("login", "exp must be a number: seconds since 1970."),
    "iat": ("login", "iat must be a number: seconds since 1970."),
    "nbf": ("login", "nbf must be a number: seconds since 1970."),
    "expired": ("expired", "The token is expired (exp); is the clock right?"),
    "future": ("login", "The token is not valid yet (iat or nbf lies in the future); is the clock right?"),
    "lifetime": ("login", "The token is made to live too long, or ends before it begins (exp and iat)."),
    "audience": ("login", "The audience differs: aud must be the URL of this endpoint."),
    "jti": ("login", "jti must be a text of 1 to 512 characters, new for every call."),
    "replayed": ("login", "The token was used before: sign a new one, with a new jti, for every call."),
    "restarted": ("login", "The token is older than the memory of used tokens: sign a new one."),
}


def rejection(reason: str, more: str = "") -> Unauthenticated:
    """Return the error to raise, and log the reason.

    Args:
        reason: A key of REASONS.
        more: An addition that is no secret, such as our own URL.
    """
    code, says = REASONS[reason]
    _log.info("token refused: %s", reason)
    return Unauthenticated([Issue(code, f"{says}{more}", "http.authorization")])


class UsedTokens(Protocol):
    """A store of tokens that were used and have not expired."""

    def use(self, iss: str, jti: str, issued: float, until: float) -> None:
        """Store a token that is valid until then. Raises Unauthenticated if it is there, or Unavailable."""

    def state(self) -> str:
        """Return "ok", or what is wrong. It may take seconds."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller. tenant: as the token names it; None if it names none."""

    issuer: Issuer
    tenant: str | None


class Callers:
    """The check of callers.

    Args:
        issuers: Trusted issuers by iss.
        keys: Their keys by iss.
        used_tokens: The store of used tokens.
        base_urls: The URLs at which clients reach the service.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        issuers: Mapping[str, Issuer],
        keys: Mapping[str, KeySet],
        used_tokens: UsedTokens,
        base_urls: Sequence[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers, self._keys, self.used_tokens = issuers, keys, used_tokens
        self._base_urls, self._clock = tuple(base_urls), clock

    @property
    def issuer_urls(self) -> tuple[str, ...]:
        """The URLs at which single issuers reach the service."""
        return tuple(url for issuer in self._issuers.values() for url in issuer.base_urls)

    def caller(self, authorization: str | None, path: str) -> Caller:
        """Verify the token of a request.

        Args:
            authorization: The header.
            path: The path of the endpoint, without query and final slash.

        Raises:
            Unauthenticated: 401.
            Forbidden: 403.
            Unavailable: 503. No message repeats anything of the token.
        """
        token = _token(authorization)
        header, claims = (_decode(part) for part in token.split(".")[:2])
        issuer = self._issuer(claims)
        _check_header(header, issuer)
        self._check_signature(token, header, issuer)
        until = self._check_times(claims, issuer)
        self._check_audience(claims.get("aud"), issuer, path)
        tenant = _tenant(claims, issuer)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_LENGTH:
            raise rejection("jti")
        # Last: only a valid token can be used up.
        self.used_tokens.use(issuer.iss, jti, claims["iat"], until)
        return Caller(issuer, tenant)

    def _issuer(self, claims: dict[str, Any]) -> Issuer:
        iss = claims.get("iss")
        issuer = self._issuers.get(iss) if isinstance(iss, str) else None
        if issuer is None:
            raise rejection("issuer")
        return issuer

    def _check_signature(self, token: str, header: dict[str, Any], issuer: Issuer) -> None:
        try:
            key = self._keys[issuer.iss].key(header["kid"])
        except KeysUnavailable:
            raise Unavailable(
                [Issue("transient", "The issuer's keys cannot be had now: send a new token in a moment.")]
            ) from None
        if key is None:
            raise rejection("key")
        if header["alg"] not in key.algorithms:
            raise rejection("key-algorithm")
        try:
            _signatures.decode_complete(token, key.public, algorithms=[header["alg"]])
        except (PyJWTError, ValueError, TypeError):
            raise rejection("signature") from None

    def _check_times(self, claims: dict[str, Any], issuer: Issuer) -> float:
        """Return the time from which the token is rejected."""
        now = self._clock()
        exp, iat = _time(claims, "exp"), _time(claims, "iat")
        nbf = _time(claims, "nbf") if "nbf" in claims else iat
        if not 0 < exp - iat <= issuer.maximum_age:
            raise rejection("lifetime")
        if exp + LEEWAY_S <= now:
            raise rejection("expired")
        if max(iat, nbf) - LEEWAY_S > now:
            raise rejection("future")
        return exp + LEEWAY_S

    def _check_audience(self, aud: Any, issuer: Issuer, path: str) -> None:
        expected = [base + path for base in (*self._base_urls, *issuer.base_urls)]
        audiences = [aud] if isinstance(aud, str) else aud
        if not isinstance(audiences, list) or not all(isinstance(name, str) for name in audiences):
            raise rejection("audience")
        if not set(audiences) & set(expected):
            raise rejection("audience", f" Expected: {expected[0]}" if _PLAIN_PATH.fullmatch(path) else "")


def _token(authorization: str | None) -> str:
    if not authorization:
        raise rejection("no-token")
    if len(authorization) > MAX_HEADER_LENGTH:
        raise rejection("too-long")
    # A header that was sent twice arrives as one with a comma, which no token contains.
    match = _TOKEN.fullmatch(authorization)
    if match is None:
        raise rejection("not-bearer")
    return match[1]


def _decode(part: str) -> dict[str, Any]:
    try:
        content = strict_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (NotStrict, ValueError):
        raise rejection("malformed") from None
    if not isinstance(content, dict):
        raise rejection("malformed")
    return content


def _check_header(header: dict[str, Any], issuer: Issuer) -> None:
    """Check all but the signature. jwk, x5u and x5c are never read: a token does not bring its own key."""
    typ, alg, kid = header.get("typ"), header.get("alg"), header.get("kid")
    if not isinstance(typ, str) or typ.upper() != "JWT":
        raise rejection("typ")
    if not isinstance(alg, str) or alg not in issuer.algorithms:
        raise rejection("algorithm")
    if "crit" in header or "b64" in header:
        raise rejection("header")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID_LENGTH:
        raise rejection("kid")
    if "jku" in header and header["jku"] != issuer.jku:
        raise rejection("jku")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_TIME_S:
        raise rejection(name)
    return value


def _tenant(claims: dict[str, Any], issuer: Issuer) -> str | None:
    tenant = claims.get("tenant")
    if issuer.tenants is not None and (not isinstance(tenant, str) or tenant not in issuer.tenants):
        says = "The token's tenant is not one that this issuer may call for."
        raise Forbidden([Issue("forbidden", says, "http.authorization")])
    return tenant if isinstance(tenant, str) else None
