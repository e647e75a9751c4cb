"""Where feedback is kept: a SQLite file, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from service.config import ConfigError
from service.feedback.deadline import end_after
from service.feedback.records import Feedback
from service.feedback.tables import ACCEPTED, FEEDBACK, REVISION
from service.health_check import HealthCheck

# A caller waits no longer than this for a lock, or for a server that does not answer.
_PATIENCE_SECONDS = 2
# Who runs a command can wait for another command, and for a slow disk.
COMMAND_PATIENCE_SECONDS = 30
_PURGE_EVERY = timedelta(hours=1)


class StoreDown(Exception):
    """The store cannot be used now. Says why in our words: a driver's message could hold what was sent."""


class Store:
    """retention_days: how long comments are kept; 0 = not at all. clock: now, in UTC.
    patience: the seconds that a lock or a silent server is waited for; three times as long for everything."""

    def __init__(
        self,
        url: str,
        retention_days: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        patience: int = _PATIENCE_SECONDS,
    ) -> None:
        self._engine = engine_of(url, patience)
        if self._engine.dialect.name == "postgresql":
            # To connect, to ask, to be sure.
            end_after(self._engine, 3 * patience)
        self._retention = timedelta(days=retention_days)
        self._clock = clock
        self._purged: datetime | None = None
        self.state_soon = HealthCheck(self.state)

    def add(self, items: Sequence[Feedback]) -> None:
        """Keeps all of them or none; what is there already stays as it is. Raises StoreDown."""
        if not items:
            return
        now = self._clock()
        # In one order, so that two posts of the same items never wait for each other.
        with self._transaction() as connection:
            for item in sorted(items, key=lambda item: item.key):
                self._add(connection, item, now)
        self.tidy()

    def _add(self, connection: Connection, item: Feedback, now: datetime) -> None:
        system, code = item.reason or (None, None)
        values = {
            "key": item.key,
            "service": item.service,
            "card": item.card,
            "outcome": item.outcome,
            "at": item.at,
            "week": item.week,
            "received": now,
            "version": item.version,
            "code": item.code,
            "row": item.row,
            "reason_system": system,
            "reason_code": code,
            "comment": item.comment if self._retention else None,
        }
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(FEEDBACK).values(values).on_conflict_do_nothing(index_elements=["key"])
        added = connection.execute(statement.returning(FEEDBACK.c.id)).scalar_one_or_none()
        if added is None:
            return
        accepted = {one.suggestion: one for one in item.accepted}
        for one in accepted.values():
            connection.execute(
                insert(ACCEPTED).values(
                    feedback=added, suggestion=one.suggestion, kind=one.kind, code=one.code, name=one.name
                )
            )

    def tidy(self) -> None:
        """Removes old comments, at most once an hour. What fails now is tried again the next time."""
        now = self._clock()
        if self._purged is None or now - self._purged >= _PURGE_EVERY:
            self._purged = now
            try:
                self.purge()
            except StoreDown:
                self._purged = None

    def purge(self) -> int:
        """Removes the comments that are kept long enough; how many. The rest stays. Raises StoreDown."""
        old = FEEDBACK.c.received <= self._clock() - self._retention
        with self._transaction() as connection:
            removed = connection.execute(
                update(FEEDBACK).where(FEEDBACK.c.comment.is_not(None), old).values(comment=None)
            )
            return removed.rowcount

    def state(self) -> str:
        """ "ok", or what is wrong and the next step."""
        try:
            with self._transaction() as connection:
                connection.execute(select(FEEDBACK.c.id).limit(1))
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        except StoreDown as error:
            return str(error)
        return "ok" if found == [REVISION] else "outdated: run python -m service.feedback upgrade"

    def found(self, *queries: Any) -> list[list[Any]]:
        """What each of the queries finds, of one moment. Raises StoreDown."""
        with self._transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            else:
                connection.exec_driver_sql("BEGIN")
            return [list(connection.execute(query)) for query in queries]

    def rows(self, query: Any) -> list[Any]:
        """What that query finds. Raises StoreDown."""
        return self.found(query)[0]

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreDown(_why(error)) from None


def engine_of(url: str, patience: int = _PATIENCE_SECONDS) -> Engine:
    """No connection is kept: feedback is rare, none outlives its server, and none crosses a fork."""
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("FEEDBACK_DB: sqlite:///path, or postgresql://user:password@host/name") from None
    if place.get_backend_name() == "sqlite":
        engine = create_engine(place, poolclass=NullPool, connect_args={"timeout": patience})

        @event.listens_for(engine, "connect")
        def settings(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA foreign_keys = ON")
            # A comment that is removed is overwritten.
            connection.execute("PRAGMA secure_delete = ON")

        return engine
    bounds = {
        "connect_timeout": patience,
        "options": f"-c statement_timeout={patience}s -c lock_timeout={patience}s",
    }
    return create_engine(place.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=bounds)


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None of any other, and of one in memory."""
    place = make_url(url)
    if place.get_backend_name() != "sqlite" or place.database in (None, "", ":memory:"):
        return None
    return Path(str(place.database))


def _why(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    told = str(cause).lower()
    if "no such table" in told or "undefinedtable" in type(cause).__name__.lower():
        return "without its tables: run python -m service.feedback upgrade"
    for sign, why in (
        ("readonly", "read-only"),
        ("disk i/o", "failing: disk I/O error"),
        ("full", "full"),
        ("locked", "locked"),
    ):
        if sign in told:
            return why
    return f"unavailable ({type(cause).__name__})"
