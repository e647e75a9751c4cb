"""Without a usable store feedback is refused for now, nothing is half kept, and decisions go on."""

from __future__ import annotations

import queue
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from werkzeug.test import TestResponse

from service.feedback.store import engine_of
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.contract.feedback_site import Site, accepted, overridden, places
from tests.contract.requests import SERVICE, hook_call
from tests.contract.silent_relay import silent_after
from tests.contract.test_feedback_store import counts

ROOT = Path(__file__).parents[2]
# Whoever is still waiting then waits for ever.
LONGEST = 40.0


def unusable(how: str, folder: Path) -> tuple[str, str]:
    """A URL whose store fails in that way when it is written to, and what is said of it."""
    file = folder / "feedback.sqlite3"
    url = f"sqlite:///{file}"
    if how == "no folder":
        return f"sqlite:///{folder}/none/feedback.sqlite3", "unavailable"
    if how == "a folder":
        return f"sqlite:///{folder}", "unavailable"
    if how == "no tables":
        return url, "upgrade"
    if how == "no database":
        file.write_bytes(b"no database at all, " * 100)
        return url, "unavailable"
    if how == "no server":
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            return f"postgresql://u:p@127.0.0.1:{bound.getsockname()[1]}/x", "unavailable"
    upgrade(url)
    return url, how


@pytest.mark.parametrize("how", ["no folder", "a folder", "no tables", "no database", "no server"])
def test_a_dead_store_is_503_and_decisions_go_on(how: str, tmp_path: Path, knowledge: Knowledge) -> None:
    url, says = unusable(how, tmp_path)
    site = Site(url, knowledge)
    still_answers_cards(site, says)
    ready = site.client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert says in ready.get_json()["feedback"]


def still_answers_cards(site: Site, says: str) -> None:
    card = site.card()
    refused = site.post(accepted(card), overridden(card, overrideReason={"userComment": "Not this one"}))
    assert places(refused, 503) == [""]
    assert int(refused.headers["Retry-After"]) > 0
    told = refused.get_data(as_text=True)
    assert says in told
    assert "Not this one" not in told
    assert site.client.post(SERVICE, json=hook_call()).status_code == 200


def test_a_read_only_store_is_503(tmp_path: Path, knowledge: Knowledge) -> None:
    upgrade(f"sqlite:///{tmp_path}/feedback.sqlite3")
    # Root may write a file of any mode: the connection itself is read-only.
    site = Site(f"sqlite:///file:{tmp_path}/feedback.sqlite3?mode=ro&uri=true", knowledge)
    still_answers_cards(site, "read-only")


def test_a_locked_store_is_503_and_taken_later(tmp_path: Path, knowledge: Knowledge) -> None:
    url, _ = unusable("locked", tmp_path)
    site = Site(url, knowledge)
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        still_answers_cards(site, "locked")
        other.execute("ROLLBACK")
    assert site.post(accepted(site.card())).status_code == 200
    assert counts(url) == (1, 1)


def test_a_full_disk_is_503_and_nothing_is_half_kept(
    tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = unusable("full", tmp_path)
    site = Site(url, knowledge)
    card = site.card()
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite3")) as file:
        pages = file.execute("PRAGMA page_count").fetchone()[0]

    class Full(sqlite3.Connection):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.execute(f"PRAGMA max_page_count = {pages}")

    connect = sqlite3.dbapi2.connect
    monkeypatch.setattr(
        sqlite3.dbapi2, "connect", lambda *a, **more: connect(*a, **{**more, "factory": Full})
    )
    long = {"userComment": "x" * 4000}
    many = [
        overridden(card, overrideReason=long, outcomeTimestamp=f"2026-06-15T10:05:{n:02}Z") for n in range(30)
    ]
    refused = site.post(accepted(card), *many)
    assert places(refused, 503) == [""]
    assert "full" in refused.get_data(as_text=True)
    assert site.client.post(SERVICE, json=hook_call()).status_code == 200
    monkeypatch.undo()
    assert counts(url) == (0, 0)


def test_readiness_says_ok_and_outdated(tmp_path: Path, knowledge: Knowledge) -> None:
    url, _ = unusable("", tmp_path)
    site = Site(url, knowledge)
    assert site.client.get("/readyz").get_json()["feedback"] == "ok"
    with engine_of(url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answered = site.client.get("/readyz")
    assert answered.status_code == 200
    assert "run python -m service.feedback upgrade" in answered.get_json()["feedback"]


def test_readiness_does_not_wait_for_a_store_that_says_nothing(knowledge: Knowledge) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        site = Site(f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/x", knowledge)
        for _ in range(2):
            ready = site.client.get("/readyz")
            assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
            assert ready.get_json()["feedback"] == "unavailable (it does not answer)"
        still_answers_cards(site, "unavailable")
        assert site.client.get("/readyz").get_json()["feedback"].startswith("unavailable")


@pytest.mark.parametrize("word", [b"INSERT INTO feedback", b"COMMIT"])
def test_a_server_that_falls_silent_in_the_middle_is_503(
    word: bytes, postgres_url: str, knowledge: Knowledge
) -> None:
    """No time limit of its own can end what it was asked: the limit must be ours."""
    upgrade(postgres_url)
    place = make_url(postgres_url)
    with silent_after(word, (str(place.host), place.port or 5432)) as relay:
        silent = place.set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
        site = Site(silent, knowledge)
        answers = queue.SimpleQueue[TestResponse]()
        posts = threading.Thread(target=lambda: answers.put(site.post(accepted(site.card()))), daemon=True)
        posts.start()
        refused = answers.get(timeout=LONGEST)
        assert relay.fell_silent.is_set()
        assert places(refused, 503) == [""]
        assert int(refused.headers["Retry-After"]) > 0
    assert Site(postgres_url, knowledge).post(accepted(site.card())).status_code == 200
    assert counts(postgres_url) == (1, 1)
