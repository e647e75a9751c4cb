"""The file of trusted issuers (CDS_TRUSTED_ISSUERS), validated completely at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.base import places_and_reasons
from schemas.issuers import IssuerSchema
from service.authentication.strict_json import NotStrict, strict_json
from service.config import ConfigError

# CDS Hooks recommends ES384 and RS384; the others are at least as strong.
ALGORITHMS = frozenset(("ES384", "ES512", "RS384", "RS512", "PS384", "PS512", "EdDSA"))
MAX_AGE_S = 300


@dataclass(frozen=True, slots=True)
class Issuer:
    """An entry of the file.

    Attributes:
        jwks: The file with its keys; without it they are fetched from jku.
        tenants: Those that it may call for; None if tenants are not checked.
        base_urls: Further URLs at which this issuer reaches the service.
        maximum_age: The longest lifetime of a token, in seconds.
        fhir_servers: The FHIR servers that this issuer may name.
    """

    iss: str
    jwks: Path | None = None
    jku: str | None = None
    algorithms: frozenset[str] = ALGORITHMS
    tenants: frozenset[str] | None = None
    base_urls: tuple[str, ...] = ()
    maximum_age: int = MAX_AGE_S
    fhir_servers: tuple[str, ...] = ()


def read_issuers(file: Path) -> dict[str, Issuer]:
    """Return the entries by iss. Raises ConfigError, which names every problem and its place."""
    try:
        content = strict_json(file.read_bytes())
    except OSError as error:
        raise _error(file, [error.strerror or "cannot be read"]) from None
    except NotStrict as error:
        raise _error(file, [str(error)]) from None
    if not isinstance(content, dict) or not content:
        raise _error(file, ["an object of one entry for each issuer"])
    problems = [problem for iss, entry in content.items() for problem in _problems(iss, entry)]
    if problems:
        raise _error(file, problems)
    return {iss: _issuer(iss, entry, file.parent) for iss, entry in content.items()}


def _issuer(iss: str, entry: Mapping[str, Any], folder: Path) -> Issuer:
    tenants = entry.get("tenants")
    return Issuer(
        iss=iss,
        jwks=folder / entry["jwks"] if "jwks" in entry else None,
        jku=entry.get("jku"),
        algorithms=frozenset(entry.get("algorithms", ALGORITHMS)),
        tenants=None if tenants is None else frozenset(tenants),
        base_urls=tuple(url.rstrip("/") for url in entry.get("baseUrls", ())),
        maximum_age=entry.get("maximumAgeSeconds", MAX_AGE_S),
        fhir_servers=tuple(entry.get("fhirServers", ())),
    )


def _problems(iss: str, entry: Any) -> list[str]:
    if not iss.strip():
        return [f'"{iss}": an iss must not be empty']
    if not isinstance(entry, dict):
        return [f'"{iss}": not an object']
    return [
        f'"{iss}".{place}: {reason}' if place else f'"{iss}": {reason}'
        for place, reason in places_and_reasons(IssuerSchema().validate(entry))
    ]


def _error(file: Path, problems: list[str]) -> ConfigError:
    return ConfigError("\n".join(f"CDS_TRUSTED_ISSUERS: {file.name}: {problem}" for problem in problems))
