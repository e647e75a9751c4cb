"""Answer the requests of a file by the code of one tree: runs in a process of its own, with that tree alone.

    PYTHONPATH=TREE python -P recorder.py REQUESTS RECORDING

Both files are gzipped lines of JSON; bodies are Latin-1, so that every byte survives. This file depends on
`application` and HTTP alone, because it also runs in trees that are older or newer than itself.
"""

from __future__ import annotations

import datetime
import gzip
import json
import logging
import os
import sys
import tempfile
import time
from functools import cache
from typing import Any

from werkzeug.test import Client

BASE_URL = "https://cds.example"
SETTINGS = {
    "PUBLIC_BASE_URL": BASE_URL,
    "CARD_SECRET": "for-comparisons-alone-and-long-enough",
}
NOW = datetime.datetime(2026, 6, 15, 10, 0, tzinfo=datetime.UTC)
_PACKAGES = ("service", "schemas", "fhir_mappings")


def application(settings: dict[str, str]) -> Any:
    """The WSGI application of the tree for these environment variables."""
    from service.app import create_app
    from service.config import Config

    return create_app(Config.from_environ(settings), _knowledge())


@cache
def _knowledge() -> Any:
    from service.knowledge import load_knowledge

    return load_knowledge()


class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return NOW.astimezone(tz)


class _Date(datetime.date):
    @classmethod
    def today(cls) -> Any:
        return NOW.date()


def stop_clock() -> None:
    """Stop the clock of the modules loaded so far: a call without asOf is decided for today."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _PACKAGES:
            for variable, value in list(vars(module).items()):
                if value is datetime.datetime:
                    setattr(module, variable, _Datetime)
                elif value is datetime.date:
                    setattr(module, variable, _Date)


def record(source: str, target: str) -> int:
    """Read requests, write them with `status`, `type` and `answer`, and return their number."""
    number = 0
    clients: dict[str, Client] = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        gzip.open(source, "rt", encoding="utf-8") as requests,
        gzip.open(target, "wt", compresslevel=3, encoding="utf-8") as answers,
    ):
        for line in requests:
            request = json.loads(line)
            key = json.dumps(request["settings"])
            if key not in clients:
                store = {"FEEDBACK_DB": f"sqlite:///{scratch}/feedback.sqlite3"}
                clients[key] = Client(application({**SETTINGS, **store, **request["settings"]}))
                stop_clock()
            response = clients[key].post(
                request["path"],
                base_url=BASE_URL,
                data=request["body"].encode("latin-1"),
                content_type="application/json",
            )
            request["status"] = response.status_code
            request["type"] = response.headers.get("Content-Type")
            request["answer"] = response.get_data().decode("latin-1")
            answers.write(json.dumps(request) + "\n")
            number += 1
    return number


if __name__ == "__main__":
    import service

    tree = os.path.realpath(os.environ["PYTHONPATH"])
    if not os.path.realpath(str(service.__file__)).startswith(tree + os.sep):
        raise SystemExit(f"service comes from {service.__file__}, not from {tree}")
    # Errors of the service are in the answers.
    logging.disable(logging.CRITICAL)
    recorded = record(sys.argv[1], sys.argv[2])
    print(f"{recorded} answers in {time.process_time():.0f} s of CPU", file=sys.stderr)
