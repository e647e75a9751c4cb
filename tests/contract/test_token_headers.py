"""How a token is sent, and what one issuer may that another may not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.authentication.tokens import REASONS
from tests.contract.callers import BASE, Signer, bearer, called, said
from tests.contract.requests import SERVICE

HERE = BASE + SERVICE


@pytest.mark.parametrize(
    "make",
    [
        lambda t: [],
        lambda t: [("Authorization", "")],
    ],
)
def test_no_token(
    token_client: FlaskClient, signer: Signer, make: Callable[[str], list[tuple[str, str]]]
) -> None:
    assert said(called(token_client, make(signer.token())), 401) == REASONS["no-token"][1]


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"jwt:{token}".encode()).decode()


@pytest.mark.parametrize(
    ("attack", "control"),
    [
        (lambda t: f"Basic {t}", lambda t: f"bearer {t}"),
        (basic, lambda t: f"BEARER {t}"),
        (lambda t: f"Bearer {t}, Bearer {t}", lambda t: f"Bearer  {t}"),
        (lambda t: f"Bearer {t},Basic YTpi", lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer {t} {t}", lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer {t}=", lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer\t{t}", lambda t: f"Bearer {t}"),
        (lambda t: f'Bearer "{t}"', lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer{t}", lambda t: f"Bearer {t}"),
        (lambda t: "Bearer", lambda t: f"Bearer {t}"),
        (lambda t: t, lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer {t.replace('.', '..', 1)}", lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer {t}.{t}", lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer {t[:20]}!{t[20:]}", lambda t: f"Bearer {t}"),
        (lambda t: f"Bearer {t}\u00e9", lambda t: f"Bearer {t}"),
    ],
)
def test_a_wrong_authorization_header(
    token_client: FlaskClient, signer: Signer, attack: Callable[[str], str], control: Callable[[str], str]
) -> None:
    token = signer.token()
    refused = called(token_client, {"Authorization": attack(token)})
    assert said(refused, 401) == REASONS["not-bearer"][1]
    assert called(token_client, {"Authorization": control(token)}).status_code == 200


def test_two_headers(token_client: FlaskClient, signer: Signer) -> None:
    token = signer.token()
    both = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert said(called(token_client, both), 401) == REASONS["not-bearer"][1]
    assert called(token_client, both[:1]).status_code == 200


@pytest.mark.parametrize("tenant", [None, "", "North", "north ", "west", 5, ["north"], {"north": 1}])
def test_a_tenant_that_is_not_allowed(token_client: FlaskClient, clinic: Signer, tenant: Any) -> None:
    rs256 = {"header": {"alg": "RS256"}, "algorithm": "RS256"}
    refused = called(token_client, bearer(clinic.token(tenant=tenant, **rs256)))
    assert "tenant" in said(refused, 403)
    assert "WWW-Authenticate" not in refused.headers
    assert called(token_client, bearer(clinic.token(tenant="north", **rs256))).status_code == 200


def test_what_one_issuer_may_the_other_may_not(token_client: FlaskClient, clinic: Signer) -> None:
    rs256 = {"header": {"alg": "RS256"}, "algorithm": "RS256", "tenant": "south"}
    gateway = {"aud": "https://gateway.example" + SERVICE, "exp": int(clinic.clock()) + 900}
    assert called(token_client, bearer(clinic.token(**rs256, **gateway))).status_code == 200
    refused = called(token_client, bearer(clinic.token(header={"alg": "RS384"}, tenant="south")))
    assert said(refused, 401) == REASONS["algorithm"][1]


def test_the_times_have_a_small_leeway(token_client: FlaskClient, signer: Signer) -> None:
    token = signer.token()
    signer.clock.now += 329.9
    assert called(token_client, bearer(token)).status_code == 200


def test_the_expected_audience_is_said(token_client: FlaskClient, signer: Signer) -> None:
    assert said(called(token_client, bearer(signer.token(aud="x"))), 401).endswith(f"Expected: {HERE}")


def test_a_strange_address_is_not_repeated(token_client: FlaskClient, signer: Signer) -> None:
    answered = called(token_client, bearer(signer.token(aud="x")), "/cds-services/%3Cscript%3EWolkenstein")
    assert said(answered, 401) == REASONS["audience"][1]
    assert "Wolkenstein" not in answered.get_data(as_text=True)
