"""Where feedback is kept: a SQLite file, or PostgreSQL."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, insert, select, text, update
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from service.config import ConfigError
from service.feedback.tables import ACCEPTED, FEEDBACK, REVISION
from service.health_check import HealthCheck

# The server waits no longer than this for a lock or for PostgreSQL, because a client waits for it.
_TIMEOUT_S = 2
# A command can wait for another command, and for a slow disk.
COMMAND_TIMEOUT_S = 30
_PURGE_INTERVAL = timedelta(hours=1)
# A worker has three threads, and one that checks the health.
_POOL = {"pool_size": 2, "max_overflow": 2, "pool_recycle": 600}
# Name of the threads that limit the use of a connection.
WATCH = "feedback-connection"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted suggestion. name: the action or finding; None if the knowledge has none of that code."""

    suggestion: str
    kind: str
    code: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """Feedback on a card.

    Attributes:
        card: Its id, in lower case.
        at: When the user acted, in UTC.
        version: Of the knowledge, from the id of the card.
        code: Of the leading row, from the id of the card.
        row: The leading row; "" for a card without one, None if the knowledge has none of that code.
        reason: (system, code) of the override reason.
        comment: Text of a clinician: never logged, never shown, removed after the retention time.
    """

    service: str
    card: str
    outcome: str
    at: datetime
    version: int
    code: int
    row: str | None
    accepted: tuple[Accepted, ...] = ()
    reason: tuple[str, str] | None = None
    comment: str | None = None

    @property
    def key(self) -> str:
        """Hash of card, outcome, time and the set of accepted suggestions, to deduplicate."""
        suggestions = sorted({accepted.suggestion for accepted in self.accepted})
        parts = (self.service, self.card, self.outcome, self.at.isoformat(), *suggestions)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def week(self) -> str:
        """The ISO week in UTC: 2026-W07."""
        year, week, _ = self.at.isocalendar()
        return f"{year:04}-W{week:02}"


class StoreDown(Exception):
    """The store cannot be used now. The message is ours: that of a driver could hold what was sent."""


class Store:
    """The store of feedback.

    Args:
        url: FEEDBACK_DB.
        retention_days: How long comments are kept; 0 = not at all.
        clock: Returns now, in UTC.
        timeout_s: For a lock, a connection or a statement; three times as long for all of them.
        pooled: Keep up to two connections to PostgreSQL; such a store must not be used before a fork.
    """

    def __init__(
        self,
        url: str,
        retention_days: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        timeout_s: int = _TIMEOUT_S,
        pooled: bool = False,
    ) -> None:
        self._engine = engine_of(url, timeout_s, pooled=pooled)
        if self._engine.dialect.name == "postgresql":
            _limit_uses(self._engine, timeout_s)
        self._retention = timedelta(days=retention_days)
        self._clock = clock
        self._purged_at: datetime | None = None
        self.state_soon = HealthCheck(self.state)

    def add(self, items: Sequence[Feedback]) -> None:
        """Store all items or none; an item that is stored already is not changed. Raises StoreDown."""
        if not items:
            return
        now = self._clock()
        # In a fixed order, so that two requests with the same items cannot deadlock.
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
        # Of the dialect of the store: the other is not loaded.
        dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
        statement = dialect.insert(FEEDBACK).values(values).on_conflict_do_nothing(index_elements=["key"])
        added = connection.execute(statement.returning(FEEDBACK.c.id)).scalar_one_or_none()
        if added is None:
            return
        for suggestion in {accepted.suggestion: accepted for accepted in item.accepted}.values():
            connection.execute(
                insert(ACCEPTED).values(
                    feedback=added,
                    suggestion=suggestion.suggestion,
                    kind=suggestion.kind,
                    code=suggestion.code,
                    name=suggestion.name,
                )
            )

    def tidy(self) -> None:
        """Remove old comments, at most once an hour. A failure is retried at the next call."""
        now = self._clock()
        if self._purged_at is None or now - self._purged_at >= _PURGE_INTERVAL:
            self._purged_at = now
            try:
                self.purge()
            except StoreDown:
                self._purged_at = None

    def purge(self) -> int:
        """Remove the comments older than the retention time; return their number. Raises StoreDown."""
        old = FEEDBACK.c.received <= self._clock() - self._retention
        statement = update(FEEDBACK).where(FEEDBACK.c.comment.is_not(None), old).values(comment=None)
        with self._transaction() as connection:
            removed = connection.execute(statement).rowcount
        if self._engine.dialect.name == "sqlite":
            # The write-ahead log still holds them. While another connection reads, the next purge empties it.
            with self._transaction() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def state(self) -> str:
        """Return "ok", or what is wrong and the next step."""
        try:
            with self._transaction() as connection:
                connection.execute(select(FEEDBACK.c.id).limit(1))
                revisions = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
        except StoreDown as error:
            return str(error)
        return "ok" if revisions == [REVISION] else "outdated: run python -m service.feedback upgrade"

    def select(self, *queries: Any) -> list[list[Any]]:
        """Return the rows of each query, all from one snapshot. Raises StoreDown."""
        with self._transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            else:
                connection.exec_driver_sql("BEGIN")
            return [list(connection.execute(query)) for query in queries]

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreDown(_reason(error)) from None


