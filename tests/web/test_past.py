"""Windows that are over: what holds now, read once, read again when results were written, done without otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.records.database import Records, open_records
from agents.records.result_terms import Key, Progress, Row, Stamp
from agents.records.results import reach, write
from dashboards.web.desk import Desk
from dashboards.web.past import LOOK, NONE, PAUSE, POINTS, Pasts
from schemas.instants import DAY, HOUR
from stream.closed import Closed, Outcome
from tests.web.factories import NOW

TODAY = NOW - NOW % DAY
NAME = ("t", 1, "yield")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """An empty store."""
    made = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    yield made
    made.close()


def _close(records: Records, ago: int, value: float | None, number: int = 0, indicator: str = "yield") -> None:
    closed = Closed("t", "day", TODAY - ago * DAY, TODAY - (ago - 1) * DAY)
    outcome = Outcome(1, "no_data" if value is None else "ok", value, 100.0, 50, 40, 0.7, 0.9, None, None, 0.95, "{}")
    row = Row(Key("E1", closed, indicator), number, outcome, None)
    records.write(lambda connection: write(connection, "employee", [row], Stamp(1, 2)))


def _reached(records: Records, until: int) -> None:
    records.write(lambda connection: reach(connection, 0, Progress(until, {}, [])))


def _pasts(records: Records, clock: Callable[[], float]) -> Pasts:
    return Pasts(Desk(lambda: open_records(records.engine.url.render_as_string())), clock)


async def test_the_last_windows_are_told_oldest_first(records: Records) -> None:
    """What was restated as it holds now; what had no value, totals and other people are left out."""
    for ago in range(1, POINTS + 3):
        _close(records, ago, 0.5 + ago / 100)
    _close(records, 2, 0.99, number=1)
    _close(records, 3, None, number=1)
    _close(records, 1, 80.0, indicator="@total")
    told = await _pasts(records, lambda: 0.0).of("E1", "day", NOW)
    (values,) = [told.windows[NAME]]
    assert [NAME] == list(told.windows)
    assert [TODAY - ago * DAY for ago in (*range(POINTS + 1, 3, -1), 2, 1)] == [each.start for each in values]
    assert (0.99, 0.51, 0.7, 0.9) == (values[-2].value, values[-1].value, values[-1].low, values[-1].high)
    pasts = _pasts(records, lambda: 0.0)
    assert ({}, {}) == ((await pasts.of("E2", "day", NOW)).windows, (await pasts.of("E1", "month", NOW)).windows)
    assert NONE == await pasts.of("E1", "rolling 60m", NOW)


async def test_a_shift_that_was_withdrawn_is_left_out(records: Records) -> None:
    """Not the one that there is instead, though it began at the same instant."""
    for end, number, status, value in ((8, 0, "ok", 0.8), (12, 0, "ok", 0.9), (12, 1, "withdrawn", None)):
        key = Key("E1", Closed("t", "shift", TODAY - DAY, TODAY - DAY + end * HOUR), "yield")
        row = Row(key, number, Outcome(1, status, value), None)
        records.write(lambda connection, row=row: write(connection, "employee", [row], Stamp(1, 2)))  # type: ignore[misc]
    told = await _pasts(records, lambda: 0.0).of("E1", "shift", NOW)
    assert [(TODAY - DAY, 0.8)] == [(each.start, each.value) for each in told.windows[NAME]]


async def test_what_is_kept_is_read_again_when_results_were_written(records: Records) -> None:
    """Within seconds, and it has another name then; nothing is asked of the store until then."""
    now = [0.0]
    _close(records, 1, 0.9)
    pasts = _pasts(records, lambda: now[0])
    first = await pasts.of("E1", "day", NOW)
    _close(records, 1, 0.8, number=1)
    _reached(records, TODAY)
    now[0] += LOOK / 2
    assert first == await pasts.of("E1", "day", NOW)
    now[0] += LOOK
    second = await pasts.of("E1", "day", NOW)
    assert ([0.9], [0.8]) == tuple([each.value for each in told.windows[NAME]] for told in (first, second))
    assert first.name != second.name


async def test_records_that_do_not_answer_are_left_alone_for_a_while(records: Records) -> None:
    """The page does without its trends, and asks again later."""
    now, tries = [0.0], list[int]()
    _close(records, 1, 0.9)

    def opened() -> Records:
        tries.append(1)
        return open_records("mysql://nowhere" if len(tries) == 1 else records.engine.url.render_as_string())

    pasts = Pasts(Desk(opened), lambda: now[0])
    assert [NONE, NONE] == [await pasts.of("E1", "day", NOW) for _ in range(2)]
    assert 1 == len(tries)
    now[0] += PAUSE
    assert NAME in (await pasts.of("E1", "day", NOW)).windows
    assert NONE == await Pasts(None).of("E1", "day", NOW)
