"""Settings: an empty environment starts on loopback; a wrong value is refused by name."""

import sys
from pathlib import Path

import pytest

from fhir_mappings.resources.budget import Budget
from service.config import SETTINGS, Config, ConfigError

SECRET = "e" * 32  # enough for a test


def test_an_empty_environment() -> None:
    config = Config.from_environ({})
    assert (config.host, config.port, config.min_indicator) == ("127.0.0.1", 8000, "info")
    assert config.max_body_bytes == 16 * 1024 * 1024
    assert config == Config()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("MAX_BODY_BYTES", "-1"),
        ("MIN_INDICATOR", "high"),
        ("SILENT", "yes"),
        ("CDS_AUTH", "JWT"),
        ("CDS_AUTH", "none"),
        ("CDS_TRUSTED_ISSUERS", "no/such/file"),
        ("JTI_STORE", "memcached://127.0.0.1"),
        ("JTI_STORE", "Memory"),
        ("ADMIN_TOKEN_FILE", "no/such/file"),
        ("PUBLIC_BASE_URL", "cds.example"),
        ("PUBLIC_BASE_URL", "https://cds.example,"),
        ("PUBLIC_BASE_URL", "https://cds.example, cds.example"),
        ("PUBLIC_BASE_URL", "https://user@cds.example"),
        ("PUBLIC_BASE_URL", "https://cds.example?a=b"),
        ("FHIR_SERVERS", "http://ehr.example/fhir"),
        ("FHIR_SERVERS", "https://ehr.example/fhir, https://user@ehr.example/fhir"),
        ("FHIR_SERVERS", "https://EHR.example/fhir"),
        ("FHIR_SERVERS", "*"),
        ("FHIR_TIMEOUT", "0"),
        ("FHIR_TIMEOUT", "-1"),
        ("FHIR_TIMEOUT", "31"),
        ("FHIR_TIMEOUT", "nan"),
        ("FHIR_TIMEOUT", "2s"),
        ("FHIR_TIMEOUT", "２"),
        ("FHIR_CA_FILE", "no/such/file"),
        ("KNOWLEDGE_DIR", "no/such/folder"),
        ("CARD_SECRET", "s" * 31),
        ("CARD_SECRET", "s" * 32 + ",short"),
        ("CARD_SECRET", "ü" * 32),
        ("CARD_SECRET_FILE", "no/such/file"),
        ("FEEDBACK_DB", "feedback.sqlite3"),
        ("FEEDBACK_DB", "sqlite://"),
        ("FEEDBACK_DB", "mysql://user:secret@db/feedback"),
        ("FEEDBACK_RETENTION_DAYS", "-1"),
        ("FEEDBACK_RETENTION_DAYS", "forever"),
        ("SHARED_SERVICE_ID", "a/b"),
        ("WEB_CONCURRENCY", "0"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}: "):
        Config.from_environ({name: value})


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "cds.example"])  # noqa: S104
def test_off_loopback_needs_auth_written_out(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^CDS_AUTH: "):
        Config.from_environ({"HOST": host})
    assert Config.from_environ({"HOST": host, "CDS_AUTH": "off", "CARD_SECRET": SECRET}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "cds.example"])  # noqa: S104
@pytest.mark.parametrize("empty", ["", ",", " , "])
def test_off_loopback_needs_a_secret_for_the_ids_of_cards(host: str, empty: str) -> None:
    with pytest.raises(ConfigError, match=r"^CARD_SECRET: "):
        Config.from_environ({"HOST": host, "CDS_AUTH": "off", "CARD_SECRET": empty})
    assert Config.from_environ({"CARD_SECRET": empty}).card_secrets == ()


def test_several_secrets_keep_their_order(tmp_path: Path) -> None:
    old = "f" * 32
    assert Config.from_environ({"CARD_SECRET": f"{SECRET}, {old},"}).card_secrets == (SECRET, old)
    file = tmp_path / "secrets"
    file.write_text(f"{SECRET}\n\n{old}\n")
    config = Config.from_environ({"CARD_SECRET_FILE": str(file)})
    assert config.card_secrets == (SECRET, old)
    assert SECRET not in repr(config)


@pytest.mark.parametrize("content", ["", "\n", "short", "s" * 31, f"{'s' * 32}\nshort", "\xff" * 40])
def test_a_file_of_secrets_that_is_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"^CARD_SECRET_FILE: ") as error:
        Config.from_environ({"CARD_SECRET_FILE": str(file)})
    assert not content.strip() or content.strip() not in str(error.value)


