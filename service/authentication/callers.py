"""The check of callers that the settings ask for."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from service.authentication.issuer_keys import MAX_KEY_SET_BYTES, KeyFetch, KeySet, KeySetError
from service.authentication.tokens import Callers
from service.authentication.trusted_issuers import Issuer, read_issuers
from service.authentication.used_tokens import used_token_store
from service.config import Config, ConfigError


def callers_of(config: Config) -> Callers:
    """Return the check of callers of CDS_AUTH=jwt.

    Keys at a URL are not fetched yet: the server of an issuer may be down at the start.

    Raises:
        ConfigError: A setting, the file of issuers or a file of keys is wrong.
    """
    if config.cds_trusted_issuers is None:
        raise ConfigError("CDS_TRUSTED_ISSUERS: CDS_AUTH=jwt needs the file of who may call")
    issuers = read_issuers(config.cds_trusted_issuers)
    keys = {iss: _key_set(issuer) for iss, issuer in issuers.items()}
    base_urls = (config.public_base_url, *config.public_base_aliases)
    return Callers(issuers, keys, used_token_store(config.jti_store), base_urls)


def _key_set(issuer: Issuer) -> KeySet:
    if issuer.jwks is None:
        assert issuer.jku is not None  # noqa: S101 - the schema asks for one of the two
        return KeySet(issuer.iss, KeyFetch(issuer.jku))
    keys = KeySet(issuer.iss, partial(_read_file, issuer.jwks))
    try:
        usable = keys.load()
    except KeySetError as error:
        raise ConfigError(f'CDS_TRUSTED_ISSUERS: "{issuer.iss}".jwks: {error}') from None
    if not usable:
        raise ConfigError(
            f'CDS_TRUSTED_ISSUERS: "{issuer.iss}".jwks: no key with a kid that verifies signatures'
            " (RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519)"
        )
    return keys


def _read_file(file: Path) -> bytes:
    try:
        with file.open("rb") as content:
            return content.read(MAX_KEY_SET_BYTES + 1)
    except OSError as error:
        raise KeySetError(error.strerror or "cannot be read") from None
