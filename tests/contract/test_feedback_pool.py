"""Connections to PostgreSQL: a few, kept between posts, replaced when they died, never older than a fork."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from service.feedback import Store, StoreDown
from service.feedback.store import WATCH
from service.feedback.upgrade import upgrade
from service.knowledge import Knowledge
from tests.contract.feedback_site import Site, accepted, overridden
from tests.contract.silent_relay import silent_after

PID = text("SELECT pg_backend_pid()")
LONGEST = 40.0


@pytest.fixture
def url(postgres_url: str) -> str:
    upgrade(postgres_url)
    return postgres_url


def pid(store: Store) -> int:
    return int(store.select(PID)[0][0][0])


def asked(url: str, statement: str) -> Any:
    """By a connection of its own to another database."""
    address = make_url(url).set(drivername="postgresql+psycopg", database="postgres")
    engine = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(text(statement), {"name": make_url(url).database}).scalar()


def connections(url: str) -> int:
    return int(asked(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = :name"))


def end_all(url: str) -> None:
    # It waits until they are gone.
    asked(url, "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = :name")


def test_posts_one_after_the_other_use_one_connection(url: str) -> None:
    store = Store(url, 1, pooled=True)
    assert len({pid(store) for _ in range(5)}) == 1


def test_after_many_at_once_two_are_kept(url: str) -> None:
    end_all(url)
    store = Store(url, 1, pooled=True)
    seen = set[int]()

    def work(start: Barrier) -> None:
        start.wait()
        for _ in range(10):
            seen.add(store.select(text("SELECT pg_backend_pid() FROM pg_sleep(0.01)"))[0][0][0])

    with ThreadPoolExecutor(4) as pool:
        start = Barrier(4)
        for future in [pool.submit(work, start) for _ in range(4)]:
            future.result()
    assert len(seen) >= 2
    assert 1 <= connections(url) <= 2


def test_a_post_after_the_server_ended_its_connections_is_kept(url: str, knowledge: Knowledge) -> None:
    site = Site(url, knowledge)
    card = site.card()
    for number in range(3):
        item = overridden(card, outcomeTimestamp=f"2026-06-15T10:05:0{number}Z")
        assert site.post(item).status_code == 200
        end_all(url)
    assert len(site.kept()) == 3


def test_a_kept_connection_that_fell_silent_is_not_waited_for(url: str) -> None:
    place = make_url(url)
    # What the pool asks of a connection that it kept.
    with silent_after(b";\0", (str(place.host), place.port or 5432)) as relay:
        silent = place.set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
        store = Store(silent, 1, pooled=True, timeout_s=1)
        pid(store)
        assert not relay.fell_silent.is_set()
        failures = queue.SimpleQueue[type[Exception] | None]()

        def use() -> None:
            try:
                pid(store)
            except StoreDown as error:
                failures.put(type(error))
            else:
                failures.put(None)

        threading.Thread(target=use, daemon=True).start()
        assert failures.get(timeout=LONGEST) is StoreDown
        assert relay.fell_silent.is_set()


def test_the_time_limit_ends_with_the_use(url: str) -> None:
    store = Store(url, 1, pooled=True, timeout_s=60)
    for _ in range(3):
        pid(store)
    watching = [thread for thread in threading.enumerate() if thread.name == WATCH]
    for thread in watching:
        thread.join(5)
    assert not any(thread.is_alive() for thread in watching)
    assert connections(url) >= 1


def test_nothing_is_prepared_in_a_connection_that_a_proxy_may_share(url: str) -> None:
    store = Store(url, 1, pooled=True)
    for _ in range(12):
        pid(store)
    assert store.select(text("SELECT count(*) FROM pg_prepared_statements"))[0][0][0] == 0


def test_no_connection_is_made_before_the_workers_fork(url: str, knowledge: Knowledge) -> None:
    end_all(url)
    site = Site(url, knowledge)
    assert connections(url) == 0
    assert site.post(accepted(site.card())).status_code == 200
    assert connections(url) == 1