def test_secrets_stand_in_one_place(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text(SECRET)
    with pytest.raises(ConfigError, match=r"^CARD_SECRET: "):
        Config.from_environ({"CARD_SECRET_FILE": str(file), "CARD_SECRET": SECRET})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
def test_loopback_does_not(host: str) -> None:
    assert Config.from_environ({"HOST": host}).host == host


def test_the_public_url_follows_host_and_port() -> None:
    assert Config.from_environ({"PORT": "8123"}).public_base_url == "http://127.0.0.1:8123"
    assert Config.from_environ({"HOST": "::1"}).public_base_url == "http://[::1]:8000"
    assert (
        Config.from_environ({"PUBLIC_BASE_URL": "https://a.example/"}).public_base_url == "https://a.example"
    )


def test_every_setting_is_described() -> None:
    fields = {name.upper() for name in Config.__slots__} - {"BUDGET"}
    budget = {f"MAX_{name.upper()}" for name in Budget.__slots__}
    renamed = {
        "WORKERS": "WEB_CONCURRENCY",
        "PUBLIC_BASE_ALIASES": "PUBLIC_BASE_URL",
        "CARD_SECRETS": "CARD_SECRET",
        "MAX_TEXT": "MAX_TEXT_CHARACTERS",
    }
    assert {renamed.get(name, name) for name in fields | budget} | {"CARD_SECRET_FILE"} == set(SETTINGS)


@pytest.fixture
def jwt(tmp_path: Path) -> dict[str, str]:
    """A mix that starts."""
    file = tmp_path / "issuers.json"
    file.write_text("{}")
    return {
        "CDS_AUTH": "jwt",
        "CDS_TRUSTED_ISSUERS": str(file),
        "PUBLIC_BASE_URL": "https://cds.example/a/, https://cds.intern.example",
        "WEB_CONCURRENCY": "1",
    }


def test_settings_for_callers_that_sign(jwt: dict[str, str]) -> None:
    config = Config.from_environ(jwt)
    assert (config.public_base_url, config.public_base_aliases) == (
        "https://cds.example/a",
        ("https://cds.intern.example",),
    )
    assert Config.from_environ({**jwt, "HOST": "0.0.0.0", "CARD_SECRET": SECRET}).cds_auth == "jwt"  # noqa: S104
    several = Config.from_environ({**jwt, "WEB_CONCURRENCY": "4", "JTI_STORE": "redis://:secret@cache/0"})
    assert several.workers == 4
    assert "secret" not in repr(several)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("CDS_TRUSTED_ISSUERS", {"CDS_TRUSTED_ISSUERS": ""}),
        ("PUBLIC_BASE_URL", {"PUBLIC_BASE_URL": ""}),
        ("JTI_STORE", {"WEB_CONCURRENCY": "2"}),
        ("JTI_STORE", {"WEB_CONCURRENCY": ""}),
        ("JTI_STORE", {"WEB_CONCURRENCY": "2", "JTI_STORE": "memory"}),
        ("CDS_AUTH", {"CDS_AUTH": ""}),
    ],
)
def test_an_unsafe_mix_stops_the_start_by_name(
    jwt: dict[str, str], name: str, changes: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}: "):
        Config.from_environ({**jwt, **changes})


def test_a_password_in_a_wrong_url_is_not_repeated(jwt: dict[str, str]) -> None:
    for name in ("JTI_STORE", "FEEDBACK_DB"):
        with pytest.raises(ConfigError) as error:
            Config.from_environ({**jwt, name: "postgres://user:secret@cache/0"})
        assert "secret" not in str(error.value)
    kept = Config.from_environ({"FEEDBACK_DB": "postgresql://user:secret@db/feedback"})
    assert "secret" not in repr(kept)


@pytest.mark.parametrize(
    ("name", "url", "driver", "extra"),
    [
        ("JTI_STORE", "redis://:secret@cache/0", "redis", "redis"),
        ("FEEDBACK_DB", "postgresql://user:secret@db/feedback", "psycopg", "postgresql"),
    ],
)
def test_a_driver_that_is_missing_stops_the_start_and_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str, driver: str, extra: str
) -> None:
    assert Config.from_environ({name: url})
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(ConfigError) as error:
        Config.from_environ({name: url})
    assert str(error.value) == (
        f"{name}: the driver {driver} is not installed: install fasciculation-cds[{extra}], see"
        " docs/command-line.md"
    )
    assert Config.from_environ({}) == Config()


def test_fhir_servers_are_a_list() -> None:
    assert Config.from_environ({}).fhir_servers == ()
    config = Config.from_environ(
        {"FHIR_SERVERS": "https://a.example/fhir/, http://127.0.0.1:1/r4,", "FHIR_TIMEOUT": "0.5"}
    )
    assert config.fhir_servers == ("https://a.example/fhir", "http://127.0.0.1:1/r4")
    assert config.fhir_timeout == 0.5
