"""Hosts at which single issuers reach the service."""

from __future__ import annotations

from service.app import create_app
from service.authentication.tokens import Callers
from service.authentication.trusted_issuers import Issuer
from service.authentication.used_tokens import InMemory
from service.config import Config
from service.knowledge import Knowledge


def test_the_host_of_a_single_issuer_is_served(knowledge: Knowledge) -> None:
    """An audience that an issuer may name, at a gateway that passes on its own Host."""
    issuer = Issuer("https://ehr.example", base_urls=("https://gateway.example/twitching",))
    callers = Callers({issuer.iss: issuer}, {}, InMemory(), ("https://cds.example",))
    client = create_app(Config(public_base_url="https://cds.example"), knowledge, callers).test_client()
    assert client.get("/knowledge", headers={"Host": "gateway.example"}).status_code == 200
    assert client.get("/knowledge", headers={"Host": "other.example"}).status_code == 421
