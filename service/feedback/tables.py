"""Tables of feedback, as the migrations create them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

# The newest migration. The server compares it with the store, without Alembic.
REVISION = "0001"


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC. SQLite has no such type and drops the zone, so it stores sortable text with a Z."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


METADATA = MetaData()

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", Integer, primary_key=True),
    # Feedback.key: the same feedback is stored once, also if several processes receive it at the same time.
    Column("key", String(64), nullable=False, unique=True),
    Column("service", String(200), nullable=False),
    Column("card", String(36), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("week", String(8), nullable=False),
    Column("received", UtcTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("code", Integer, nullable=False),
    Column("row", String(200)),
    Column("reason_system", String(500)),
    Column("reason_code", String(200)),
    Column("comment", Text),
    Index("feedback_card", "card"),
)

ACCEPTED = Table(
    "accepted_suggestion",
    METADATA,
    Column("feedback", Integer, ForeignKey("feedback.id"), primary_key=True),
    Column("suggestion", String(36), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("code", Integer, nullable=False),
    Column("name", String(200)),
)
