"""Brings a store to the newest migration. Alembic is imported here and nowhere in the server."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from service.feedback.store import engine_of, sqlite_file

# Of this command alone; any number will do.
_LOCK = 4_096_001
MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Makes or changes the tables, in one transaction; a SQLite file and its folder where there is none."""
    file = sqlite_file(url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Readers go on while one writes; the mode stays with the file.
        with engine_of(url).connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        file.chmod(0o600)
    with engine_of(url).begin() as connection:
        # One at a time; and on SQLite whole or not at all, which its driver does not see to for tables.
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Back to that migration; "base" removes everything."""
    with engine_of(url).begin() as connection:
        command.downgrade(_config(connection), revision)


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
