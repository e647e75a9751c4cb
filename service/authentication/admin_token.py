"""The admin token: one secret in a file, for the pages that count and measure."""

from __future__ import annotations

import base64
import binascii
import hmac
from pathlib import Path

from service.config import ConfigError
from service.errors import Forbidden, Issue, NoAdmin

MINIMUM = 20


class AdminToken:
    """secret: None = no admin token is set, and nobody is one."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret

    @property
    def is_set(self) -> bool:
        return self._secret is not None

    def check(self, authorization: str | None) -> None:
        """Returns if it is HTTP Basic with the token as password; any name. Raises NoAdmin or Forbidden."""
        if self._secret is None:
            raise Forbidden(
                [Issue("forbidden", "This page needs the admin token, and ADMIN_TOKEN_FILE is not set.")]
            )
        if not hmac.compare_digest(_password(authorization or ""), self._secret.encode()):
            raise NoAdmin(
                [
                    Issue(
                        "login",
                        "This page needs HTTP Basic with the admin token as password.",
                        "http.authorization",
                    )
                ]
            )


def _password(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


def admin_token_in(file: Path | None) -> AdminToken:
    """The token in that file, a line end after it forgiven. Raises ConfigError."""
    if file is None:
        return AdminToken(None)
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError("ADMIN_TOKEN_FILE: cannot be read") from None
    if len(secret) < MINIMUM:
        raise ConfigError(
            f"ADMIN_TOKEN_FILE: at least {MINIMUM} characters, such as openssl rand -hex 32 makes"
        )
    return AdminToken(secret)
