"""Results of shifts name them, and restated rows say why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"

KEY = ("subject_kind", "subject", "window_end", "window_start", "window_kind", "template", "indicator")


def upgrade() -> None:
    """Adds the columns (agents/records/result_tables.py says what they mean); the view shows them, too."""
    op.execute("DROP VIEW latest_results")
    for name, kind in (
        *(("shift", sa.Text), ("calendar", sa.Text), ("shift_start", sa.BigInteger)),
        *(("shift_end", sa.BigInteger), ("cause", sa.Text)),
    ):
        op.add_column("results", sa.Column(name, kind))
    op.add_column("result_pending", sa.Column("cause", sa.Text, nullable=False, server_default=""))
    same = " AND ".join(f"later.{name} = results.{name}" for name in KEY)
    op.execute(
        "CREATE VIEW latest_results AS SELECT * FROM results WHERE NOT EXISTS "
        f"(SELECT 1 FROM results AS later WHERE {same} AND later.number > results.number)"
    )
