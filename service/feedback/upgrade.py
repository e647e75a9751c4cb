"""Brings a store to the newest migration. Alembic is imported here and nowhere in the server."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config

from service.feedback.store import COMMAND_PATIENCE_SECONDS, engine_of, sqlite_file

# Of this command alone; any number will do.
LOCK = 4_096_001
MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Makes or changes the tables, in one transaction; a SQLite file and its folder where there is none."""
    with _alone_in_the_folder(sqlite_file(url)) as file:
        if file is not None:
            # Readers go on while one writes; the mode stays with the file.
            with engine_of(url, COMMAND_PATIENCE_SECONDS).connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            file.chmod(0o600)
        with engine_of(url, COMMAND_PATIENCE_SECONDS).begin() as connection:
            # One at a time; and on SQLite whole or not at all, which its driver does not see to for tables.
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            else:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(_config(connection), revision)


@contextmanager
def _alone_in_the_folder(file: Path | None) -> Iterator[Path | None]:
    """Two that change the journal mode at once do not wait for each other: SQLite refuses one of them."""
    if file is None:
        yield None
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(folder)


def downgrade(url: str, revision: str) -> None:
    """Back to that migration; "base" removes everything."""
    with engine_of(url, COMMAND_PATIENCE_SECONDS).begin() as connection:
        command.downgrade(_config(connection), revision)


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
