"""gunicorn with the application. The knowledge is loaded once, before the workers fork."""

from __future__ import annotations

import ctypes
import gc
import logging
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any, TextIO

from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from fhir_mappings.request.json_body import json_bytes
from fhir_mappings.to_fhir.actions import operation_outcome
from service.app import create_app
from service.config import SETTINGS, Config, ConfigError
from service.endpoints.middleware import header_rules, new_id
from service.endpoints.responses import FHIR_JSON
from service.feedback import Store
from service.gunicorn_worker import Worker
from service.knowledge import KnowledgeError, load_knowledge
from service.logs import configure_logging, format_message, formatter_for
from service.metrics import Metrics, shared_folder

# The upgrade usually takes 0.5 s. After this time the service starts without it.
_UPGRADE_TIMEOUT_S = 30
# gunicorn kills and replaces a worker whose main thread is silent for this long.
TIMEOUT_S = 30
# Threads of a worker share one interpreter: more of them would only be slower.
THREADS = 3
# Longer than proxies keep a connection (60 s), so that the proxy closes it and not the server.
KEEPALIVE_S = 75
CONNECTIONS = 100
# Time for running requests at a stop.
GRACE_S = 30
# A worker is replaced after so many requests, because of possible memory leaks, and not all at once.
MAX_REQUESTS = 100_000
JITTER = 20_000
# Of the mappings of SITE_CODES that are left out.
_PLACES_SAID = 5
# Freed memory that a process keeps for the next request.
_RETAINED_BYTES = 16 * 1024 * 1024
# As in <malloc.h> of glibc.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


class _Logger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's log lines in our format."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter_for(sys.stderr))


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, config: Config, application: Any, metrics: Metrics) -> None:
        self._config = config
        self._application = application
        self.metrics = metrics
        self._add_headers = header_rules(config)
        super().__init__()

    def load_config(self) -> None:
        config = self._config
        bind = f"[{config.host}]" if ":" in config.host else config.host
        options = {
            "bind": f"{bind}:{config.port}",
            "workers": config.workers,
            "worker_class": Worker,
            "threads": THREADS,
            "keepalive": KEEPALIVE_S,
            "worker_connections": CONNECTIONS,
            "timeout": TIMEOUT_S,
            "max_requests": MAX_REQUESTS,
            "max_requests_jitter": JITTER,
            "graceful_timeout": GRACE_S,
            # A token of 8,000 characters fits in a header.
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "limit_request_field_size": 8190,
            # X-Forwarded headers are not used.
            "forwarded_allow_ips": "",
            # The DEBUG lines of gunicorn hold paths and headers.
            "loglevel": "info" if config.log_level == "DEBUG" else config.log_level.lower(),
            # A URL could name a patient.
            "accesslog": None,
            "logger_class": _Logger,
            "pre_fork": _number_worker,
            "post_fork": lambda _, worker: self.metrics.worker_started(worker.number),
            "child_exit": lambda _, worker: self.metrics.worker_ended(worker.number),
            "preload_app": True,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._application

    def refusal(self, status: str, code: str, text: str) -> bytes:
        """Return the bytes of an answer to a request that does not reach the application."""
        body = json_bytes(operation_outcome([("error", code, text, "http")]))
        headers = [
            ("Connection", "close"),
            ("Content-Type", FHIR_JSON),
            ("Content-Length", str(len(body))),
            ("X-Request-ID", new_id()),
        ]
        # The method is not known. Answers to a POST are not cached.
        self._add_headers(headers, {"REQUEST_METHOD": "POST"}, status)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("ascii") + body


def _number_worker(arbiter: Any, worker: Any) -> None:
    """Give the worker the lowest number that no running worker has."""
    taken = {other.number for other in arbiter.WORKERS.values()}
    worker.number = next(number for number in count() if number not in taken)


def main(args: list[str], environ: Mapping[str, str], out: TextIO = sys.stdout) -> int:
    """Serve until SIGTERM. Return 2 if a setting or the knowledge is wrong, and print the reason."""
    if "--help" in args:
        for name, (default, what) in SETTINGS.items():
            print(f"{name:20} {what} (default: {default or 'none'})", file=out)
        return 0
    with shared_folder() as folder:
        try:
            config = Config.from_environ(environ)
            if not config.card_secrets:
                # Before the fork, so that all workers have the same.
                config = replace(config, card_secrets=(secrets.token_hex(32),))
                _say("CARD_SECRET is not set: feedback on cards of this start is refused after it.", out)
            knowledge = load_knowledge(config.knowledge_dir, config.knowledge_overlay, config.site_codes)
            metrics = Metrics(folder)
            application = create_app(config, knowledge, metrics=metrics)
        except (ConfigError, KnowledgeError) as error:
            print(
                format_message(f"The service does not start:\n{error}", sys.stderr, logging.CRITICAL),
                file=sys.stderr,
            )
            return 2
        configure_logging(config.log_level)
        prepare_store(config, environ, out)
        if knowledge.site and knowledge.site.codes and knowledge.site.codes.left_out:
            left_out = knowledge.site.codes.left_out
            first = ", ".join(left_out[:_PLACES_SAID])
            _say(f"SITE_CODES: {len(left_out)} mappings mean nothing here and are left out: {first} …", out)
        _say(f"fasciculation-cds listens on {config.public_base_url}", out)
        if config.cds_auth == "jwt":
            _say("Calls need a signed token: see docs/authentication.md", out)
        else:
            _say(
                "Try: curl -s -H 'Content-Type: application/fhir+json'"
                " --data-binary @examples/thigh-day-fifteen/bundle.json"
                f" '{config.public_base_url}/evaluate?asOf=2026-06-15'",
                out,
            )
        _retain_memory()
        # Without the freeze the collector would traverse the knowledge for tens of milliseconds during a
        # request, and copy its pages into each worker.
        gc.freeze()
        gc.enable()
        _Server(config, application, metrics).run()
    return 0


def _retain_memory() -> None:
    """Keep freed memory: to return it and request it again takes 10 % of the CPU time of a large request."""
    # Only glibc has mallopt.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _RETAINED_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _RETAINED_BYTES)


def _say(message: str, out: TextIO) -> None:
    print(format_message(message, out), file=out, flush=True)


def prepare_store(config: Config, environ: Mapping[str, str], out: TextIO) -> None:
    """Create or upgrade the SQLite file, and remove old comments. The service also starts without a store.

    A child process upgrades, so that the server does not import Alembic. PostgreSQL is upgraded by hand.
    """
    store = Store(config.feedback_db, config.feedback_retention_days)
    state = store.state()
    if state != "ok" and config.feedback_db.startswith("sqlite:"):
        command = [sys.executable, "-m", "service.feedback", "upgrade"]
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - our own command
                command, env=dict(environ), timeout=_UPGRADE_TIMEOUT_S, check=False, stdout=subprocess.DEVNULL
            )
        state = store.state()
    if state != "ok":
        _say(f"Feedback is refused, cards are answered: the store in FEEDBACK_DB is {state}", out)
    store.tidy()
