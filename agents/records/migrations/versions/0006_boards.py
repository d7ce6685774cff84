"""Whether boards show people by name; from how far away, and how large, a screen is looked at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COUNT = "UPDATE access_versions SET number = number + 1 WHERE part = 'people'"


def upgrade() -> None:
    """Adds the columns (agents/records/tables.py, access_tables.py say what they mean), and counts who is renamed."""
    op.execute("ALTER TABLE units ADD COLUMN names TEXT CONSTRAINT ck_units_names CHECK (names IN ('shown', 'hidden'))")
    op.add_column("access_tokens", sa.Column("distance", sa.Double))
    op.add_column("access_tokens", sa.Column("diagonal", sa.Double))
    op.execute("INSERT INTO access_versions (part, number) VALUES ('people', 0)")
    verbs = (("insert", "INSERT"), ("delete", "DELETE"), ("update", "UPDATE OF name"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION count_people() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {COUNT}; RETURN NULL; END $$"
        )
        for verb, when in verbs:
            op.execute(
                f"CREATE TRIGGER count_employees_{verb} AFTER {when} ON employees "
                "FOR EACH STATEMENT EXECUTE FUNCTION count_people()"
            )
        return
    for verb, when in verbs:
        op.execute(f"CREATE TRIGGER count_employees_{verb} AFTER {when} ON employees BEGIN {COUNT}; END")
