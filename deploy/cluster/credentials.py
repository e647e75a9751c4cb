"""What a cluster of one run needs to be trusted: a certificate, secrets, a caller with a key."""

from __future__ import annotations

import ipaddress
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ISSUER = "https://ehr.cluster.example"
_KID = "cluster"


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _written(path: Path, content: bytes | str) -> Path:
    """Readable by its owner alone from the first byte on."""
    path.touch(mode=0o600)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def certificate(names: tuple[str, ...]) -> tuple[bytes, bytes]:
    """(certificate, certificate and key) in PEM: signed by itself for those names or addresses, 30 days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    return made, made + _pem(key)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True)
class Credentials:
    """Files of one folder; made once, then read. The names are those of the service's settings."""

    folder: Path

    def make(self, issuer: Mapping[str, object], names: tuple[str, ...] = ("127.0.0.1", "localhost")) -> None:
        """issuer: further members of the caller's entry; names: what the certificate is for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shown, secret = certificate(names)
        _written(self.folder / "certificate.pem", shown)
        _written(self.folder / "certificate-and-key.pem", secret)
        for name in ("card-secret", "admin-token", "postgres-password", "redis-password"):
            _written(self.folder / name, secrets.token_hex(32))
        key = ec.generate_private_key(ec.SECP384R1())
        _written(self.folder / "caller-key.pem", _pem(key))
        public = jwt.get_algorithm_by_name("ES384").to_jwk(key.public_key(), as_dict=True)
        _written(self.folder / "caller.jwks.json", json.dumps({"keys": [{**public, "kid": _KID}]}))
        _written(self.folder / "issuers.json", json.dumps({ISSUER: {"jwks": "caller.jwks.json", **issuer}}))

    def path(self, name: str) -> Path:
        return self.folder / name

    def secret(self, name: str) -> str:
        return self.path(name).read_text()

    @cached_property
    def _key(self) -> Any:
        return serialization.load_pem_private_key(self.path("caller-key.pem").read_bytes(), None)

    def token(self, audience: str, **changes: Any) -> str:
        """A new token of the caller for that URL."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": audience, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        headers = {"typ": "JWT", "kid": _KID}
        return jwt.encode({**claims, **changes}, self._key, algorithm="ES384", headers=headers)
