"""What CDS Hooks asks of a service that must know its callers, by the number of the requirement."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.authentication.callers import callers_of
from service.authentication.tokens import REASONS
from service.config import Config
from service.knowledge import Knowledge
from tests.contract.callers import BASE, EHR, JKU, Clock, Signer, bearer, called, jwks, said
from tests.contract.requests import SERVICE


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """As a site writes them: two files, and nothing built by hand."""
    (tmp_path / "ehr.jwks.json").write_bytes(jwks("p384-ehr", "rsa-ehr"))
    issuers = {EHR: {"jwks": "ehr.jwks.json", "jku": JKU}}
    (tmp_path / "issuers.json").write_text(json.dumps(issuers))
    return {
        "CDS_AUTH": "jwt",
        "CDS_TRUSTED_ISSUERS": str(tmp_path / "issuers.json"),
        "PUBLIC_BASE_URL": BASE,
        "WEB_CONCURRENCY": "1",
    }


@pytest.fixture
def client(settings: dict[str, str], knowledge: Knowledge) -> FlaskClient:
    return create_app(Config.from_environ(settings), knowledge).test_client()


@pytest.fixture
def signer() -> Signer:
    """By the clock of this machine, a second ahead as clocks are."""
    return Signer(Clock(time.time() + 1), SERVICE)


def test_cds_hooks_176_a_signed_token_says_who_calls(settings: dict[str, str], signer: Signer) -> None:
    known = callers_of(Config.from_environ(settings))
    assert known is not None
    assert known.caller(f"Bearer {signer.token()}", SERVICE).issuer.iss == EHR


def test_cds_hooks_195_only_issuers_and_key_addresses_on_the_list(
    client: FlaskClient, signer: Signer
) -> None:
    for token, reason in (
        (signer.token(iss="https://other.example"), "issuer"),
        (signer.token(header={"jku": "https://other.example/keys"}), "jku"),
    ):
        assert said(called(client, bearer(token)), 401) == REASONS[reason][1]
    assert called(client, bearer(signer.token(header={"jku": JKU}))).status_code == 200


def test_cds_hooks_199_without_jku_the_keys_come_from_a_file(client: FlaskClient, signer: Signer) -> None:
    assert "jku" not in signer.header()
    assert called(client, bearer(signer.token())).status_code == 200


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("ES384", "p384-ehr"),
        ("ES512", "p521-ehr"),
        ("RS384", "rsa-ehr"),
        ("RS512", "rsa-ehr"),
        ("PS384", "rsa-ehr"),
        ("PS512", "rsa-ehr"),
        ("EdDSA", "ed-ehr"),
    ],
)
def test_cds_hooks_200_the_algorithms_of_rfc_7518(token_client: FlaskClient, alg: str, key: str) -> None:
    token = Signer(Clock(), SERVICE).token(header={"alg": alg, "kid": key}, key=key, algorithm=alg)
    assert called(token_client, bearer(token)).status_code == 200


@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
def test_cds_hooks_201_none_is_refused(client: FlaskClient, signer: Signer, alg: str) -> None:
    head, body, signature = signer.token(header={"alg": alg}, algorithm="ES384").split(".")
    assert said(called(client, bearer(f"{head}.{body}.{signature}")), 401) == REASONS["algorithm"][1]
    assert said(called(client, bearer(f"{head}.{body}.")), 401) == REASONS["not-bearer"][1]


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_cds_hooks_203_symmetric_algorithms_are_refused(
    client: FlaskClient, signer: Signer, alg: str
) -> None:
    token = signer.token(header={"alg": alg}, key=jwks("p384-ehr"), algorithm=alg)
    assert said(called(client, bearer(token)), 401) == REASONS["algorithm"][1]


@pytest.mark.parametrize(("alg", "key"), [("ES384", "p384-ehr"), ("RS384", "rsa-ehr")])
def test_cds_hooks_205_es384_and_rs384_are_taken_as_they_come(
    client: FlaskClient, signer: Signer, alg: str, key: str
) -> None:
    token = signer.token(header={"alg": alg, "kid": key}, key=key)
    assert called(client, bearer(token)).status_code == 200


def test_a_rotated_file_is_read_without_a_restart(
    settings: dict[str, str], signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.authentication.issuer_keys.MIN_REFRESH_INTERVAL_S", 0.0)
    known = callers_of(Config.from_environ(settings))
    assert known is not None
    file = Path(settings["CDS_TRUSTED_ISSUERS"]).parent / "ehr.jwks.json"
    file.write_bytes(jwks("p521-new"))
    new = Signer(signer.clock, SERVICE, key="p521-new")
    assert known.caller(f"Bearer {new.token()}", SERVICE)
