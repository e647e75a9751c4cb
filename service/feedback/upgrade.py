"""Upgrade a store to the newest migration. The server never imports this module, and with it Alembic."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config

from service.feedback.store import COMMAND_TIMEOUT_S, engine_of, sqlite_file

# PostgreSQL advisory lock of this command; an arbitrary number.
LOCK = 4_096_001
MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Create or change the tables in one transaction, and create a SQLite file and its folder if needed."""
    with _locked_folder(sqlite_file(url)) as file:
        if file is not None:
            # Readers do not block a writer. The mode is stored in the file.
            with engine_of(url, COMMAND_TIMEOUT_S).connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            file.chmod(0o600)
        with engine_of(url, COMMAND_TIMEOUT_S).begin() as connection:
            # One upgrade at a time. The driver of SQLite does not start a transaction for CREATE TABLE.
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            else:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(_config(connection), revision)


@contextmanager
def _locked_folder(file: Path | None) -> Iterator[Path | None]:
    """Lock the folder of the file: SQLite fails if two processes change the journal mode at once."""
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
    """Return to a migration; "base" removes all tables."""
    with engine_of(url, COMMAND_TIMEOUT_S).begin() as connection:
        command.downgrade(_config(connection), revision)


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
