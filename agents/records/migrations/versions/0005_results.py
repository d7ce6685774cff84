"""Final results of closed windows, and what computing them needs to go on where it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WINDOW = ("template", "window_kind", "window_start", "window_end")
KEY = ("subject_kind", "subject", "window_end", "window_start", "window_kind", "template", "indicator", "number")


def upgrade() -> None:
    """Makes the tables (agents/records/result_tables.py says what they mean), the view, and the guard of the rows."""
    _results()
    _internal()
    same = " AND ".join(f"later.{name} = results.{name}" for name in KEY[:-1])
    op.execute(
        "CREATE VIEW latest_results AS SELECT * FROM results WHERE NOT EXISTS "
        f"(SELECT 1 FROM results AS later WHERE {same} AND later.number > results.number)"
    )
    _guard()


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("window_kind", sa.Text, nullable=False),
        sa.Column("window_start", sa.BigInteger, nullable=False),
        sa.Column("window_end", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("value", "points", "n", "good", "low", "high")),
        *(sa.Column(name, sa.Double) for name in ("allowance", "adjusted", "target")),
        sa.Column("sums", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("as_of", "known_at", "computed_at")),
        sa.PrimaryKeyConstraint(*KEY, name="pk_results"),
        sa.CheckConstraint("subject_kind IN ('employee', 'unit')", name="ck_results_subject_kind"),
        sa.CheckConstraint("number >= 0", name="ck_results_number"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_results_window_kind_window_start_subject_kind", "results", ["window_kind", "window_start", "subject_kind"]
    )


def _internal() -> None:
    op.create_table(
        "result_parts",
        *_window(),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("employee", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sums", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(*WINDOW, "unit", "employee", name="pk_result_parts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_result_parts_employee_window_end", "result_parts", ["employee", "window_end"])
    op.create_table("result_pending", *_window(), sa.PrimaryKeyConstraint(*WINDOW, name="pk_result_pending"))
    op.create_table(
        "result_progress",
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("closed_until", sa.BigInteger, nullable=False),
        sa.Column("read", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("partition", name="pk_result_progress"),
    )
    op.create_table(
        "result_run",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("log_id", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_result_run"),
        sa.CheckConstraint("id = 1", name="ck_result_run_one"),
    )


def _window() -> list[sa.Column[object]]:
    return [
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("window_kind", sa.Text, nullable=False),
        sa.Column("window_start", sa.BigInteger, nullable=False),
        sa.Column("window_end", sa.BigInteger, nullable=False),
    ]


def _guard() -> None:
    """The store itself refuses to change or delete a result."""
    told = "results are never changed or deleted: write a row with the next number"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION results_stay() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{told}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER results_stay BEFORE UPDATE OR DELETE ON results "
            "FOR EACH STATEMENT EXECUTE FUNCTION results_stay()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER results_stay_{act.lower()} BEFORE {act} ON results "
            f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )
