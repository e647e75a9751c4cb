"""The store, on SQLite and a real PostgreSQL: once is once, whole or not at all; decisions go on without."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from service.feedback import Accepted, Feedback, Store, StoreDown
from service.knowledge import Knowledge
from tests.contract.feedback_site import NOW, Site

ROOT = Path(__file__).parents[2]
ITEM = Feedback(
    "one",
    str(uuid.UUID(int=1)),
    "accepted",
    datetime(2026, 6, 15, 10, 5, 31, 123456, tzinfo=UTC),
    0xA1B,
    7,
    "persistent",
    (Accepted(str(uuid.UUID(int=2)), "order", 3, "emg"), Accepted(str(uuid.UUID(int=3)), "order", 4, None)),
)


def counts(url: str) -> tuple[int, int]:
    tables = ("feedback", "accepted_suggestion")
    first, second = Store(url, 1).select(*(text(f"SELECT count(*) FROM {table}") for table in tables))  # noqa: S608
    return first[0][0], second[0][0]


def test_times_keep_their_zone(store_url: str, knowledge: Knowledge) -> None:
    there = timezone(timedelta(hours=-9, minutes=-30))
    Store(store_url, 1).add([replace(ITEM, at=ITEM.at.astimezone(there))])
    (kept,) = Site(store_url, knowledge).kept()
    assert kept.at == ITEM.at
    assert kept.at.utcoffset() == timedelta(0)
    if store_url.startswith("sqlite"):
        with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as file:
            assert file.execute("SELECT at FROM feedback").fetchall() == [("2026-06-15T10:05:31.123456Z",)]


def test_a_time_without_zone_is_not_taken(store_url: str) -> None:
    with pytest.raises(StoreDown):
        Store(store_url, 1).add([replace(ITEM, at=datetime(2026, 6, 15))])
    assert counts(store_url) == (0, 0)


def test_eight_threads_keep_it_once(store_url: str) -> None:
    others = [replace(ITEM, card=str(uuid.UUID(int=100 + n))) for n in range(20)]
    start = Barrier(8)

    def post(number: int) -> None:
        store = Store(store_url, 1)
        # Each in another order: PostgreSQL would see a deadlock.
        items = others[number:] + others[:number]
        start.wait()
        store.add(items)
        store.add([ITEM])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(8)))
    assert counts(store_url) == (21, 42)


def test_eight_processes_keep_it_once(store_url: str) -> None:
    program = """
import sys, uuid
from datetime import UTC, datetime
from service.feedback import Accepted, Feedback, Store
store = Store(sys.argv[1], 1)
accepted = (Accepted(str(uuid.UUID(int=2)), "order", 3, "emg"),)
at = datetime(2026, 6, 15, tzinfo=UTC)
items = [Feedback("one", str(uuid.UUID(int=n)), "accepted", at, 1, 2, "r", accepted) for n in range(10)]
print("ready", flush=True)
sys.stdin.readline()
store.add(items)
"""
    command = [sys.executable, "-c", program, store_url]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(8)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.close()
        assert [process.wait(timeout=60) for process in processes] == [0] * 8
    finally:
        for process in processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    assert counts(store_url) == (10, 10)


def test_one_that_fails_keeps_none_of_them(store_url: str) -> None:
    items = [replace(ITEM, card=str(uuid.UUID(int=number))) for number in range(5)]
    worst = max(items, key=lambda item: item.key)
    # The last one to be written breaks a rule of the table after its feedback went in.
    broken = replace(worst, accepted=(replace(worst.accepted[0], kind=None), *worst.accepted[1:]))  # type: ignore[arg-type]
    assert broken.key == worst.key
    with pytest.raises(StoreDown):
        Store(store_url, 1).add([broken if item is worst else item for item in items])
    assert counts(store_url) == (0, 0)


def test_the_purge_leaves_the_rest(store_url: str) -> None:
    now = [NOW]
    store = Store(store_url, 10, lambda: now[0])
    store.add([replace(ITEM, comment="old"), replace(ITEM, outcome="overridden", accepted=())])
    now[0] += timedelta(days=5)
    store.add([replace(ITEM, card=str(uuid.UUID(int=9)), comment="new")])
    now[0] += timedelta(days=5)
    assert store.purge() == 1
    assert [row[0] for row in store.select(text("SELECT comment FROM feedback ORDER BY id"))[0]] == [
        None,
        None,
        "new",
    ]
    assert store.purge() == 0
    assert counts(store_url)[0] == 3
