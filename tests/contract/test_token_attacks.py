"""Tokens that must be refused, each with its reason, and beside each one that is taken.

Both carry the same jti: a refused token does not use up an honest one.
"""

from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient

from service.authentication.tokens import REASONS
from tests.contract.attacks import ATTACKER, ATTACKS, Make
from tests.contract.callers import EHR, Signer, bearer, called, said
from tests.contract.jwks_server import JwksServer
from tests.contract.requests import SERVICE


def assert_refused(
    token_client: FlaskClient, token: str, reason: str, caplog: pytest.LogCaptureFixture, path: str = SERVICE
) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    response = called(token_client, bearer(token), path)
    assert said(response, 401).startswith(REASONS[reason][1])
    assert f"token refused: {reason}" in caplog.text
    for piece in filter(lambda piece: len(piece) > 8, token.split(".")):
        assert piece not in caplog.text + response.get_data(as_text=True)


@pytest.mark.parametrize(("reason", "attack", "control"), ATTACKS.values(), ids=ATTACKS)
def test_the_attack_is_refused_and_the_control_is_taken(
    token_client: FlaskClient,
    signer: Signer,
    caplog: pytest.LogCaptureFixture,
    reason: str,
    attack: Make,
    control: Make,
) -> None:
    assert_refused(token_client, attack(signer), reason, caplog)
    token = control(signer)
    caplog.clear()
    answered = called(token_client, bearer(token))
    assert answered.status_code == 200, answered.get_data(as_text=True)
    assert token.split(".")[1] not in caplog.text


def test_every_reason_has_an_attack() -> None:
    """A reason that no row reaches is code that no test holds."""
    elsewhere = {"no-token", "replayed", "restarted"}
    assert {reason for reason, _, _ in ATTACKS.values()} | elsewhere == set(REASONS)


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_no_address_of_the_token_is_called(
    token_client: FlaskClient, signer: Signer, jwks_server: JwksServer, member: str
) -> None:
    jwks_server.keys = ("p384-attacker",)
    for iss in (EHR, "https://evil.example"):
        for kid in ("p384-ehr", ATTACKER):
            token = signer.token(header={member: jwks_server.url, "kid": kid}, key=ATTACKER, iss=iss)
            assert said(called(token_client, bearer(token)), 401)
    assert jwks_server.requests == []
    assert called(token_client, bearer(signer.token())).status_code == 200
