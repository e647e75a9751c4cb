"""The admin token: a secret in a file that opens the pages with metrics and feedback."""

from __future__ import annotations

import base64
import hmac
from pathlib import Path

from service.config import ConfigError
from service.errors import Forbidden, Issue, NoAdmin

MIN_LENGTH = 20


class AdminToken:
    """Check of HTTP Basic. secret: the password; None if ADMIN_TOKEN_FILE is not set."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret

    @property
    def is_set(self) -> bool:
        return self._secret is not None

    def check(self, authorization: str | None) -> None:
        """Return if the header is HTTP Basic with the token as password; the user name is ignored.

        Raises:
            NoAdmin: It is not.
            Forbidden: No admin token is set.
        """
        if self._secret is None:
            raise Forbidden(
                [Issue("forbidden", "This page needs the admin token, and ADMIN_TOKEN_FILE is not set.")]
            )
        if not hmac.compare_digest(_password(authorization or ""), self._secret.encode()):
            says = "This page needs HTTP Basic with the admin token as password."
            raise NoAdmin([Issue("login", says, "http.authorization")])


def _password(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b""


def read_admin_token(file: Path | None) -> AdminToken:
    """Read the token, without the blanks around it. Raises ConfigError."""
    if file is None:
        return AdminToken(None)
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError("ADMIN_TOKEN_FILE: cannot be read") from None
    if len(secret) < MIN_LENGTH:
        raise ConfigError(
            f"ADMIN_TOKEN_FILE: at least {MIN_LENGTH} characters, such as openssl rand -hex 32 makes"
        )
    return AdminToken(secret)
