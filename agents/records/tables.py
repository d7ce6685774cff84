"""What people edit and look up, as tables: columns mean what they say here, times are ms since 1970 UTC.

SQLite and PostgreSQL hold the same; agents/records/migrations makes them. Nothing here is a score: scores follow from
the log, and what they need of these tables reaches it through the outbox.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

KINDS: Final = ("company", "branch", "store", "department", "team")  # of units; the smallest are teams (lines, crews)
NAMES: Final = ("shown", "hidden")  # of people on boards
RowNumber: Final = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER counts up by itself there

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

units: Final = Table(
    "units",
    metadata,
    Column("id", Text, primary_key=True, comment="as events name it: 1 to 128 characters"),
    Column("kind", Text, CheckConstraint(f"kind IN {KINDS!r}", "kind"), nullable=False),
    Column(
        "names",
        Text,
        CheckConstraint(f"names IN {NAMES!r}", "names"),
        comment="whether boards show its people by name; null: as the unit above, and hidden at the root",
    ),
    comment="what people belong to; what it is called and where it belongs is in unit_spans",
)

unit_spans: Final = Table(
    "unit_spans",
    metadata,
    Column("unit", Text, ForeignKey("units.id"), nullable=False),
    Column("begins", BigInteger, nullable=False),
    Column("ends", BigInteger, comment="null: still so"),
    Column("parent", Text, ForeignKey("units.id"), comment="null: this is the root"),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    PrimaryKeyConstraint("unit", "begins"),
    CheckConstraint("ends IS NULL OR ends > begins", "span"),
    comment="what a unit is called and where it belongs, and when; outside these spans it does not exist",
)
Index(None, unit_spans.c.parent)

employees: Final = Table(
    "employees",
    metadata,
    Column("id", Text, primary_key=True, comment="as events name them"),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("language", Text, CheckConstraint("language IN ('zh', 'en')", "language")),
    comment="people; what they do and where is in assignments",
)

assignments: Final = Table(
    "assignments",
    metadata,
    Column("employee", Text, ForeignKey("employees.id"), nullable=False),
    Column("begins", BigInteger, nullable=False),
    Column("role", Text, comment="null with unit: they left, or are not there yet"),
    Column("unit", Text, ForeignKey("units.id")),
    PrimaryKeyConstraint("employee", "begins"),
    CheckConstraint("(role IS NULL) = (unit IS NULL)", "both"),
    comment="role and unit from an instant until the next assignment's; each is a people.assignment in the log",
)
Index(None, assignments.c.unit)

managers: Final = Table(
    "managers",
    metadata,
    Column("unit", Text, ForeignKey("units.id"), nullable=False),
    Column("employee", Text, ForeignKey("employees.id"), nullable=False),
    Column("begins", BigInteger, nullable=False),
    Column("ends", BigInteger, comment="null: still so"),
    PrimaryKeyConstraint("unit", "employee", "begins"),
    CheckConstraint("ends IS NULL OR ends > begins", "span"),
    comment="who is in charge of a unit, and when",
)
Index(None, managers.c.employee)

calendars: Final = Table(
    "calendars",
    metadata,
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("effective_from", BigInteger, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("text", Text, nullable=False, comment="YAML as published"),
    PrimaryKeyConstraint("id", "version"),
    comment="shift calendars as they were published",
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False, comment="the record as it will be; an event has its id already"),
    Column("due_at", BigInteger, nullable=False, server_default="0", comment="of an event: when it occurs; 0: at once"),
    Column("made_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger, comment="null: it waits"),
    comment="what has to reach the log: written in the transaction that caused it, sent by agents/records/outbox.py",
)
Index(
    None,
    outbox.c.due_at,
    outbox.c.number,
    sqlite_where=outbox.c.sent_at.is_(None),
    postgresql_where=outbox.c.sent_at.is_(None),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("ends", BigInteger, nullable=False, comment="from then on anybody may take it"),
    comment="what one process at a time does, of all that share this store",
)

changes: Final = Table(
    "changes",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("table", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="the unit, or the employee"),
    Column("was", Text, comment="JSON of the row; null: it was not there"),
    Column("became", Text, comment="JSON of the row; null: it was removed"),
    comment="every row of the organisation that was added, changed or removed: by whom, when, from what to what",
)
Index(None, changes.c.subject)

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("client", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of what was sent"),
    Column("begun_at", BigInteger, nullable=False),
    Column("answer", LargeBinary, comment="null: under way"),
    PrimaryKeyConstraint("client", "key"),
    comment="requests that clients gave a key, for a day: the same again gets the answer of the first",
)
Index(None, idempotency_keys.c.begun_at)
