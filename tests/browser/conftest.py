"""The service on a free port of loopback, and Playwright with Debian's Chromium from a folder of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from service.app import create_app
from service.config import Config
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.browser.chromium import EXECUTABLE, INSTALL
from tests.docs.conftest import PROJECT
from tests.vignettes.patient import AS_OF

PACKAGES = PROJECT / ".browser"
HOW = "needs Playwright in a folder of its own; run: make test-browser"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
# Answers are waited for; a machine may be slow, and nothing here is timed.
PATIENCE = 60_000


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    with served(app) as url:
        yield url


@pytest.fixture(scope="module")
def site(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service with a store that holds an answered card, so that every page has something on it."""
    store = f"sqlite:///{tmp_path_factory.mktemp('feedback') / 'feedback.sqlite3'}"
    upgrade(store)
    config = Config(card_secrets=("for-these-tests-alone-and-long-enough",), feedback_db=store)
    app = create_app(config, knowledge)
    client = app.test_client()
    call = (PROJECT / "examples" / "thigh-day-fifteen/patient-view.json").read_bytes()
    path = "/cds-services/fasciculation-patient-view"
    (card,) = client.post(path, data=call, content_type="application/json").get_json()["cards"]
    said = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": f"{AS_OF}T10:00:00Z"}
    assert client.post(f"{path}/feedback", json={"feedback": [said]}).status_code == 200
    with served(app) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Playwright's browser; skipped where it or Playwright is missing, with what installs it."""
    if not EXECUTABLE.exists():
        pytest.skip(INSTALL)
    if PACKAGES.is_dir() and str(PACKAGES) not in sys.path:
        # Last: what the service uses itself is taken from its own environment.
        sys.path.append(str(PACKAGES))
    if find_spec("playwright") is None:
        pytest.skip(HOW)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(EXECUTABLE), args=FLAGS)
        yield browser
        browser.close()
