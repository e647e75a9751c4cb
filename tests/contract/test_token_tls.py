"""Keys are fetched only from a server whose certificate is trusted and names it."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from service.authentication.issuer_keys import KeyFetch, KeySetError, parse_key_set
from tests.contract.callers import secret_key
from tests.contract.jwks_server import jwks_serving


def certificate_for(address: str, folder: Path) -> Path:
    """A file of a key and a certificate that it signed itself."""
    key = secret_key("p256-server")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keys")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize(
    ("address", "trusted", "taken"),
    [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("127.0.0.2", True, False)],
)
def test_only_a_certificate_that_is_trusted_and_names_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, trusted: bool, taken: bool
) -> None:
    file = certificate_for(address, tmp_path)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with jwks_serving(context) as server:
        server.keys = ("p384-ehr",)
        if taken:
            assert set(parse_key_set(KeyFetch(server.url)())) == {"p384-ehr"}
            assert "Authorization" not in server.requests[0]
        else:
            with pytest.raises(KeySetError, match="SSLError"):
                KeyFetch(server.url)()
            assert server.requests == []
