"""A site with trusted issuers, a clock that stands still, and a signer who may lie about everything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.app import create_app
from service.authentication.issuer_keys import KeySet
from service.authentication.tokens import Callers, UsedTokens
from service.authentication.trusted_issuers import Issuer
from service.authentication.used_tokens import InMemory
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.requests import SERVICE, hook_call
from tools.openapi.answers import OperationOutcomeSchema

BASE = "https://cds.example"
ALIAS = "https://cds.intern.example/twitch"
EHR = "https://ehr.example"
CLINIC = "https://clinic.example"
JKU = "https://ehr.example/keys"
NOW = 1_800_000_000.0


@cache
def secret_key(name: str) -> Any:
    """A signing key, made once. name: its kid; the part before the hyphen says of which kind."""
    kind = name.partition("-")[0]
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "short":
        return rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
    if kind == "ed":
        return ed25519.Ed25519PrivateKey.generate()
    curves = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}
    return ec.generate_private_key(curves[kind]())


ALGORITHM_OF = {"rsa": "RS384", "ed": "EdDSA", "p256": "ES256", "p384": "ES384", "p521": "ES512"}


def algorithm_of(name: str) -> str:
    return ALGORITHM_OF[name.partition("-")[0]]


def public_jwk(name: str, **more: Any) -> dict[str, Any]:
    kind = name.partition("-")[0]
    algorithm = jwt.get_algorithm_by_name("RS384" if kind == "short" else algorithm_of(name))
    jwk = algorithm.to_jwk(secret_key(name).public_key(), as_dict=True)
    return {**{k: v for k, v in jwk.items() if k != "key_ops"}, "kid": name, **more}


def jwks(*names: str) -> bytes:
    return json.dumps({"keys": [public_jwk(name) for name in names]}).encode()


def part(content: Any) -> str:
    """base64url of JSON, or of the bytes as they are."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Any, payload: Any, key: str | bytes, algorithm: str) -> str:
    """A token of exactly these parts. key: the name of a secret key, or the bytes of an HMAC secret."""
    text = f"{part(header)}.{part(payload)}"
    if isinstance(key, bytes):
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        return f"{text}.{part(hmac.digest(key, text.encode(), digest))}"
    return f"{text}.{part(jwt.get_algorithm_by_name(algorithm).sign(text.encode(), secret_key(key)))}"


def without_none(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}


@dataclass
class Clock:
    """Time that passes only when told to."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Signer:
    """Makes the token of an honest caller, but for what is asked to differ. None leaves a member out."""

    clock: Clock
    path: str
    iss: str = EHR
    key: str = "p384-ehr"
    jti: str = field(default_factory=lambda: str(uuid.uuid4()))

    def header(self, **changes: Any) -> dict[str, Any]:
        honest = {"alg": algorithm_of(self.key), "typ": "JWT", "kid": self.key}
        return without_none({**honest, **changes})

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock())
        honest = {"iss": self.iss, "aud": BASE + self.path, "iat": now, "exp": now + 300, "jti": self.jti}
        return without_none({**honest, **changes})

    def token(
        self,
        header: Mapping[str, Any] | None = None,
        payload: Any = None,
        key: str | bytes | None = None,
        algorithm: str | None = None,
        **claims: Any,
    ) -> str:
        """header: changes to it; payload: instead of the claims; key, algorithm: what it is signed with."""
        used = self.key if key is None else key
        made = self.header(**(header or {}))
        if algorithm is None:
            algorithm = algorithm_of(used) if isinstance(used, str) else made["alg"]
        return signed(made, self.claims(**claims) if payload is None else payload, used, algorithm)


ISSUERS = {
    EHR: Issuer(EHR, jku=JKU),
    CLINIC: Issuer(
        CLINIC,
        algorithms=frozenset(("RS256", "ES256")),
        tenants=frozenset(("north", "south")),
        base_urls=("https://gateway.example",),
        maximum_age=900,
    ),
}
KEYS = {
    EHR: ("p384-ehr", "rsa-ehr", "p521-ehr", "p256-ehr", "ed-ehr"),
    CLINIC: ("rsa-clinic", "p256-clinic"),
}


def callers(
    clock: Clock,
    seen: UsedTokens | None = None,
    issuers: Mapping[str, Issuer] = ISSUERS,
    keys: Mapping[str, KeySet] | None = None,
) -> Callers:
    if keys is None:
        keys = {iss: KeySet(iss, lambda names=names: jwks(*names)) for iss, names in KEYS.items()}  # type: ignore[misc]
    return Callers(issuers, keys, seen or InMemory(clock), (BASE, ALIAS), clock)


def app_for(knowledge: Knowledge, who: Callers, **settings: Any) -> Flask:
    config = Config(public_base_url=BASE, public_base_aliases=(ALIAS,), cds_auth="jwt", **settings)
    return create_app(config, knowledge, who)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def called(client: FlaskClient, headers: Any, path: str = SERVICE) -> TestResponse:
    return client.post(path, json=hook_call(), headers=headers)


def said(response: TestResponse, status: int) -> str:
    """What a refusal says, after checking its form."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/fhir+json"
    content = response.get_json(force=True)
    assert OperationOutcomeSchema().validate(content) == {}
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
    (issue,) = content["issue"]
    assert isinstance(issue["diagnostics"], str)
    return issue["diagnostics"]
