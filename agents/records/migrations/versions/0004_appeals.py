"""Appeals against scores, with their deadline and their answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the table (agents/records/appeal_tables.py says what it means)."""
    op.create_table(
        "appeals",
        sa.Column("number", NUMBER, nullable=False, autoincrement=True),
        sa.Column("employee", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("window", sa.Text, nullable=False),
        sa.Column("window_start", sa.BigInteger, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Float(53)),
        sa.Column("n", sa.Float(53)),
        sa.Column("event_topic", sa.Text),
        sa.Column("event_partition", sa.Integer),
        sa.Column("event_offset", sa.BigInteger),
        sa.Column("event_id", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("answered_by", sa.Text),
        sa.Column("answered_at", sa.BigInteger),
        sa.Column("answer", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_appeals"),
        sa.CheckConstraint("state IN ('open', 'upheld', 'rejected', 'withdrawn')", name="ck_appeals_state"),
        sa.CheckConstraint("answered_by IS NULL OR answered_by <> employee", name="ck_appeals_own"),
        sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="ck_appeals_answered"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_appeals_employee", "appeals", ["employee"])
    op.create_index("ix_appeals_state_due_at", "appeals", ["state", "due_at"])
