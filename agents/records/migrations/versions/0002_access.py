"""Accounts, roles, tokens, sessions, and the audit log; triggers that count changes and keep the log append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COUNTED = {
    "organisation": ("units", "unit_spans", "assignments", "managers"),
    "identity": ("accounts", "account_roles", "access_tokens", "access_sessions", "access_policies", "access_keys"),
}
# Seeing a session and using a token changes nothing about what they may do.
COLUMNS = {
    "access_tokens": ("revoked_at", "expires_at", "scopes", "unit", "hash", "kind"),
    "access_sessions": ("revoked_at", "ends_at"),
}


def upgrade() -> None:
    """Makes the tables (agents/records/access_tables.py says what they mean)."""
    _accounts()
    _tokens()
    _rest()
    for part in COUNTED:
        op.execute(sa.text("INSERT INTO access_versions (part, number) VALUES (:part, 0)").bindparams(part=part))
    postgresql = op.get_bind().dialect.name == "postgresql"
    for part, tables in COUNTED.items():
        (_count_on_postgresql if postgresql else _count_on_sqlite)(part, tables)
    (_append_only_on_postgresql if postgresql else _append_only_on_sqlite)()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("employee", sa.Text),
        sa.Column("issuer", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_accounts"),
        sa.UniqueConstraint("issuer", "subject", name="uq_accounts_issuer_subject"),
    )
    op.create_table(
        "account_roles",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger),
        sa.PrimaryKeyConstraint("account", "role", "begins", name="pk_account_roles"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_account_roles_account"),
        sa.CheckConstraint("ends IS NULL OR ends >= begins", name="ck_account_roles_span"),
    )


def _tokens() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("used_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("hash", name="uq_access_tokens_hash"),
        sa.CheckConstraint("kind IN ('screen', 'service')", name="ck_access_tokens_kind"),
    )
    op.create_table(
        "access_sessions",
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("token", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("id_token", sa.Text),
        sa.PrimaryKeyConstraint("hash", name="pk_access_sessions"),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name="fk_access_sessions_account"),
        sa.ForeignKeyConstraint(["token"], ["access_tokens.id"], name="fk_access_sessions_token"),
        sa.CheckConstraint("(account IS NULL) <> (token IS NULL)", name="ck_access_sessions_whose"),
    )


def _rest() -> None:
    op.create_table(
        "access_policies",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_access_policies"),
    )
    op.create_table(
        "access_keys",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_access_keys"),
    )
    op.create_table(
        "access_versions",
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("part", name="pk_access_versions"),
    )
    texts = ("actor", "action", "subject", "right", "relation", "outcome", "detail")
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    op.create_index("ix_audit_actor", "audit", ["actor"])
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _count_on_sqlite(part: str, tables: tuple[str, ...]) -> None:
    count = f"UPDATE access_versions SET number = number + 1 WHERE part = '{part}'"
    for table in tables:
        for verb, when in (("insert", "INSERT"), ("delete", "DELETE"), ("update", _update_of(table))):
            op.execute(f"CREATE TRIGGER count_{table}_{verb} AFTER {when} ON {table} BEGIN {count}; END")


def _count_on_postgresql(part: str, tables: tuple[str, ...]) -> None:
    op.execute(
        f"CREATE FUNCTION count_{part}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"UPDATE access_versions SET number = number + 1 WHERE part = '{part}'; RETURN NULL; END $$"
    )
    for table in tables:
        for verb, when in (("insert", "INSERT"), ("delete", "DELETE"), ("update", _update_of(table))):
            op.execute(
                f"CREATE TRIGGER count_{table}_{verb} AFTER {when} ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION count_{part}()"
            )


def _update_of(table: str) -> str:
    columns = COLUMNS.get(table)
    return f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"


def _append_only_on_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
        )


def _append_only_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
