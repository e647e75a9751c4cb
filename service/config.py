"""The settings: read once from the environment, checked at start, frozen."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_BODY_BYTES = 16 * 1024 * 1024
INDICATORS = ("info", "warning", "critical")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# name -> (default as shown, what it is). `make serve HELP=1` prints this table.
SETTINGS: Mapping[str, tuple[str, str]] = {
    "HOST": ("127.0.0.1", "address to listen on; off loopback CDS_AUTH must be written out"),
    "PORT": ("8000", "port to listen on"),
    "PUBLIC_BASE_URL": (
        "http://HOST:PORT",
        "the URL at which clients see the service; links in cards begin with it",
    ),
    "CDS_AUTH": ("off", "off: no authentication, for loopback or behind a gateway that has one"),
    "MAX_BODY_BYTES": (str(MAX_BODY_BYTES), "larger bodies are answered with 413"),
    "MIN_INDICATOR": ("info", "info, warning or critical: cards below it are not returned"),
    "SILENT": ("false", "true: decide, and answer no card"),
    "SHARED_SERVICE_ID": ("", "serve every hook under this one id"),
    "CORS_ORIGINS": ("*", "origins that may call, separated by commas"),
    "KNOWLEDGE_DIR": ("the one shipped", "a folder with other knowledge files"),
    "WEB_CONCURRENCY": ("2", "worker processes"),
    "LOG_LEVEL": ("INFO", "DEBUG, INFO, WARNING or ERROR; no level logs patient data"),
}


class ConfigError(ValueError):
    """A setting is wrong; the message begins with its name."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, with defaults that start on loopback in an empty environment."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_base_url: str = "http://127.0.0.1:8000"
    max_body_bytes: int = MAX_BODY_BYTES
    min_indicator: str = "info"
    silent: bool = False
    shared_service_id: str = ""
    cors_origins: tuple[str, ...] = ("*",)
    knowledge_dir: Path | None = None
    workers: int = 2
    log_level: str = "INFO"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """The settings of that environment. Raises ConfigError with the name of the first that is wrong."""

        def text(name: str, default: str) -> str:
            return environ.get(name, "").strip() or default

        def number(name: str, default: int, low: int, high: int) -> int:
            written = text(name, str(default))
            if not written.isascii() or not written.isdigit() or not low <= int(written) <= high:
                raise ConfigError(f"{name}: a number from {low} to {high}")
            return int(written)

        def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
            written = text(name, default)
            if written not in choices:
                raise ConfigError(f"{name}: one of {', '.join(choices)}")
            return written

        host = text("HOST", "127.0.0.1")
        port = number("PORT", 8000, 1, 65535)
        auth = text("CDS_AUTH", "off")
        if auth != "off":
            raise ConfigError("CDS_AUTH: this version knows only off")
        if not _is_loopback(host) and not environ.get("CDS_AUTH", "").strip():
            raise ConfigError("CDS_AUTH: write CDS_AUTH=off to serve off loopback without authentication")
        shown = f"[{host}]" if ":" in host else host
        base = text("PUBLIC_BASE_URL", f"http://{shown}:{port}").rstrip("/")
        if not base.startswith(("http://", "https://")) or " " in base:
            raise ConfigError("PUBLIC_BASE_URL: a URL that begins with http:// or https://")
        folder = text("KNOWLEDGE_DIR", "")
        if folder and not Path(folder).is_dir():
            raise ConfigError("KNOWLEDGE_DIR: no such folder")
        shared = text("SHARED_SERVICE_ID", "")
        if shared and not shared.replace("-", "").isalnum():
            raise ConfigError("SHARED_SERVICE_ID: letters, digits and hyphens")
        return cls(
            host=host,
            port=port,
            public_base_url=base,
            max_body_bytes=number("MAX_BODY_BYTES", MAX_BODY_BYTES, 1024, 1 << 30),
            min_indicator=choice("MIN_INDICATOR", "info", INDICATORS),
            silent=choice("SILENT", "false", ("true", "false")) == "true",
            shared_service_id=shared,
            cors_origins=tuple(o.strip() for o in text("CORS_ORIGINS", "*").split(",") if o.strip()),
            knowledge_dir=Path(folder) if folder else None,
            workers=number("WEB_CONCURRENCY", 2, 1, 64),
            log_level=choice("LOG_LEVEL", "INFO", _LOG_LEVELS),
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
