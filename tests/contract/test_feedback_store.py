"""The store, on SQLite and a real PostgreSQL: once is once, whole or not at all; decisions go on without."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from service.config import Config, ConfigError
from service.feedback import Accepted, Feedback, Store, StoreDown
from service.feedback.__main__ import main
from service.feedback.store import engine_of
from service.feedback.tables import METADATA, REVISION
from service.feedback.upgrade import MIGRATIONS, downgrade, upgrade
from service.knowledge import Knowledge
from tests.contract.feedback_site import NOW, Site, accepted, overridden, places
from tests.contract.requests import SERVICE, hook_call

ROOT = Path(__file__).parents[2]
POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
HOW = (
    "needs PostgreSQL on 127.0.0.1:5432 that trusts postgres; run: apt-get install postgresql, write"
    " 'host all all 127.0.0.1/32 trust' first into pg_hba.conf, service postgresql start"
)


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
        pytest.skip(HOW)
    try:
        yield POSTGRES.removesuffix("postgres") + name
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/feedback.sqlite3"
        return
    url = request.getfixturevalue("postgres_url")
    yield url
    with engine_of(url).begin() as connection:
        METADATA.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


@pytest.fixture
def url(empty_url: str) -> str:
    upgrade(empty_url)
    return empty_url


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
    rows = Store(url, 1).rows
    return tuple(rows(text(f"SELECT count(*) FROM {t}"))[0][0] for t in ("feedback", "accepted_suggestion"))  # type: ignore[return-value]  # noqa: S608


def test_times_keep_their_zone(url: str, knowledge: Knowledge) -> None:
    there = timezone(timedelta(hours=-9, minutes=-30))
    Store(url, 1).add([replace(ITEM, at=ITEM.at.astimezone(there))])
    (kept,) = Site(url, knowledge).kept()
    assert kept.at == ITEM.at
    assert kept.at.utcoffset() == timedelta(0)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            assert file.execute("SELECT at FROM feedback").fetchall() == [("2026-06-15T10:05:31.123456Z",)]


def test_a_time_without_zone_is_not_taken(url: str) -> None:
    with pytest.raises(StoreDown):
        Store(url, 1).add([replace(ITEM, at=datetime(2026, 6, 15))])
    assert counts(url) == (0, 0)


def test_eight_threads_keep_it_once(url: str) -> None:
    others = [replace(ITEM, card=str(uuid.UUID(int=100 + n))) for n in range(20)]
    start = Barrier(8)

    def post(number: int) -> None:
        store = Store(url, 1)
        # Each in another order: PostgreSQL would see a deadlock.
        items = others[number:] + others[:number]
        start.wait()
        store.add(items)
        store.add([ITEM])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(8)))
    assert counts(url) == (21, 42)


def test_eight_processes_keep_it_once(url: str) -> None:
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
    command = [sys.executable, "-c", program, url]
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
    assert counts(url) == (10, 10)


def test_one_that_fails_keeps_none_of_them(url: str) -> None:
    items = [replace(ITEM, card=str(uuid.UUID(int=number))) for number in range(5)]
    worst = max(items, key=lambda item: item.key)
    # The last one to be written breaks a rule of the table after its feedback went in.
    broken = replace(worst, accepted=(replace(worst.accepted[0], kind=None), *worst.accepted[1:]))  # type: ignore[arg-type]
    assert broken.key == worst.key
    with pytest.raises(StoreDown):
        Store(url, 1).add([broken if item is worst else item for item in items])
    assert counts(url) == (0, 0)


def test_the_purge_leaves_the_rest(url: str) -> None:
    now = [NOW]
    store = Store(url, 10, lambda: now[0])
    store.add([replace(ITEM, comment="old"), replace(ITEM, outcome="overridden", accepted=())])
    now[0] += timedelta(days=5)
    store.add([replace(ITEM, card=str(uuid.UUID(int=9)), comment="new")])
    now[0] += timedelta(days=5)
    assert store.purge() == 1
    assert [row[0] for row in store.rows(text("SELECT comment FROM feedback ORDER BY id"))] == [
        None,
        None,
        "new",
    ]
    assert store.purge() == 0
    assert counts(url)[0] == 3


def test_a_removed_comment_is_not_left_in_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/feedback.sqlite3"
    upgrade(url)
    Store(url, 10, lambda: NOW).add([replace(ITEM, comment="only-here-" * 20)])
    assert b"only-here-" in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert Store(url, 10, lambda: NOW + timedelta(days=10)).purge() == 1
    with closing(sqlite3.connect(tmp_path / "feedback.sqlite3")) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"only-here-" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


# Migrations.


def test_the_migrations_make_what_the_tables_say(url: str) -> None:
    with engine_of(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == REVISION
        unique = inspect(connection).get_unique_constraints("feedback")
    assert [constraint["column_names"] for constraint in unique] == [["key"]]


def test_there_is_one_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [REVISION]


def test_up_and_down_and_up_again(url: str) -> None:
    Store(url, 1).add([ITEM])
    upgrade(url)
    assert counts(url) == (1, 2)
    downgrade(url, "base")
    with engine_of(url).connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert "upgrade" in Store(url, 1).state()
    upgrade(url)
    assert counts(url) == (0, 0)
    assert Store(url, 1).state() == "ok"


def test_two_upgrades_at_once_are_one(postgres_url: str, empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).parent.mkdir()
    with ThreadPoolExecutor(2) as pool:
        processes = [
            pool.submit(
                subprocess.run,
                [sys.executable, "-m", "service.feedback", "upgrade"],
                cwd=ROOT,
                env={"FEEDBACK_DB": empty_url, "PATH": os.environ["PATH"]},
                check=False,
                capture_output=True,
            )
            for _ in range(2)
        ]
        assert [done.result(timeout=60).returncode for done in processes] == [0, 0]
    assert Store(empty_url, 1).state() == "ok"


def test_the_file_is_for_its_owner_and_readers_do_not_wait(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/new/feedback.sqlite3")
    file = tmp_path / "new" / "feedback.sqlite3"
    assert file.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


# The command.


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"FEEDBACK_DB": f"sqlite:///{tmp_path}/feedback.sqlite3", "FEEDBACK_RETENTION_DAYS": "1"}
    assert main(["state"], environ, sys.stdout) == 1
    assert "run python -m service.feedback upgrade" in capsys.readouterr().out
    assert main(["upgrade"], environ, sys.stdout) == 0
    long_ago = datetime.now(UTC) - timedelta(days=2)
    Store(environ["FEEDBACK_DB"], 1, lambda: long_ago).add([replace(ITEM, comment="x")])
    assert main(["purge"], environ, sys.stdout) == 0
    assert "1 comments removed." in capsys.readouterr().out
    assert main([], environ, sys.stdout) == 2
    assert main(["upgrade"], {"FEEDBACK_DB": "x"}, sys.stdout) == 2


def test_the_command_never_repeats_the_password(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        environ = {"FEEDBACK_DB": f"postgresql://user:pass-word@127.0.0.1:{bound.getsockname()[1]}/x"}
        for command in ("upgrade", "purge", "state"):
            assert main([command], environ, sys.stdout) == 1
    said = capsys.readouterr().out
    assert "unavailable" in said or "OperationalError" in said
    assert "pass-word" not in said


def test_a_url_that_is_none_stops_the_start_by_name(knowledge: Knowledge) -> None:
    with pytest.raises(ConfigError, match=r"^FEEDBACK_DB: ") as error:
        Site("postgresql://u:pass-word@db:port/x", knowledge)
    assert "pass-word" not in str(error.value)


# Without a store.


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


# The server.


def test_the_server_never_imports_the_tool_of_migrations() -> None:
    program = "import sys, service.server; print({'alembic', 'mako'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_the_start_makes_the_file_and_says_when_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from service.server import prepare_store

    file = tmp_path / "new" / "feedback.sqlite3"
    good, bad = f"sqlite:///{file}", f"sqlite:///{tmp_path}/new/feedback.sqlite3/x"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    prepare_store(Config(feedback_db=good), {**environ, "FEEDBACK_DB": good}, sys.stdout)
    assert capsys.readouterr().out == ""
    assert Store(good, 1).state() == "ok"
    prepare_store(Config(feedback_db=bad), {**environ, "FEEDBACK_DB": bad}, sys.stdout)
    assert "Feedback is refused, cards are answered" in capsys.readouterr().out
