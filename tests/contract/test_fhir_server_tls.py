"""A FHIR server is asked only if its certificate is trusted and names it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.fhir_server import addresses_of, asked, fhir_serving
from tests.contract.test_token_tls import certificate_for


@pytest.mark.parametrize(
    ("address", "trusted", "taken"),
    [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("127.0.0.2", True, False)],
)
def test_only_a_certificate_that_is_trusted_and_names_the_server(
    knowledge: Knowledge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    address: str,
    trusted: bool,
    taken: bool,
) -> None:
    file = certificate_for(address, tmp_path)
    # What a variable of the machine trusts is not trusted here.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with fhir_serving(addresses_of(knowledge), context) as server:
        config = Config(
            public_base_url="https://cds.example",
            fhir_servers=(server.base,),
            fhir_timeout=120.0,
            fhir_ca_file=file if trusted else None,
        )
        found = asked(create_app(config, knowledge).test_client(), server, "labs")
        assert found["notSeen"] == ([] if taken else ["labs"])
        assert server.keys == (["labs"] if taken else [])
    assert ("labs (tls)" in caplog.text) == (not taken)
