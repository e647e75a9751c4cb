"""gunicorn around the application: knowledge is loaded once, before the workers fork."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from gunicorn.app.base import BaseApplication

from service.app import create_app
from service.config import SETTINGS, Config, ConfigError
from service.knowledge import KnowledgeError, load_knowledge
from service.worker import Worker

# Above ARRIVES of the worker and the longest decision: a slow line must not look like a hung worker.
_TIMEOUT = 60


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, config: Config, application: Any) -> None:
        self._config = config
        self._application = application
        super().__init__()

    def load_config(self) -> None:
        config = self._config
        bind = f"[{config.host}]" if ":" in config.host else config.host
        options = {
            "bind": f"{bind}:{config.port}",
            "workers": config.workers,
            "worker_class": Worker,
            "timeout": _TIMEOUT,
            # What is being answered at a stop is still answered.
            "graceful_timeout": 30,
            # Our longest address is a search by URL; a token of 8,000 characters fits in one header.
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "limit_request_field_size": 8190,
            # The address of the caller and the scheme are nobody's to say: nothing is decided by them.
            "forwarded_allow_ips": "",
            "loglevel": config.log_level.lower(),
            # No access log: an address or a query could name a patient.
            "accesslog": None,
            "preload_app": True,
            # Nothing but HTTP listens.
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._application


def main(args: list[str], environ: Mapping[str, str], out: TextIO = sys.stdout) -> int:
    """Serves until it is told to end. 2 = a setting or the knowledge is wrong; the reason is printed."""
    if "--help" in args:
        for name, (default, what) in SETTINGS.items():
            print(f"{name:20} {what} (default: {default or 'none'})", file=out)
        return 0
    try:
        config = Config.from_environ(environ)
        knowledge = load_knowledge(config.knowledge_dir)
        application = create_app(config, knowledge)
    except (ConfigError, KnowledgeError) as error:
        print(f"The service does not start:\n{error}", file=sys.stderr)
        return 2
    logging.basicConfig(format="[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s")
    # Ours alone: what libraries log could name what was sent.
    logging.getLogger("service").setLevel(config.log_level)
    print(f"fasciculation-cds listens on {config.public_base_url}", file=out)
    if config.cds_auth == "jwt":
        print("Calls need a signed token: see docs/authentication.md", file=out, flush=True)
    else:
        print(
            "Try: curl -s -H 'Content-Type: application/fhir+json' --data-binary @examples/v05-bundle.json"
            f" '{config.public_base_url}/evaluate?asOf=2026-06-15'",
            file=out,
            flush=True,
        )
    _Server(config, application).run()
    return 0
