"""Settings: an empty environment starts on loopback; a wrong value is refused by name."""

import pytest

from service.config import SETTINGS, Config, ConfigError


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
        ("CDS_AUTH", "jwt"),
        ("PUBLIC_BASE_URL", "cds.example"),
        ("KNOWLEDGE_DIR", "no/such/folder"),
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
    assert Config.from_environ({"HOST": host, "CDS_AUTH": "off"}).host == host


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
    fields = {name.upper() for name in Config.__slots__}
    renamed = {"WORKERS": "WEB_CONCURRENCY"}
    assert {renamed.get(name, name) for name in fields} | {"CDS_AUTH"} == set(SETTINGS)
