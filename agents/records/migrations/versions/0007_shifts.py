"""Shifts close as results, which name them; a row that was restated says why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = ("subject_kind", "subject", "window_end", "window_start", "window_kind", "template", "indicator")
WINDOW = ("template", "window_kind", "window_start", "window_end")
PART = (*WINDOW, "unit", "employee", "version")


def upgrade() -> None:
    """Adds the columns (agents/records/result_tables.py says what they mean); the view shows them, too.

    Shifts that ended before this are looked at by the next run: where a calendar is known it begins from the start,
    and writes what is not there.
    """
    op.execute("DROP VIEW latest_results")
    for name, kind in (
        *(("shift", sa.Text), ("calendar", sa.Text), ("shift_start", sa.BigInteger)),
        *(("shift_end", sa.BigInteger), ("cause", sa.Text)),
    ):
        op.add_column("results", sa.Column(name, kind))
    same = " AND ".join(f"later.{name} = results.{name}" for name in KEY)
    op.execute(
        "CREATE VIEW latest_results AS SELECT * FROM results WHERE NOT EXISTS "
        f"(SELECT 1 FROM results AS later WHERE {same} AND later.number > results.number)"
    )
    op.add_column("result_pending", sa.Column("cause", sa.Text, nullable=False, server_default=""))
    _parts()
    op.execute("DELETE FROM result_progress WHERE rules LIKE '%\"calendar:%'")


def _parts() -> None:
    """A shift may hold events of two versions, and a unit above may need either: they are parts of their own."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE result_parts DROP CONSTRAINT pk_result_parts")
        op.create_primary_key("pk_result_parts", "result_parts", list(PART))
        return
    op.create_table(
        "result_parts_new",
        *(sa.Column(name, sa.Text, nullable=False) for name in WINDOW[:2]),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in WINDOW[2:]),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("unit", "employee")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sums", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(*PART, name="pk_result_parts"),
        sqlite_with_rowid=False,
    )
    names = ", ".join((*PART, "sums"))
    op.execute(f"INSERT INTO result_parts_new ({names}) SELECT {names} FROM result_parts")
    op.drop_table("result_parts")
    op.rename_table("result_parts_new", "result_parts")
    op.create_index("ix_result_parts_employee_window_end", "result_parts", ["employee", "window_end"])
