"""Units and where they belong, employees and their assignments, managers, calendars, the outbox, who changed what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables (agents/records/tables.py says what they mean)."""
    op.create_table(
        "units",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_units"),
        sa.CheckConstraint("kind IN ('company', 'branch', 'store', 'department', 'team')", name="ck_units_kind"),
    )
    op.create_table(
        "unit_spans",
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger),
        sa.Column("parent", sa.Text),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("unit", "begins", name="pk_unit_spans"),
        sa.ForeignKeyConstraint(["unit"], ["units.id"], name="fk_unit_spans_unit"),
        sa.ForeignKeyConstraint(["parent"], ["units.id"], name="fk_unit_spans_parent"),
        sa.CheckConstraint("ends IS NULL OR ends > begins", name="ck_unit_spans_span"),
    )
    op.create_index("ix_unit_spans_parent", "unit_spans", ["parent"])
    op.create_table(
        "employees",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("language", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_employees"),
        sa.CheckConstraint("language IN ('zh', 'en')", name="ck_employees_language"),
    )
    op.create_table(
        "assignments",
        sa.Column("employee", sa.Text, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("unit", sa.Text),
        sa.PrimaryKeyConstraint("employee", "begins", name="pk_assignments"),
        sa.ForeignKeyConstraint(["employee"], ["employees.id"], name="fk_assignments_employee"),
        sa.ForeignKeyConstraint(["unit"], ["units.id"], name="fk_assignments_unit"),
        sa.CheckConstraint("(role IS NULL) = (unit IS NULL)", name="ck_assignments_both"),
    )
    op.create_index("ix_assignments_unit", "assignments", ["unit"])
    op.create_table(
        "managers",
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("employee", sa.Text, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger),
        sa.PrimaryKeyConstraint("unit", "employee", "begins", name="pk_managers"),
        sa.ForeignKeyConstraint(["unit"], ["units.id"], name="fk_managers_unit"),
        sa.ForeignKeyConstraint(["employee"], ["employees.id"], name="fk_managers_employee"),
        sa.CheckConstraint("ends IS NULL OR ends > begins", name="ck_managers_span"),
    )
    op.create_index("ix_managers_employee", "managers", ["employee"])
    op.create_table(
        "calendars",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("effective_from", sa.BigInteger, nullable=False),
        sa.Column("published_at", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_calendars"),
    )
    op.create_table(
        "outbox",
        sa.Column("number", NUMBER, nullable=False, autoincrement=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    unsent = sa.text("sent_at IS NULL")
    op.create_index(
        "ix_outbox_due_at_number", "outbox", ["due_at", "number"], sqlite_where=unsent, postgresql_where=unsent
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "changes",
        sa.Column("number", NUMBER, nullable=False, autoincrement=True),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("table", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("was", sa.Text),
        sa.Column("became", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_subject", "changes", ["subject"])
