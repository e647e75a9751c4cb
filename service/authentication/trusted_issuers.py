"""Who is trusted: the file that CDS_TRUSTED_ISSUERS names, checked whole at start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.base import places_and_reasons
from schemas.issuers import IssuerSchema
from service.authentication.strict_json import NotStrict, strict_json
from service.config import ConfigError

# ES384 and RS384 are what the specification recommends; these are at least as strong.
ALGORITHMS = frozenset(("ES384", "ES512", "RS384", "RS512", "PS384", "PS512", "EdDSA"))
MAXIMUM_AGE = 300


@dataclass(frozen=True, slots=True)
class Issuer:
    """One entry. jwks: the file with its keys; without it they come from jku. tenants: None = not asked for.

    base_urls: further URLs at which this issuer sees the service. fhir_servers: those it may send us to.
    """

    iss: str
    jwks: Path | None = None
    jku: str | None = None
    algorithms: frozenset[str] = ALGORITHMS
    tenants: frozenset[str] | None = None
    base_urls: tuple[str, ...] = ()
    maximum_age: int = MAXIMUM_AGE
    fhir_servers: tuple[str, ...] = ()


def issuers_in(file: Path) -> dict[str, Issuer]:
    """iss -> entry. Raises ConfigError that names the setting and every place that is wrong."""
    try:
        content = strict_json(file.read_bytes())
    except OSError as error:
        raise _wrong(file, [error.strerror or "cannot be read"]) from None
    except NotStrict as error:
        raise _wrong(file, [str(error)]) from None
    if not isinstance(content, dict) or not content:
        raise _wrong(file, ["an object of one entry for each issuer"])
    problems = [
        f'"{iss}"{problem}'
        for iss, entry in content.items()
        for problem in ([": an iss must not be empty"] if not iss.strip() else _problems(entry))
    ]
    if problems:
        raise _wrong(file, problems)
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
        maximum_age=entry.get("maximumAgeSeconds", MAXIMUM_AGE),
        fhir_servers=tuple(entry.get("fhirServers", ())),
    )


def _problems(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield ": not an object"
        return
    for place, reason in places_and_reasons(IssuerSchema().validate(entry)):
        yield f".{place}: {reason}" if place else f": {reason}"


def _wrong(file: Path, problems: list[str]) -> ConfigError:
    return ConfigError("\n".join(f"CDS_TRUSTED_ISSUERS: {file.name}: {problem}" for problem in problems))
