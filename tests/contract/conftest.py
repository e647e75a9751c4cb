"""Callers of a site with a clock of its own; servers of keys and of used tokens."""

from __future__ import annotations

import itertools
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from service.feedback.store import engine_of
from service.feedback.tables import METADATA
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.contract.callers import CLINIC, Clock, Signer, app_for, callers
from tests.contract.feedback_site import Site
from tests.contract.fhir_server import FhirServer, addresses_of, fhir_serving
from tests.contract.jwks_server import JwksServer, jwks_serving
from tests.contract.requests import SERVICE
from tests.docs.conftest import free_port

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
HOW_POSTGRES = (
    "needs PostgreSQL on 127.0.0.1:5432 that trusts postgres; run: apt-get install postgresql, write"
    " 'host all all 127.0.0.1/32 trust' first into pg_hba.conf, service postgresql start"
)


HOW = "needs Redis; run: apt-get install redis-server"
_NUMBERS = itertools.count()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def token_site(knowledge: Knowledge) -> tuple[Flask, Clock]:
    clock = Clock()
    return app_for(knowledge, callers(clock)), clock


@pytest.fixture
def token_client(token_site: tuple[Flask, Clock]) -> FlaskClient:
    return token_site[0].test_client()


@pytest.fixture
def signer(token_site: tuple[Flask, Clock]) -> Iterator[Signer]:
    clock = token_site[1]
    now = clock.now
    yield Signer(clock, SERVICE)
    clock.now = now


@pytest.fixture
def clinic(signer: Signer) -> Signer:
    return Signer(signer.clock, SERVICE, CLINIC, "rsa-clinic")


@pytest.fixture
def jwks_server() -> Iterator[JwksServer]:
    with jwks_serving() as served:
        yield served


class OwnRedis:
    """A Redis of the tests, which keeps nothing on a disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("Redis does not start")

    def kill(self) -> None:
        """At once, with all that it held."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def redis_running() -> Iterator[OwnRedis]:
    if which("redis-server") is None:
        pytest.skip(HOW)
    server = OwnRedis()
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[OwnRedis]:
    """Of all tests: nobody ends it."""
    with redis_running() as server:
        yield server


@pytest.fixture(scope="module")
def redis_url(redis_server: OwnRedis) -> str:
    """A database of its own for each module: clocks that stand still know nothing of clocks that run."""
    return redis_server.url.removesuffix("0") + str(next(_NUMBERS) % 16)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is bound and refuses: nobody else can take it meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture(scope="module")
def fhir_servers(knowledge: Knowledge) -> Iterator[tuple[FhirServer, FhirServer]]:
    addresses = addresses_of(knowledge)
    with fhir_serving(addresses) as allowed, fhir_serving(addresses) as trap:
        yield allowed, trap


@pytest.fixture
def server(fhir_servers: tuple[FhirServer, FhirServer]) -> FhirServer:
    fhir_servers[0].reset()
    return fhir_servers[0]


@pytest.fixture
def trap(fhir_servers: tuple[FhirServer, FhirServer]) -> FhirServer:
    """Nothing may ever arrive here."""
    fhir_servers[1].reset()
    return fhir_servers[1]


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """A database of our own in a real PostgreSQL, for as long as the tests take."""
    driver = POSTGRES.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(
        driver, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args={"connect_timeout": 2}
    )
    name = f"feedback_test_{uuid.uuid4().hex[:12]}"
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except SQLAlchemyError:
        pytest.skip(HOW_POSTGRES)
    try:
        yield POSTGRES.removesuffix("postgres") + name
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/feedback.sqlite3"
        return
    url = request.getfixturevalue("postgres_url")
    yield url
    with engine_of(url).begin() as connection:
        METADATA.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


@pytest.fixture
def store_url(empty_store_url: str) -> str:
    upgrade(empty_store_url)
    return empty_store_url


@pytest.fixture
def site(knowledge: Knowledge, tmp_path: Path) -> Site:
    url = f"sqlite:///{tmp_path}/feedback.sqlite3"
    upgrade(url)
    return Site(url, knowledge)


@pytest.fixture
def card(site: Site) -> dict[str, Any]:
    return site.card()
