"""What the files of the store hold of a comment that was removed: docs/feedback.md promises no more."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from service.feedback import Store
from service.feedback.upgrade import upgrade
from tests.contract.feedback_site import NOW
from tests.contract.test_feedback_store import ITEM

SHORT, LONG = "only-here-short", "only-here-long"
WORDS = (SHORT.encode(), LONG.encode())


def keep_comments(url: str, number: int = 1) -> None:
    # PostgreSQL keeps long texts, which cannot be packed well, in a file of their own.
    long = LONG + " ".join(str(uuid.uuid4()) for _ in range(100))
    comments = [SHORT, long] * number
    items = [
        replace(ITEM, card=str(uuid.UUID(int=10 + n)), comment=comment) for n, comment in enumerate(comments)
    ]
    Store(url, 10, lambda: NOW).add(items)


def purged(url: str) -> int:
    return Store(url, 10, lambda: NOW + timedelta(days=10), timeout_s=1).purge()


def left_in(*contents: bytes) -> list[bool]:
    return [any(word in content for content in contents) for word in WORDS]


def files_of(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.iterdir()]


def test_sqlite_holds_nothing_also_while_another_worker_is_connected(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/feedback.sqlite3"
    upgrade(url)
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite3")) as other:
        other.execute("SELECT count(*) FROM feedback").fetchall()
        keep_comments(url, 100)
        assert left_in(*files_of(tmp_path)) == [True, True]
        assert purged(url) == 200
        assert left_in(*files_of(tmp_path)) == [False, False]


def test_sqlite_holds_it_for_a_reader_until_the_next_removal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/feedback.sqlite3"
    upgrade(url)
    keep_comments(url)
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM feedback").fetchall()
        assert purged(url) == 2
        assert left_in(*files_of(tmp_path)) == [True, True]
        other.execute("COMMIT")
        assert purged(url) == 0
        assert left_in(*files_of(tmp_path)) == [False, False]


def test_postgresql_holds_it_until_the_table_is_written_anew(postgres_url: str) -> None:
    upgrade(postgres_url)
    address = postgres_url.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        keep_comments(postgres_url)
        assert left_in(*relations(connection)) == [True, True]
        assert purged(postgres_url) == 2
        assert left_in(*relations(connection)) == [True, True]
        connection.execute(text("VACUUM FULL feedback"))
        assert left_in(*relations(connection)) == [False, False]


def relations(connection: Connection) -> list[bytes]:
    """The files of the table and of its long texts, after all was written."""
    connection.execute(text("CHECKPOINT"))
    files = text(
        "SELECT pg_read_binary_file(pg_relation_filepath(file)) FROM pg_class,"
        " unnest(ARRAY[oid, reltoastrelid]) AS file WHERE relname = 'feedback'"
    )
    return [bytes(content) for content in connection.scalars(files)]
