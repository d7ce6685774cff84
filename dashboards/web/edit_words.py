"""What an edit does, row by row, and whom it reaches, as people read it: before it is made, and in what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.access.relations import SHOWN
from agents.records.causes import Edited
from agents.records.restated import Reached
from agents.records.rows import Change
from dashboards.web.figures import Figures
from dashboards.web.hr_frame import HrFrame


class Told(NamedTuple):
    """A row before and after; either is empty where it is not there."""

    about: str
    was: str
    became: str
    made_at: str = ""
    made_by: str = ""


class Period(NamedTuple):
    """Closed results of a period that an edit reaches: of whom, and how often they were restated so far."""

    kind: str
    subject: str
    period: str
    number: int | None


def told(frame: HrFrame, changes: Sequence[Change]) -> list[Told]:
    """What would be done."""
    return [_told(frame, one.table, one.key[0], _fields(one.was), _fields(one.became)) for one in changes]


def edited(frame: HrFrame, edits: Sequence[Edited]) -> list[Told]:
    """What was done, when and by whom."""
    return [
        _told(frame, one.table, one.subject, one.was, one.became)._replace(
            made_at=frame.figures.moment(one.made_at), made_by=one.made_by
        )
        for one in edits
    ]


def periods(frame: HrFrame, reached: Sequence[Reached]) -> list[Period]:
    """Each subject and period once, in the order given: whatever templates there are."""
    found: dict[tuple[str, str, str], Period] = {}
    for one in reached:
        period = Figures(frame.words, frame.zone).period(one.closed.window, one.closed.start, one.closed.end)
        found.setdefault((one.kind, one.subject, period), Period(one.kind, one.subject, period, one.number))
    return list(found.values())


def _fields(row: Any) -> dict[str, Any] | None:
    return None if row is None else row._asdict()


def _told(
    frame: HrFrame, table: str, subject: str, was: Mapping[str, Any] | None, became: Mapping[str, Any] | None
) -> Told:
    about = frame.words(f"organisation.row.{table}", subject=subject)
    return Told(about, _row(frame, table, was), _row(frame, table, became))


def _unit(frame: HrFrame, row: Mapping[str, Any]) -> str:
    words, names = frame.words, row.get("names")  # older edits do not say it
    kind = words(f"organisation.kind.{row['kind']}")
    if names is None:
        return kind
    return (
        words("organisation.names.shown", kind=kind)
        if names == SHOWN
        else words("organisation.names.hidden", kind=kind)
    )


def _row(frame: HrFrame, table: str, row: Mapping[str, Any] | None) -> str:
    """A row in words; "" for none."""
    if row is None:
        return ""
    words, moment = frame.words, frame.figures.moment
    if table == "units":
        return _unit(frame, row)
    if table == "employees":
        return " · ".join(str(row[name]) for name in ("name", "email", "language") if row[name])
    since = moment(row["begins"])
    if table == "assignments":
        if row["unit"] is None:
            return words("organisation.gone", since=since)
        return words("organisation.works", role=words.role(row["role"]), unit=row["unit"], since=since)
    until = "" if row["ends"] is None else words("organisation.until", until=moment(row["ends"]))
    if table == "managers":
        return words("organisation.leads", employee=row["employee"], since=since) + until
    name = row["name_zh"] if words.language == "zh" else row["name_en"]
    parent = row["parent"] or words("organisation.root")
    return words("organisation.span", name=name, parent=parent, since=since) + until
