"""Tables of feedback and of accepted suggestions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.feedback.tables import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("received", UtcTime, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("row", sa.String(200)),
        sa.Column("reason_system", sa.String(500)),
        sa.Column("reason_code", sa.String(200)),
        sa.Column("comment", sa.Text),
    )
    op.create_index("feedback_card", "feedback", ["card"])
    op.create_table(
        "accepted_suggestion",
        sa.Column("feedback", sa.Integer, sa.ForeignKey("feedback.id"), primary_key=True),
        sa.Column("suggestion", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200)),
    )


def downgrade() -> None:
    op.drop_table("accepted_suggestion")
    op.drop_table("feedback")
