"""An appeal says which score is contested as it was then, by when it is due, and who answered: times are ms (UTC)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Index, Integer, Table, Text

from agents.records.tables import RowNumber, metadata

OPEN: Final = "open"
UPHELD: Final = "upheld"
REJECTED: Final = "rejected"
WITHDRAWN: Final = "withdrawn"
STATES: Final = (OPEN, UPHELD, REJECTED, WITHDRAWN)

appeals: Final = Table(
    "appeals",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("employee", Text, nullable=False, comment="whose score it is; they handed it in"),
    Column("template", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("window", Text, nullable=False, comment="as the template writes it"),
    Column("window_start", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False, comment="the instant whose score this is"),
    Column("value", Float(53), comment="as it was; null: there was none"),
    Column("n", Float(53), comment="as it was; null: no rate"),
    Column("event_topic", Text, comment="null with the next three: it is about the score, not about one event"),
    Column("event_partition", Integer),
    Column("event_offset", BigInteger),
    Column("event_id", Text),
    Column("text", Text, nullable=False, comment="what is wrong, in the person's words"),
    Column("made_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("state", Text, CheckConstraint(f"state IN {STATES!r}", "state"), nullable=False),
    Column("answered_by", Text, comment="a named person, never the one who is scored"),
    Column("answered_at", BigInteger, comment="also when it was withdrawn"),
    Column("answer", Text),
    CheckConstraint("answered_by IS NULL OR answered_by <> employee", "own"),
    CheckConstraint("(state = 'open') = (answered_at IS NULL)", "answered"),
    comment="scores that people contest",
)
Index(None, appeals.c.employee)
Index(None, appeals.c.state, appeals.c.due_at)
