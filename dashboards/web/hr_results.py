"""Closed results as HR looks at them: in pages, as a file for a spreadsheet, and why one of them was restated.

Who may not read somebody's events is told how many of them were the cause, not which.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, get_args

import msgspec
from sqlalchemy import Connection

from agents.access.viewer import Subject
from agents.records.causes import Edited, edits_between, edits_of, restated_with
from agents.records.organisation import tree_at
from agents.records.result_pages import (
    Asked,
    Kind,
    ResultKey,
    Row,
    Step,
    before,
    history,
    key_of,
    page_of,
    read_key,
)
from agents.records.results import closed_until
from dashboards.web.api_types import CauseKind
from dashboards.web.desk import Desk
from dashboards.web.evidence import Evidence, EvidenceAbsent, EvidenceBusy
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.spreadsheet import further_lines, lines
from dashboards.web.times import instant
from schemas.instants import parse_rfc3339
from stream.window import CALENDAR_KINDS

TOTAL: Final = "@total"
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
WINDOWS: Final = ("shift", *CALENDAR_KINDS)
COLUMNS: Final = (
    *("subject_kind", "subject", "template", "version", "indicator", "window_kind", "window_start", "window_end"),
    *("number", "status", "value", "points", "n", "good", "low", "high", "target", "sums"),
    *("was_value", "was_points", "shift", "calendar", "shift_start", "shift_end", "cause", "known_at", "computed_at"),
)
SLICE: Final = 500  # rows of a file that are read together
MOST_CAUSES: Final = 100
_EVENTS: Final = ("event", "correction", "target")
_TIMES: Final = ("window_start", "window_end", "shift_start", "shift_end", "known_at", "computed_at")


class Found(NamedTuple):
    """A page of results; `was`: what the restated ones replaced; `until`: up to when windows are closed (ms)."""

    rows: list[Row]
    was: Mapping[ResultKey, Row]
    next: ResultKey | None
    until: int | None


def finding(asked: Asked, after: ResultKey | None, limit: int) -> Callable[[Connection], Found]:
    """What a desk is asked for."""

    def work(connection: Connection) -> Found:
        rows = page_of(connection, asked, after, limit + 1)
        page = rows[:limit]
        further = key_of(page[-1]) if len(rows) > limit else None
        return Found(page, before(connection, page), further, closed_until(connection))

    return work


async def as_csv(
    desk: Desk, asked: Asked, first: Found, tell: Callable[[Sequence[Row]], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """All that is asked for, as a file; `first` is its first page. Numbers as they are, times RFC 3339.

    `tell` writes down whose rows go out, before they do.
    """
    found: Found | None = first
    yield lines(COLUMNS, ())
    while found is not None:
        await tell(found.rows)
        yield further_lines(COLUMNS, [_cells(row, found.was.get(key_of(row))) for row in found.rows])
        found = await desk.read(finding(asked, found.next, SLICE)) if found.next is not None else None


async def tell_results(sight: Sight, unit: str, rows: Sequence[Row], action: str = "read") -> None:
    """Writes down, before they are shown, whose results are; `unit` is the one that was asked for, or ""."""
    people = (row["subject"] for row in rows if row["subject_kind"] == "employee")
    await sight.tell("read-scores", Subject("unit", unit) if unit else "-", people, action)


def _cells(row: Row, was: Row | None) -> dict[str, Any]:
    replaced = {} if was is None else {"was_value": was["value"], "was_points": was["points"]}
    return {**row, **replaced, **{name: instant(row[name]) for name in _TIMES if row[name] is not None}}


class Cause(NamedTuple):
    """Why a result was restated: `kind` says what of, the rest what is known of it.

    event, correction, assignment, target: a record of the log about the person; edit: of the organisation; person:
    somebody whose own result was restated with it; version: the template's.
    """

    kind: CauseKind
    at: int | None  # when it was said (ms)
    about: str  # event id, employee, unit, version
    by: str = ""
    since: int | None = None  # from when on it holds (ms)
    text: str = ""
    times: int = 1


def veiled(found: Sequence[Cause]) -> list[Cause]:
    """Causes without single events: how many of each kind."""
    counts = Counter(cause.kind for cause in found if cause.kind in _EVENTS)
    kept = [cause for cause in found if cause.kind not in _EVENTS]
    return kept + [Cause(kind, None, "", times=times) for kind, times in sorted(counts.items())]


class History(NamedTuple):
    """All that one result ever was; `causes`: of each step why it was made, nothing of the first."""

    key: ResultKey
    steps: Sequence[Step]
    causes: Sequence[Sequence[Cause]]


async def history_of(desk: Desk, evidence: Evidence | None, sight: Sight, text: str | None, unit: str) -> History:
    """The history of the result whose key is `text`, for who looks; it is written down that they do.

    `unit` is the one whose results they came from, or "". RequestProblem where there is no such result.
    """
    try:
        key = read_key(text or "")
    except ValueError as error:
        raise RequestProblem(400, str(error), "key", text) from None
    steps = await desk.read(lambda connection: history(connection, key))
    if not steps:
        raise RequestProblem(404, "there is no such result; the list of results has those that there are", "key", text)
    await tell_results(sight, unit, [steps[-1].row])
    why = await causes(desk, evidence, key, steps)
    about = Subject("employee", key.subject)
    if key.subject_kind == "employee" and not sight.decide("read-events", about).allowed:
        why = [veiled(found) for found in why]
    elif any(why):
        await sight.tell("read-events", about, [key.subject])
    return History(key, steps, [[], *why])


async def causes(desk: Desk, evidence: Evidence | None, key: ResultKey, steps: Sequence[Step]) -> list[list[Cause]]:
    """For each step but the first why it was made; an empty list where nobody can say."""
    if len(steps) < 2:
        return []
    if key.subject_kind == "employee":
        records = [] if evidence is None else await _records(evidence, key.subject)
        edits = await desk.read(lambda connection: edits_of(connection, key.subject))
        return [_of_person(key, old, new, records, edits) for old, new in pairwise(steps)]
    return await desk.read(lambda connection: _of_unit(connection, key, steps))


async def _records(evidence: Evidence, employee: str) -> list[dict[str, Any]]:
    try:
        return [msgspec.json.decode(record) async for record in evidence.events(employee)]
    except (EvidenceAbsent, EvidenceBusy):
        return []


def _of_person(
    key: ResultKey, old: Step, new: Step, records: Sequence[Mapping[str, Any]], edits: Sequence[Edited]
) -> list[Cause]:
    found = [*_version(old, new)]
    for record in records:
        said = parse_rfc3339(record["logged_at"]) or 0
        event = record["event"]
        if not old.row["known_at"] < said <= new.row["known_at"] or not isinstance(event, dict):
            continue
        cause = _of_record(key, event, said, edits)
        if cause is not None:
            found.append(cause)
    return found[:MOST_CAUSES]


def _of_record(key: ResultKey, event: Mapping[str, Any], said: int, edits: Sequence[Edited]) -> Cause | None:
    at = _instant(event.get("occurred_at"))
    if at is None or at >= key.window_end:
        return None
    kind = str(event.get("type", ""))
    if kind == "people.assignment":
        dims = event.get("dims") or {}
        by = next((one.made_by for one in reversed(edits) if at in _begins(one) and one.made_at <= said), "")
        return Cause("assignment", said, str(dims.get("unit", "")), by, at, str(dims.get("role", "")))
    if kind == "people.target":
        return Cause("target", said, str(event.get("event_id", "")), str(event.get("source", "")), at)
    if at < key.window_start:
        return None
    corrects = event.get("corrects")
    what: CauseKind = "event" if corrects is None else "correction"
    return Cause(what, said, str(event.get("event_id", "")), str(event.get("source", "")), at, str(corrects or ""))


def _begins(edit: Edited) -> set[int]:
    return {int(row["begins"]) for row in (edit.was, edit.became) if row is not None}


def _instant(value: Any) -> int | None:
    return value if isinstance(value, int) else parse_rfc3339(value) if isinstance(value, str) else None


def _of_unit(connection: Connection, key: ResultKey, steps: Sequence[Step]) -> list[list[Cause]]:
    below = tree_at(connection, key.window_end - 1).subtree(key.subject) or [key.subject]
    found: list[list[Cause]] = []
    for old, new in pairwise(steps):
        since, until = old.row["computed_at"], new.row["computed_at"]
        people = restated_with(connection, key, below, until)
        edits = edits_between(connection, since, until, ("assignments", "unit_spans"))
        own = [one for one in edits if _reaches(one, key, {*below, key.subject})]
        found.append(
            [
                *_version(old, new),
                *(Cause("person", until, who) for who in people),
                *(Cause("edit", one.made_at, one.subject, one.made_by, min(_begins(one)), _place(one)) for one in own),
            ][:MOST_CAUSES]
        )
    return found


def _reaches(edit: Edited, key: ResultKey, units: set[str]) -> bool:
    """Whether it speaks of these units, or of who worked there before, and of a time before the window's end."""
    return min(_begins(edit)) < key.window_end and (edit.table == "assignments" or bool(edit.units & units))


def _place(edit: Edited) -> str:
    row = edit.became or {}
    return str(row.get("unit" if edit.table == "assignments" else "parent") or "")


def _version(old: Step, new: Step) -> list[Cause]:
    if old.row["version"] == new.row["version"]:
        return []
    return [Cause("version", None, str(new.row["version"]))]


def sums_of(row: Row) -> dict[str, Any]:
    """The exact sums of a row, by measure."""
    found: dict[str, Any] = json.loads(row["sums"])
    return found


def kinds_of(row: Row) -> list[str]:
    """What the row says was its cause, kind by kind; nothing where it was written as its window closed."""
    return row["cause"].split(",") if row["cause"] else []
