"""A row's fields by themselves: ids and texts as events take them, times from 2000 to 2100, spans that go forward."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from agents.records.rows import Assignment, Charge, Employee, Row, Span, Unit, when
from agents.records.tables import KINDS
from schemas.instants import FIRST, LAST

LANGUAGES: Final = ("zh", "en")
_EMPLOYEE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_LONGEST: Final = 128  # as the dims of an event
_NAME: Final = 200

Problem = tuple[str, str]  # what, remedy


def problems_of(row: Row) -> Iterator[Problem]:
    """What is wrong with a row whatever stands in the others."""
    if isinstance(row, Unit):
        yield from _text("unit", row.id, _LONGEST)
        if row.kind not in KINDS:
            yield f"kind {row.kind!r} is none", f"write one of {', '.join(KINDS)}"
    elif isinstance(row, Span):
        yield from _span(row.begins, row.ends)
        yield from _text("name_zh", row.name_zh, _NAME)
        yield from _text("name_en", row.name_en, _NAME)
    elif isinstance(row, Employee):
        yield from _employee(row)
    elif isinstance(row, Assignment):
        yield from _assignment(row)
    elif isinstance(row, Charge):
        yield from _span(row.begins, row.ends)


def _employee(row: Employee) -> Iterator[Problem]:
    if _EMPLOYEE.fullmatch(row.id) is None:
        yield f"employee {row.id!r} is no id", "write 1 to 64 of A-Z a-z 0-9 _ . : -"
    yield from _text("name", row.name, _NAME)
    if row.email is not None and ("@" not in row.email or not _plain(row.email)):
        yield f"email {row.email!r} is none", "write name@host, or leave it out"
    if row.language not in (None, *LANGUAGES):
        yield f"language {row.language!r} is none", "write zh or en, or leave it out"


def _assignment(row: Assignment) -> Iterator[Problem]:
    yield from _span(row.begins, None)
    if (row.role is None) != (row.unit is None):
        yield f"role {row.role!r} with unit {row.unit!r}", "give both; neither means that they are not here"
    if row.role is not None:
        yield from _text("role", row.role, _LONGEST)


def _span(begins: int, ends: int | None) -> Iterator[Problem]:
    for name, at in (("begins", begins), ("ends", ends)):
        if at is not None and not FIRST <= at <= LAST:
            yield f"{name} {when(at)} is too far away", "instants lie between 2000 and 2100"
    if ends is not None and ends <= begins:
        yield f"it ends at {when(ends)}, not after it begins at {when(begins)}", "let it end later, or leave it out"


def _text(name: str, text: str, longest: int) -> Iterator[Problem]:
    if not text.strip() or len(text) > longest or not _plain(text):
        yield f"{name} {text!r} cannot be used", f"write 1 to {longest} characters, no control characters"


def _plain(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
