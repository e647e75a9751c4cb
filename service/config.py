"""The settings: read from the environment and validated at the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from fhir_mappings.resources.budget import Budget
from schemas.urls import base_url_problem, fetched_url_problem, fhir_server_problem, is_loopback

MAX_BODY_BYTES = 16 * 1024 * 1024
INDICATORS = ("info", "warning", "critical")
FEEDBACK_DB = "sqlite:///var/feedback.sqlite3"
_MIN_SECRET_LENGTH = 32
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_DEFAULTS = Budget()
# name -> (default as shown, description)
SETTINGS: Mapping[str, tuple[str, str]] = {
    "HOST": ("127.0.0.1", "address to listen on; off loopback CDS_AUTH must be written out"),
    "PORT": ("8000", "port to listen on"),
    "PUBLIC_BASE_URL": (
        "http://HOST:PORT",
        "the URL at which clients see the service; links in cards begin with it;"
        " further URLs after commas are also taken as audience",
    ),
    "CDS_AUTH": (
        "off",
        "jwt: callers sign each call, as CDS Hooks says; off: no authentication, for loopback or behind a"
        " gateway that has one",
    ),
    "CDS_TRUSTED_ISSUERS": ("", "with jwt: a JSON file of who may call, see docs/authentication.md"),
    "JTI_STORE": (
        "memory",
        "where used tokens are kept: memory for one process, redis://host:port/number for several",
    ),
    "ADMIN_TOKEN_FILE": ("", "a file with the password of /metrics and /feedback/summary"),
    "FHIR_SERVERS": (
        "",
        "base URLs of FHIR servers that may be asked for what a call lacks, separated by commas, see"
        " docs/integrating.md; none: never call out",
    ),
    "PREFETCH_SEARCH": (
        "code",
        "how the templates of discovery search Observations: code, or combo-code where the server knows it:"
        " that finds what is inside panels, and `examinations` is dropped",
    ),
    "FHIR_TIMEOUT": ("2", "seconds for all that is fetched for one call, 0.1 to 30"),
    "FHIR_CA_FILE": (
        "",
        "certificates (PEM) that FHIR servers are checked against instead of the well-known",
    ),
    "CARD_SECRET": (
        "one per start",
        "signs the ids of cards; several, separated by commas: the first signs, all verify; at least 32"
        " characters each; off loopback it must be set",
    ),
    "CARD_SECRET_FILE": ("", "instead: a file with them, one a line"),
    "FEEDBACK_DB": (
        FEEDBACK_DB,
        "where feedback is kept: a SQLite file, its path from the folder where the service starts, or"
        " postgresql://user:password@host/name",
    ),
    "FEEDBACK_RETENTION_DAYS": (
        "90",
        "comments of clinicians are removed so many days after they came; 0: they are not kept at all",
    ),
    "MAX_BODY_BYTES": (str(MAX_BODY_BYTES), "larger bodies are answered with 413"),
    "MAX_OBJECTS": (
        str(_DEFAULTS.objects),
        "bodies of more JSON objects are answered with 413, see docs/limits.md",
    ),
    "MAX_ENTRIES": (str(_DEFAULTS.entries), "so are those of more entries"),
    "MAX_REFERENCES": (
        str(_DEFAULTS.references),
        "so are Medications that refer to others more often",
    ),
    "MAX_DRAFTS": (str(_DEFAULTS.drafts), "so are calls with more draft orders"),
    "MAX_NOTES": (str(_DEFAULTS.notes), "notes of an answer on what was not understood; more are counted"),
    "MAX_TEXT_CHARACTERS": (str(_DEFAULTS.text), "longer names of medicines are not understood"),
    "MIN_INDICATOR": ("info", "info, warning or critical: cards below it are not returned"),
    "SMART_FORM_URL": (
        "",
        "launch URL of a SMART app with a form, https (http on loopback alone); if set, cards that ask have a"
        " second link, of type smart",
    ),
    "SILENT": ("false", "true: decide, and answer no card"),
    "SHARED_SERVICE_ID": ("", "serve every hook under this one id"),
    "CORS_ORIGINS": (
        "*",
        "origins whose pages may call, separated by commas; *: any, for discovery, hook calls (not with"
        " FHIR_SERVERS and CDS_AUTH=off) and pages without patient data: the rest needs its origin named",
    ),
    "ALLOWED_HOSTS": (
        "",
        "further host names by which clients reach the service, without port, separated by commas; those of"
        " PUBLIC_BASE_URL and of loopback are always allowed",
    ),
    "KNOWLEDGE_DIR": ("the one shipped", "a folder with other knowledge files"),
    "SITE_CODES": (
        "",
        "a site's own codes: a FHIR R4 ConceptMap (JSON), or a CSV of system, code, concept; see"
        " docs/site.md",
    ),
    "KNOWLEDGE_OVERLAY": (
        "",
        "a folder of YAML files that change single entries of the knowledge, see docs/site.md; with it or"
        " SITE_CODES all below /fhir/ answers 404",
    ),
    "WEB_CONCURRENCY": ("2", "worker processes"),
    "LOG_LEVEL": ("INFO", "DEBUG, INFO, WARNING or ERROR; no level logs patient data"),
}


# In the form that browsers send, because origins are compared as text.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?")
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:]+\]")


class ConfigError(ValueError):
    """A setting is wrong. The message starts with its name."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. The defaults serve on loopback."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_base_url: str = "http://127.0.0.1:8000"
    public_base_aliases: tuple[str, ...] = ()
    cds_auth: str = "off"
    cds_trusted_issuers: Path | None = None
    # May hold a password.
    jti_store: str = field(default="memory", repr=False)
    admin_token_file: Path | None = None
    fhir_servers: tuple[str, ...] = ()
    prefetch_search: str = "code"
    fhir_timeout: float = 2.0
    fhir_ca_file: Path | None = None
    card_secrets: tuple[str, ...] = field(default=(), repr=False)
    # May hold a password.
    feedback_db: str = field(default=FEEDBACK_DB, repr=False)
    feedback_retention_days: int = 90
    max_body_bytes: int = MAX_BODY_BYTES
    budget: Budget = _DEFAULTS
    min_indicator: str = "info"
    silent: bool = False
    smart_form_url: str = ""
    shared_service_id: str = ""
    cors_origins: tuple[str, ...] = ("*",)
    allowed_hosts: tuple[str, ...] = ()
    knowledge_dir: Path | None = None
    site_codes: Path | None = None
    knowledge_overlay: Path | None = None
    workers: int = 2
    log_level: str = "INFO"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Return the settings of an environment. Raises ConfigError for the first that is wrong."""

        def text(name: str, default: str) -> str:
            return environ.get(name, "").strip() or default

        def items(name: str, default: str = "") -> list[str]:
            return [item.strip() for item in text(name, default).split(",") if item.strip()]

        def number(name: str, default: int, low: int, high: int) -> int:
            written = text(name, str(default))
            if not written.isascii() or not written.isdigit() or not low <= int(written) <= high:
                raise ConfigError(f"{name}: a number from {low} to {high}")
            return int(written)

        def seconds(name: str, default: str, low: float, high: float) -> float:
            written = text(name, default)
            try:
                value = float(written) if written.isascii() else low - 1
            except ValueError:
                value = low - 1
            # NaN compares as false.
            if not low <= value <= high:
                raise ConfigError(f"{name}: a number of seconds from {low:g} to {high:g}")
            return value

        def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
            written = text(name, default)
            if written not in choices:
                raise ConfigError(f"{name}: one of {', '.join(choices)}")
            return written

        def existing(name: str) -> Path | None:
            written = text(name, "")
            if written and not Path(written).is_file():
                raise ConfigError(f"{name}: no such file")
            return Path(written) if written else None

        def folder(name: str) -> Path | None:
            written = text(name, "")
            if written and not Path(written).is_dir():
                raise ConfigError(f"{name}: no such folder")
            return Path(written) if written else None

        host = text("HOST", "127.0.0.1")
        port = number("PORT", 8000, 1, 65535)
        auth = choice("CDS_AUTH", "off", ("off", "jwt"))
        if not is_loopback(host) and not text("CDS_AUTH", ""):
            raise ConfigError("CDS_AUTH: write CDS_AUTH=off to serve off loopback without authentication")
        shown = f"[{host}]" if ":" in host else host
        bases = [
            url.strip().rstrip("/") for url in text("PUBLIC_BASE_URL", f"http://{shown}:{port}").split(",")
        ]
        for problem in filter(None, map(base_url_problem, bases)):
            raise ConfigError(f"PUBLIC_BASE_URL: {problem}")
        servers = tuple(url.rstrip("/") for url in items("FHIR_SERVERS"))
        for problem in filter(None, map(fhir_server_problem, servers)):
            raise ConfigError(f"FHIR_SERVERS: {problem}")
        card_secrets = _card_secrets(text("CARD_SECRET", ""), existing("CARD_SECRET_FILE"))
        if not card_secrets and not is_loopback(host):
            raise ConfigError(
                "CARD_SECRET: off loopback it must be set, the same for all replicas, such as openssl rand"
                " -hex 32 makes"
            )
        smart_form = text("SMART_FORM_URL", "")
        smart_problem = fetched_url_problem(smart_form) if smart_form else None
        if smart_problem:
            raise ConfigError(f"SMART_FORM_URL: {smart_problem}")
        feedback_db = text("FEEDBACK_DB", FEEDBACK_DB)
        if not feedback_db.startswith(("sqlite:///", "postgresql://")):
            raise ConfigError("FEEDBACK_DB: sqlite:///path, or postgresql://user:password@host/name")
        if feedback_db.startswith("postgresql:"):
            _needs_driver("FEEDBACK_DB", "psycopg", "postgresql")
        workers = number("WEB_CONCURRENCY", 2, 1, 64)
        issuers, store = existing("CDS_TRUSTED_ISSUERS"), text("JTI_STORE", "memory")
        if store != "memory" and not store.startswith(("redis://", "rediss://")):
            raise ConfigError("JTI_STORE: memory, or a URL redis://host:port/number")
        if store != "memory":
            _needs_driver("JTI_STORE", "redis", "redis")
        if auth == "jwt":
            if issuers is None:
                raise ConfigError("CDS_TRUSTED_ISSUERS: CDS_AUTH=jwt needs the file of who may call")
            if not text("PUBLIC_BASE_URL", ""):
                raise ConfigError(
                    "PUBLIC_BASE_URL: CDS_AUTH=jwt needs it written out: tokens name it as audience"
                )
            if store == "memory" and workers > 1:
                raise ConfigError(
                    "JTI_STORE: memory is for one process: set WEB_CONCURRENCY=1, or a redis:// URL here"
                )
        elif issuers is not None and not text("CDS_AUTH", ""):
            raise ConfigError("CDS_AUTH: CDS_TRUSTED_ISSUERS is set but CDS_AUTH is not: write jwt or off")
        origins = tuple(items("CORS_ORIGINS", "*"))
        if any(origin != "*" and not _ORIGIN.fullmatch(origin) for origin in origins):
            raise ConfigError(
                "CORS_ORIGINS: * or origins such as https://ehr.example, without a path or slash"
            )
        hosts = tuple(name.lower() for name in items("ALLOWED_HOSTS"))
        if not all(map(_HOST.fullmatch, hosts)):
            raise ConfigError("ALLOWED_HOSTS: host names such as cds.example, without scheme, port or path")
        shared = text("SHARED_SERVICE_ID", "")
        if shared and not shared.replace("-", "").isalnum():
            raise ConfigError("SHARED_SERVICE_ID: letters, digits and hyphens")
        return cls(
            host=host,
            port=port,
            public_base_url=bases[0],
            public_base_aliases=tuple(bases[1:]),
            cds_auth=auth,
            cds_trusted_issuers=issuers,
            jti_store=store,
            admin_token_file=existing("ADMIN_TOKEN_FILE"),
            fhir_servers=servers,
            prefetch_search=choice("PREFETCH_SEARCH", "code", ("code", "combo-code")),
            fhir_timeout=seconds("FHIR_TIMEOUT", "2", 0.1, 30),
            fhir_ca_file=existing("FHIR_CA_FILE"),
            card_secrets=card_secrets,
            feedback_db=feedback_db,
            feedback_retention_days=number("FEEDBACK_RETENTION_DAYS", 90, 0, 3650),
            max_body_bytes=number("MAX_BODY_BYTES", MAX_BODY_BYTES, 1024, 1 << 30),
            budget=Budget(
                objects=number("MAX_OBJECTS", _DEFAULTS.objects, 10, 100_000_000),
                entries=number("MAX_ENTRIES", _DEFAULTS.entries, 1, 10_000_000),
                references=number("MAX_REFERENCES", _DEFAULTS.references, 1, 1_000_000),
                notes=number("MAX_NOTES", _DEFAULTS.notes, 1, 100_000),
                drafts=number("MAX_DRAFTS", _DEFAULTS.drafts, 1, 10_000),
                text=number("MAX_TEXT_CHARACTERS", _DEFAULTS.text, 200, 1_000_000),
            ),
            min_indicator=choice("MIN_INDICATOR", "info", INDICATORS),
            silent=choice("SILENT", "false", ("true", "false")) == "true",
            smart_form_url=smart_form,
            shared_service_id=shared,
            cors_origins=origins,
            allowed_hosts=tuple(host.strip("[]") for host in hosts),
            knowledge_dir=folder("KNOWLEDGE_DIR"),
            site_codes=existing("SITE_CODES"),
            knowledge_overlay=folder("KNOWLEDGE_OVERLAY"),
            workers=workers,
            log_level=choice("LOG_LEVEL", "INFO", _LOG_LEVELS),
        )


def _needs_driver(setting: str, package: str, extra: str) -> None:
    """Raise ConfigError if the package that the setting needs is not installed."""
    if find_spec(package) is None:
        raise ConfigError(
            f"{setting}: the driver {package} is not installed: install fasciculation-cds[{extra}], see"
            " docs/command-line.md"
        )


def _card_secrets(written: str, file: Path | None) -> tuple[str, ...]:
    """Return the secrets of CARD_SECRET or of the file. Raises ConfigError, which repeats none of them."""
    name = "CARD_SECRET"
    if file is not None:
        if written:
            raise ConfigError("CARD_SECRET: CARD_SECRET_FILE is set as well: leave one of them out")
        name = "CARD_SECRET_FILE"
        try:
            written = ",".join(file.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError):
            raise ConfigError("CARD_SECRET_FILE: cannot be read") from None
    secrets = tuple(secret.strip() for secret in written.split(",") if secret.strip())
    if any(len(secret) < _MIN_SECRET_LENGTH or not secret.isascii() for secret in secrets) or (
        file is not None and not secrets
    ):
        raise ConfigError(
            f"{name}: at least {_MIN_SECRET_LENGTH} ASCII characters each, such as openssl rand -hex 32 makes"
        )
    return secrets
