"""A token, checked in order: form, issuer, header, key, signature, times, audience, tenant, first use."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from service.authentication.issuer_keys import MAXIMUM_KID, KeySet, KeysUnavailable
from service.authentication.refusals import refused
from service.authentication.strict_json import NotStrict, strict_json
from service.authentication.trusted_issuers import Issuer
from service.authentication.used_tokens import SeenTokens
from service.errors import Forbidden, Issue, Unavailable

LEEWAY = 30.0
MAXIMUM_TOKEN = 8000
MAXIMUM_JTI = 512
# Beyond this a double no longer counts seconds one by one.
_LAST_SECOND = 2**53
_TOKEN = re.compile(r"bearer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)
# Such a path is repeated in an answer; another could hold anything.
_PLAIN = re.compile(r"(?:/[A-Za-z0-9.-]{1,64}){1,3}")
_signatures = PyJWS()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called, verified. tenant: as the token names it, if it does."""

    issuer: Issuer
    tenant: str | None


class Callers:
    """Everyone who may call. base_urls: where clients see the service; clock: seconds since 1970."""

    def __init__(
        self,
        issuers: Mapping[str, Issuer],
        keys: Mapping[str, KeySet],
        seen: SeenTokens,
        base_urls: Sequence[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers, self._keys, self._seen = issuers, keys, seen
        self._base_urls, self._clock = tuple(base_urls), clock

    def caller(self, authorization: str | None, path: str) -> Caller:
        """Who sent that header to that endpoint. path: /cds-services/ID, without query or slash at its end.

        Raises Unauthenticated (401), Forbidden (403) or Unavailable (503); none says anything of the token.
        """
        token = _token(authorization)
        header, claims = (_object(part) for part in token.split(".")[:2])
        issuer = self._issuer(claims)
        _check_header(header, issuer)
        self._verify(token, header, issuer)
        until = self._until(claims, issuer)
        self._check_audience(claims.get("aud"), issuer, path)
        tenant = _tenant(claims, issuer)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= MAXIMUM_JTI:
            raise refused("jti")
        # Last, so that nobody uses up a token that is not theirs.
        self._seen.use(issuer.iss, jti, claims["iat"], until)
        return Caller(issuer, tenant)

    @property
    def seen(self) -> SeenTokens:
        """Where used tokens are kept."""
        return self._seen

    def _issuer(self, claims: dict[str, Any]) -> Issuer:
        iss = claims.get("iss")
        issuer = self._issuers.get(iss) if isinstance(iss, str) else None
        if issuer is None:
            raise refused("issuer")
        return issuer

    def _verify(self, token: str, header: dict[str, Any], issuer: Issuer) -> None:
        try:
            key = self._keys[issuer.iss].key(header["kid"])
        except KeysUnavailable:
            raise Unavailable(
                [Issue("transient", "The issuer's keys cannot be had now: send a new token in a moment.")]
            ) from None
        if key is None:
            raise refused("key")
        if header["alg"] not in key.algorithms:
            raise refused("key-algorithm")
        try:
            _signatures.decode_complete(token, key.public, algorithms=[header["alg"]])
        except (PyJWTError, ValueError, TypeError):
            raise refused("signature") from None

    def _until(self, claims: dict[str, Any], issuer: Issuer) -> float:
        """When the token is accepted no more."""
        now = self._clock()
        exp, iat = _second(claims, "exp"), _second(claims, "iat")
        nbf = _second(claims, "nbf") if "nbf" in claims else iat
        if not 0 < exp - iat <= issuer.maximum_age:
            raise refused("lifetime")
        if exp + LEEWAY <= now:
            raise refused("expired")
        if max(iat, nbf) - LEEWAY > now:
            raise refused("future")
        return exp + LEEWAY

    def _check_audience(self, aud: Any, issuer: Issuer, path: str) -> None:
        expected = [base + path for base in (*self._base_urls, *issuer.base_urls)]
        named = [aud] if isinstance(aud, str) else aud
        if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
            raise refused("audience")
        if not set(named) & set(expected):
            raise refused("audience", f" Expected: {expected[0]}" if _PLAIN.fullmatch(path) else "")


def _token(authorization: str | None) -> str:
    if not authorization:
        raise refused("no-token")
    if len(authorization) > MAXIMUM_TOKEN:
        raise refused("too-long")
    # Sent twice, a header arrives as one with a comma, which no token has.
    found = _TOKEN.fullmatch(authorization)
    if found is None:
        raise refused("not-bearer")
    return found[1]


def _object(part: str) -> dict[str, Any]:
    try:
        content = strict_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (NotStrict, ValueError):
        raise refused("malformed") from None
    if not isinstance(content, dict):
        raise refused("malformed")
    return content


def _check_header(header: dict[str, Any], issuer: Issuer) -> None:
    """jwk, x5u and x5c are never looked at: a token does not bring its own key."""
    typ, alg, kid = header.get("typ"), header.get("alg"), header.get("kid")
    if not isinstance(typ, str) or typ.upper() != "JWT":
        raise refused("typ")
    if not isinstance(alg, str) or alg not in issuer.algorithms:
        raise refused("algorithm")
    if "crit" in header or "b64" in header:
        raise refused("header")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAXIMUM_KID:
        raise refused("kid")
    if "jku" in header and header["jku"] != issuer.jku:
        raise refused("jku")


def _second(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise refused(name)
    return value


def _tenant(claims: dict[str, Any], issuer: Issuer) -> str | None:
    tenant = claims.get("tenant")
    if issuer.tenants is not None and (not isinstance(tenant, str) or tenant not in issuer.tenants):
        raise Forbidden(
            [
                Issue(
                    "forbidden",
                    "The token's tenant is not one that this issuer may call for.",
                    "http.authorization",
                )
            ]
        )
    return tenant if isinstance(tenant, str) else None