def engine_of(url: str, timeout_s: int = _TIMEOUT_S, *, pooled: bool = False) -> Engine:
    """Return an engine. Only one of PostgreSQL can have a pool: a SQLite file is opened in no time."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("FEEDBACK_DB: sqlite:///path, or postgresql://user:password@host/name") from None
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, poolclass=NullPool, connect_args={"timeout": timeout_s})

        @event.listens_for(engine, "connect")
        def settings(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA foreign_keys = ON")
            # Overwrite a removed comment.
            connection.execute("PRAGMA secure_delete = ON")

        return engine
    arguments = {
        "connect_timeout": timeout_s,
        "options": f"-c statement_timeout={timeout_s}s -c lock_timeout={timeout_s}s",
        # A proxy of connections may give the next statement another one.
        "prepare_threshold": None,
    }
    address = address.set(drivername="postgresql+psycopg")
    pool: dict[str, Any] = {**_POOL, "pool_timeout": timeout_s} if pooled else {"poolclass": NullPool}
    return create_engine(address, connect_args=arguments, **pool)


def _limit_uses(engine: Engine, timeout_s: int) -> None:
    """Close a connection to PostgreSQL that is used for too long, and replace one that died in the pool.

    The limits of PostgreSQL end a long statement, but not the wait for a server that stopped answering. The
    thread that waits gets an OperationalError.
    """

    def start(connection: Any, record: Any, limit_s: int) -> None:
        record.info["ended"] = ended = threading.Event()
        duplicate = socket.socket(fileno=os.dup(connection.fileno()))
        arguments = duplicate, ended, limit_s
        try:
            threading.Thread(target=_shut_down, args=arguments, name=WATCH, daemon=True).start()
        except RuntimeError:
            # No more threads: only the limits of the server hold.
            duplicate.close()

    # First, because SQLAlchemy then queries the version of the server on this connection.
    @event.listens_for(engine, "connect", insert=True)
    def connected(connection: Any, record: Any) -> None:
        start(connection, record, 2 * timeout_s)

    # SQLAlchemy's own pre-ping would wait without a limit.
    @event.listens_for(engine, "checkout")
    def check_out(connection: Any, record: Any, _: Any) -> None:
        if "ended" in record.info:
            return
        start(connection, record, timeout_s)
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error
        finally:
            end(connection, record)
        start(connection, record, 2 * timeout_s)

    @event.listens_for(engine, "checkin")
    @event.listens_for(engine, "close")
    def end(_: Any, record: Any) -> None:
        if ended := record.info.pop("ended", None):
            ended.set()


def _shut_down(duplicate: socket.socket, ended: threading.Event, limit_s: float) -> None:
    with duplicate, suppress(OSError):
        if not ended.wait(limit_s):
            duplicate.shutdown(socket.SHUT_RDWR)


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for a database in memory and for PostgreSQL."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return None
    return Path(str(address.database))


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    message = str(cause).lower()
    if "no such table" in message or "undefinedtable" in type(cause).__name__.lower():
        return "without its tables: run python -m service.feedback upgrade"
    for part, reason in (
        ("readonly", "read-only"),
        ("disk i/o", "failing: disk I/O error"),
        ("full", "full"),
        ("locked", "locked"),
    ):
        if part in message:
            return reason
    return f"unavailable ({type(cause).__name__})"
