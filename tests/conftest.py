"""The application as every HTTP test sees it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Config
from service.knowledge import Knowledge, load_knowledge


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture(scope="session")
def app(knowledge: Knowledge) -> Flask:
    return create_app(Config(public_base_url="https://cds.example"), knowledge)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
