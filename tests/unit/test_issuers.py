"""The files of who may call: a wrong one stops the start with its setting and the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.issuers import ALGORITHMS as NAMEABLE
from schemas.urls import base_url_problem, fetched_url_problem
from service.authentication.admin_token import read_admin_token
from service.authentication.callers import callers_of
from service.authentication.trusted_issuers import ALGORITHMS, Issuer, read_issuers
from service.config import Config, ConfigError
from tests.contract.callers import jwks, public_jwk

EHR = "https://ehr.example"


def started(folder: Path, entry: Any, keys: bytes = jwks("p384-ehr"), iss: str = EHR) -> None:
    (folder / "keys.json").write_bytes(keys)
    file = folder / "issuers.json"
    file.write_text(json.dumps({iss: entry}))
    callers_of(Config(cds_auth="jwt", cds_trusted_issuers=file))


FULL = {
    "jwks": "keys.json",
    "jku": "https://ehr.example/keys",
    "algorithms": ["RS256", "ES384"],
    "tenants": ["north"],
    "baseUrls": ["https://gateway.example/cds/"],
    "maximumAgeSeconds": 600,
    "fhirServers": ["https://ehr.example/fhir"],
}


def test_a_whole_entry(tmp_path: Path) -> None:
    started(tmp_path, FULL)
    assert read_issuers(tmp_path / "issuers.json") == {
        EHR: Issuer(
            iss=EHR,
            jwks=tmp_path / "keys.json",
            jku="https://ehr.example/keys",
            algorithms=frozenset(("RS256", "ES384")),
            tenants=frozenset(("north",)),
            base_urls=("https://gateway.example/cds",),
            maximum_age=600,
            fhir_servers=("https://ehr.example/fhir",),
        )
    }


def test_the_least_entry_takes_what_is_strong(tmp_path: Path) -> None:
    started(tmp_path, {"jku": "https://ehr.example/keys"})
    entry = read_issuers(tmp_path / "issuers.json")[EHR]
    assert (entry.tenants, entry.maximum_age, entry.jwks) == (None, 300, None)
    assert entry.algorithms == {"ES384", "ES512", "RS384", "RS512", "PS384", "PS512", "EdDSA"}


def test_no_list_of_algorithms_holds_a_symmetric_one() -> None:
    assert set(NAMEABLE) > ALGORITHMS
    assert not [name for name in NAMEABLE if name.startswith("HS") or name.lower() == "none"]


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ([], ": not an object"),
        ({}, ": Needs jwks"),
        ({"tenants": ["a"]}, ": Needs jwks"),
        ({**FULL, "jwkz": "x"}, r"\.jwkz"),
        ({**FULL, "algorithms": ["none"]}, r"\.algorithms\[0\]: One of .*never"),
        ({**FULL, "algorithms": ["ES384", "HS256"]}, r"\.algorithms\[1\]: One of .*never"),
        ({**FULL, "algorithms": ["es384"]}, r"\.algorithms\[0\]"),
        ({**FULL, "algorithms": []}, r"\.algorithms"),
        ({**FULL, "algorithms": "RS384"}, r"\.algorithms"),
        ({**FULL, "tenants": []}, r"\.tenants"),
        ({**FULL, "tenants": [""]}, r"\.tenants\[0\]"),
        ({**FULL, "tenants": None}, r"\.tenants"),
        ({**FULL, "jku": "http://ehr.example/keys"}, r"\.jku: Not usable: https"),
        ({**FULL, "jku": "https://user:secret@ehr.example/keys"}, r"\.jku"),
        ({**FULL, "jku": "file:///etc/passwd"}, r"\.jku"),
        ({**FULL, "fhirServers": ["http://ehr.example/fhir"]}, r"\.fhirServers\[0\]"),
        ({**FULL, "baseUrls": ["gateway"]}, r"\.baseUrls\[0\]"),
        ({**FULL, "maximumAgeSeconds": 0}, r"\.maximumAgeSeconds"),
        ({**FULL, "maximumAgeSeconds": 3601}, r"\.maximumAgeSeconds"),
        ({**FULL, "maximumAgeSeconds": "300"}, r"\.maximumAgeSeconds"),
        ({**FULL, "jwks": "missing.json"}, r"\.jwks: No such file"),
        ({**FULL, "jwks": "issuers.json"}, r"\.jwks: not a JWK Set"),
    ],
)
def test_a_wrong_entry_stops_the_start(tmp_path: Path, entry: Any, place: str) -> None:
    with pytest.raises(ConfigError, match=rf'^CDS_TRUSTED_ISSUERS: .*"{EHR}"{place}'):
        started(tmp_path, entry)


def test_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        started(tmp_path, {"jku": "x", "algorithms": ["none"]})
    assert len(str(error.value).splitlines()) == 2


def test_nobody_asked_for_a_token_is_never_let_in_for_want_of_a_list() -> None:
    with pytest.raises(ConfigError, match=r"^CDS_TRUSTED_ISSUERS: "):
        callers_of(Config(cds_auth="jwt"))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '"x"', '{"a": {}, "a": {}}', '{"": {"jwks": "k"}}'])
def test_a_wrong_file_stops_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "issuers.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"^CDS_TRUSTED_ISSUERS: issuers\.json: "):
        read_issuers(file)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (b'{"keys": []}', "no key"),
        (jwks("short-a"), "no key"),
        (b"not json", "not JSON"),
        (json.dumps({"keys": [public_jwk("p384-a", d="AAAA")]}).encode(), "secret key"),
    ],
)
def test_keys_that_cannot_be_used_stop_the_start(tmp_path: Path, keys: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=rf'^CDS_TRUSTED_ISSUERS: "{EHR}"\.jwks: .*{said}'):
        started(tmp_path, FULL, keys)


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example/keys",
        "https://ehr.example:8443/keys?tenant=1",
        "http://127.0.0.1:80/keys",
        "http://[::1]/keys",
        "http://localhost/keys",
    ],
)
def test_a_url_that_may_be_fetched(url: str) -> None:
    assert fetched_url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///keys",
        "https:ehr.example",
        "HTTPS://ehr.example",
        "ftp://ehr.example",
        "http://ehr.example",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://127.0.0.1@ehr.example",
        "https://a@ehr.example",
        "https://ehr.example#fragment",
        "https://ehr.example:port",
        "https://ehr.example:99999",
        "https://ehr.example:0",
        "https://ehr.example/a b",
        "https://ehr.example/\n",
        "https://ehr.example\\@evil.example",
        "https://[::1",
        "https://\u00e9hr.example",
    ],
)
def test_a_url_that_may_not(url: str) -> None:
    assert fetched_url_problem(url)


def test_a_base_url_has_no_query() -> None:
    assert base_url_problem("http://cds.example:8000/a") is None
    assert base_url_problem("http://cds.example/?") is not None
    assert base_url_problem("http://cds.example/?a=b") is not None


@pytest.mark.parametrize("content", [b"", b"short", b"nineteen characters", b" " * 40, b"\xff" * 40])
def test_a_wrong_admin_token_stops_the_start(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"^ADMIN_TOKEN_FILE: "):
        read_admin_token(file)
    file.write_bytes(b"twenty characters ok\n")
    assert read_admin_token(file).is_set
