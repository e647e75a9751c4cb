"""/readyz and /metrics name the stores that do not answer, soon, and the service stays ready."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.authentication.tokens import UsedTokens
from service.authentication.used_tokens import InMemory, InRedis
from service.config import Config
from service.health_check import SILENT, HealthCheck
from service.knowledge import Knowledge
from tests.contract.callers import Clock, app_for, callers


def client_of(knowledge: Knowledge, seen: UsedTokens) -> FlaskClient:
    return app_for(knowledge, callers(Clock(), seen)).test_client()


def test_a_redis_that_is_not_there_is_named(knowledge: Knowledge, closed_port: int) -> None:
    client = client_of(knowledge, InRedis(f"redis://:secret-of-redis@127.0.0.1:{closed_port}/0"))
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert ready.get_json()["usedTokens"] == "unavailable (ConnectionError)"
    assert "secret-of-redis" not in ready.get_data(as_text=True)


def test_a_redis_that_says_nothing_is_not_waited_for(knowledge: Knowledge) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = client_of(knowledge, InRedis(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"))
        ready = client.get("/readyz")
        assert (ready.status_code, ready.get_json()["usedTokens"]) == (200, SILENT)


def test_a_redis_that_answers_is_ok(knowledge: Knowledge, redis_url: str) -> None:
    assert client_of(knowledge, InRedis(redis_url)).get("/readyz").get_json()["usedTokens"] == "ok"


def test_memory_is_always_there_and_without_callers_there_is_no_such_store(
    knowledge: Knowledge, client: FlaskClient
) -> None:
    assert client_of(knowledge, InMemory()).get("/readyz").get_json()["usedTokens"] == "ok"
    assert "usedTokens" not in client.get("/readyz").get_json()


def test_metrics_say_the_same(knowledge: Knowledge, closed_port: int, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("only-for-these-tests-5f2c")
    seen = InRedis(f"redis://127.0.0.1:{closed_port}/0")
    config = Config(feedback_db=f"sqlite:///{tmp_path}/none/f", admin_token_file=file)
    client = create_app(config, knowledge, callers(Clock(), seen)).test_client()
    assert client.get("/metrics").status_code == 401
    text = client.get("/metrics", auth=("prometheus", file.read_text())).get_data(as_text=True)
    assert 'store_up{store="usedTokens"} 0.0' in text
    assert 'store_up{store="feedback"} 0.0' in text


@pytest.mark.parametrize("max_age_s", [0.0, 1.0])
def test_an_answer_serves_again_for_as_long_as_it_is_kept(max_age_s: float) -> None:
    now, results = [0.0], iter(("ok", "full", "full"))
    check = HealthCheck(lambda: next(results), max_age_s, lambda: now[0])
    assert check() == "ok"
    assert check() == ("ok" if max_age_s else "full")
    now[0] = 2.0
    assert check() == "full"


def test_who_is_silent_is_asked_once_and_heard_when_it_speaks() -> None:
    speaks, asked = threading.Event(), []

    def ask() -> str:
        asked.append(1)
        speaks.wait(60)
        return "ok"

    check = HealthCheck(ask)
    assert [check(), check()] == [SILENT, SILENT]
    assert asked == [1]
    speaks.set()
    while (said := check()) == SILENT:
        pass
    assert said == "ok"
