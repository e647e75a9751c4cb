"""The tables of feedback: made by migrations from nothing, as a command and at the start of the server."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from service.config import Config, ConfigError
from service.feedback import Store
from service.feedback.__main__ import main
from service.feedback.store import engine_of
from service.feedback.tables import METADATA, REVISION
from service.feedback.upgrade import LOCK, MIGRATIONS, downgrade, upgrade
from service.knowledge import Knowledge
from tests.contract.feedback_site import Site
from tests.contract.test_feedback_store import ITEM, counts

ROOT = Path(__file__).parents[2]


def test_the_migrations_make_what_the_tables_say(store_url: str) -> None:
    with engine_of(store_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == REVISION
        unique = inspect(connection).get_unique_constraints("feedback")
    assert [constraint["column_names"] for constraint in unique] == [["key"]]


def test_there_is_one_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [REVISION]


def test_up_and_down_and_up_again(store_url: str) -> None:
    Store(store_url, 1).add([ITEM])
    upgrade(store_url)
    assert counts(store_url) == (1, 2)
    downgrade(store_url, "base")
    with engine_of(store_url).connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert "upgrade" in Store(store_url, 1).state()
    upgrade(store_url)
    assert counts(store_url) == (0, 0)
    assert Store(store_url, 1).state() == "ok"


def test_two_upgrades_at_once_are_one(postgres_url: str, empty_store_url: str) -> None:
    if empty_store_url.startswith("sqlite"):
        Path(empty_store_url.removeprefix("sqlite:///")).parent.mkdir()
    with ThreadPoolExecutor(2) as pool:
        processes = [
            pool.submit(
                subprocess.run,
                [sys.executable, "-m", "service.feedback", "upgrade"],
                cwd=ROOT,
                env={"FEEDBACK_DB": empty_store_url, "PATH": os.environ["PATH"]},
                check=False,
                capture_output=True,
            )
            for _ in range(2)
        ]
        ends = [done.result(timeout=60) for done in processes]
        assert [(end.returncode, end.stdout) for end in ends] == [(0, b"The store is ok.\n")] * 2
    assert Store(empty_store_url, 1).state() == "ok"


def test_an_upgrade_waits_longer_for_another_than_a_caller_would(empty_store_url: str) -> None:
    if empty_store_url.startswith("sqlite"):
        Path(empty_store_url.removeprefix("sqlite:///")).parent.mkdir()
    held, seconds = threading.Event(), 3

    def hold() -> None:
        with engine_of(empty_store_url).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            else:
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            held.set()
            time.sleep(seconds)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert held.wait(10)
        upgrade(empty_store_url)
        holding.result()
    assert Store(empty_store_url, 1).state() == "ok"


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
