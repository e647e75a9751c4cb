"""Why a token is refused: in words for whoever integrates, and never with anything of the token in them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from service.errors import Issue, Unauthenticated

_log = logging.getLogger(__name__)

# reason -> (FHIR issue type, what the answer says). docs/authentication.md lists them all.
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


def refused(reason: str, more: str = "") -> Unauthenticated:
    """The error to raise. more: what may be added that is no secret, such as our own URL."""
    code, says = REASONS[reason]
    _log.info("token refused: %s", reason)
    return Unauthenticated([Issue(code, f"{says}{more}", "http.authorization")])
