"""A row's fields by themselves: ids and texts as events take them, times from 2000 to 2100, spans that go forward."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from agents.records.rows import Assignment, Charge, Employee, Row, Span, Unit
from agents.records.sayings import Kinds, Said, said
from agents.records.tables import KINDS, NAMES
from schemas.instants import FIRST, LAST

LANGUAGES: Final = ("zh", "en")
_EMPLOYEE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_LONGEST: Final = 128  # as the dims of an event
_NAME: Final = 200


def problems_of(row: Row) -> Iterator[Said]:
    """What is wrong with a row whatever stands in the others."""
    if isinstance(row, Unit):
        yield from _text("unit", row.id, _LONGEST)
        if row.kind not in KINDS:
            yield said("bad-kind", value=row.kind, kinds=Kinds(KINDS))
        if row.names not in (None, *NAMES):
            yield said("bad-shown", value=row.names, names=", ".join(NAMES))
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


def _employee(row: Employee) -> Iterator[Said]:
    if _EMPLOYEE.fullmatch(row.id) is None:
        yield said("bad-id", value=row.id)
    yield from _text("name", row.name, _NAME)
    if row.email is not None and ("@" not in row.email or not _plain(row.email)):
        yield said("bad-email", value=row.email)
    if row.language not in (None, *LANGUAGES):
        yield said("bad-language", value=row.language)


def _assignment(row: Assignment) -> Iterator[Said]:
    yield from _span(row.begins, None)
    if (row.role is None) != (row.unit is None):
        yield said("half", role=row.role or "-", unit=row.unit or "-")
    if row.role is not None:
        yield from _text("role", row.role, _LONGEST)


def _span(begins: int, ends: int | None) -> Iterator[Said]:
    for name, at in (("begins", begins), ("ends", ends)):
        if at is not None and not FIRST <= at <= LAST:
            yield said("too-far", name=name, at=at)
    if ends is not None and ends <= begins:
        yield said("backwards", ends=ends, begins=begins)


def _text(name: str, text: str, longest: int) -> Iterator[Said]:
    if not text.strip() or len(text) > longest or not _plain(text):
        yield said(f"bad-{name}", value=text, longest=str(longest))


def _plain(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
