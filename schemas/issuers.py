"""Schema of an entry in the file that CDS_TRUSTED_ISSUERS names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas.base import Strict
from schemas.urls import base_url_problem, fetched_url_problem

# The algorithms that an entry may name: never none or HS*.
ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA")
MAX_AGE_LIMIT_S = 3600


def _url(problem: Callable[[str], str | None]) -> fields.String:
    def check(value: str) -> None:
        reason = problem(value)
        if reason is not None:
            raise ValidationError(f"Not usable: {reason}.")

    return fields.String(validate=check)


def _filled(inner: fields.Field[Any]) -> fields.List[Any]:
    return fields.List(inner, validate=validate.Length(min=1))


class IssuerSchema(Strict):
    """An issuer of tokens: its keys, algorithms, tenants and FHIR servers."""

    jwks = fields.String(validate=validate.Length(min=1))
    jku = _url(fetched_url_problem)
    algorithms = _filled(
        fields.String(validate=validate.OneOf(ALGORITHMS, error="One of {choices}; none and HS* never."))
    )
    tenants = _filled(fields.String(validate=validate.Length(min=1)))
    baseUrls = _filled(_url(base_url_problem))
    maximumAgeSeconds = fields.Integer(strict=True, validate=validate.Range(min=1, max=MAX_AGE_LIMIT_S))
    fhirServers = _filled(_url(fetched_url_problem))

    @validates_schema
    def keys_from_somewhere(self, data: dict[str, Any], **_: Any) -> None:
        if "jwks" not in data and "jku" not in data:
            raise ValidationError("Needs jwks (a file) or jku (a URL).")
