"""Final results of shifts are what the oracle says as of each shift's last millisecond, whatever comes to be known."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.records.database import Records, open_records
from agents.transport.embedded.log import Outgoing
from schemas.instants import DAY, HOUR
from stream.pipeline import Limits
from stream.topics import ORGANISATION, TEMPLATES
from stream.unit_tree import FOREVER, Place, Unit, write_tree
from tests.agents.finals import Row, run, stored, wrong
from tests.agents.rig import Rig
from tests.agents.test_exactness import PROFILE
from tests.agents.test_shift_window import Act, World
from tests.stream import shift_reference as by_hand

KINDS: Final = {"assignment", "calendar", "correction", "event", "template", "tree"}
FIRST: Final = ("inspect", "inspect", "inspect", "inspect", "inspect", "inspect", "assign", "calendar", "version")
THEN: Final = ("correct", "correct", "import", "import", "inspect", "assign", "assign", "calendar", "tree", "version")


def _acts(kinds: Sequence[str]) -> st.SearchStrategy[Act]:
    return st.builds(
        Act,
        what=st.sampled_from(kinds),
        size=st.integers(1, 12),
        pick=st.integers(0, 4095),
        back=st.sampled_from((0, HOUR, 9 * HOUR, DAY, 3 * DAY)),
    )


ROUND: Final = st.tuples(
    st.sampled_from((HOUR, 9 * HOUR, 20 * HOUR, 3 * DAY)), st.lists(_acts(THEN), min_size=1, max_size=6)
)


class Past(World):
    """Senders who remember what they sent, and speak of it later."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self.sent: list[dict[str, Any]] = []
        self._trees = 0

    def send(self, kind: str, back: int, **fields: Any) -> None:
        super().send(kind, back, **fields)
        if kind == "qc.inspection":
            self.sent.append({"at": self.now - back, "number": self._count, **fields})

    def say(self, act: Act) -> None:
        """Something of the past; what is imported has its own time as log time."""
        now = self.now
        match act.what:
            case "inspect":
                self.inspect(act._replace(back=0))
            case "correct" if self.sent:
                self._correct(self.sent[act.pick % len(self.sent)])
            case "import":
                self.now -= act.back
                self.inspect(act._replace(back=0))
            case "assign":
                self.now -= act.back
                self.assign(act._replace(back=0))
            case "calendar":
                self.publish_calendar(act)
            case "tree":
                self.publish_tree(act)
            case "version":
                self.publish_version()
        self.now = max(now, self.now)

    def _correct(self, event: dict[str, Any]) -> None:
        """Of the same person, who is chosen by a count."""
        who, count = event["number"], self._count
        self._count = who - 1
        about = {"event_id": f"c{count}", "corrects": f"e{who}", "dims": event["dims"], "measures": {"accepted": -1}}
        World.send(self, "qc.inspection", self.now - event["at"], **about)
        self._count = count + 1

    def publish_tree(self, act: Act) -> None:
        """Two lines below a third one, which may belong together differently from a day on."""
        self._trees += 1
        top, edge = [Place(None, 0, FOREVER)], self.now - act.back
        below = [Place("L3", 0, edge), Place(("L1", "L3", None)[act.pick % 3], edge, FOREVER)]
        places = {"L1": [Place("L3", 0, FOREVER)], "L2": below, "L3": top}
        units = {name: Unit("team", {"zh": name, "en": name}, tuple(own)) for name, own in places.items()}
        record = write_tree(units, self._trees)
        self.rig.append([Outgoing(TEMPLATES, 0, self.now, ORGANISATION.encode(), record)])


@pytest.fixture(scope="module")
def empty(logs: Path) -> Path:
    """A store with all tables and nothing in them, to be copied."""
    open_records(f"sqlite:///{logs / 'empty-shifts.sqlite'}").close()
    return logs / "empty-shifts.sqlite"


@pytest.fixture(autouse=True)
def _few_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shifts are worked every other day at least: by hand a few days are enough."""
    monkeypatch.setattr(by_hand, "SPAN", 8)


@settings(PROFILE, max_examples=PROFILE.max_examples // 12, suppress_health_check=list(HealthCheck))
@given(
    script=st.lists(_acts(FIRST), min_size=12, max_size=30),
    late=st.sampled_from((HOUR, HOUR, DAY)),
    partitions=st.sampled_from((1, 2)),
    rounds=st.lists(ROUND, min_size=2, max_size=4),
)
def test_results_of_shifts_are_what_the_oracle_says(
    logs: Path, empty: Path, script: list[Act], late: int, partitions: int, rounds: list[tuple[int, list[Act]]]
) -> None:
    """After each run, for people and units, with their names and causes; a second run adds none."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    shutil.copy(empty, folder / "records.sqlite")
    records = open_records(f"sqlite:///{folder / 'records.sqlite'}")
    world = Past(Rig(folder, partitions, limits=Limits(late=late, tail=3)))
    until = -1
    try:
        pick = script[0].pick // 144
        world.publish_calendar(Act("calendar", pick=pick % 4 * 36, back=3 * DAY))  # for everyone
        world.publish_calendar(Act("calendar", pick=13 + pick // 4 % 4 * 36, back=pick % 2 * 3 * DAY))  # for L1
        for act in [Act("tree", pick=pick), Act("assign", pick=pick), *script]:
            world.say(act)
        for passes, later in rounds:
            world.now = world.rig.wall = max(world.now, world.rig.wall) + passes
            asyncio.run(world.rig.drain())
            asyncio.run(world.rig.drain())
            closing = run(world.rig, records)
            assert closing.until is not None
            assert [] == wrong(world.rig, records, closing.until)
            assert [] == list(_misnamed(world, records))
            assert [] == _without_cause(records, world.rig.wall, until)
            assert 0 == run(world.rig, records).written
            until = closing.until
            for act in later:
                world.say(act)
    finally:
        records.close()
        world.rig.close()
        shutil.rmtree(folder)


def _without_cause(records: Records, now: int, until: int) -> list[Row]:
    """Rows of a run without a cause although what they restate was closed before, or with one although it was not."""
    return [
        row
        for row in stored(records, latest=False)
        if row["computed_at"] == now
        and (
            not (set(row["cause"].split(",")) <= KINDS and (row["number"] or row["window_end"] <= until))
            if row["cause"] is not None
            else row["number"] > 0 or (row["subject_kind"] == "employee" and row["window_end"] <= until)
        )
    ]


def _misnamed(world: Past, records: Records) -> Iterator[tuple[Row, object]]:
    """Rows that call their shift another than it is by hand."""
    oracle = world.rig.recompute()
    for row in stored(records):
        if row["window_kind"] == "shift" and row["status"] in ("ok", "insufficient"):
            at, who = row["as_of"], row["subject"]
            home = oracle._people[who].assignments.unit(at) if row["subject_kind"] == "employee" else who
            name = _name(world.calendars, home, at)
            if name != tuple(row[field] for field in ("calendar", "shift", "shift_start", "shift_end")):
                yield row, name


def _name(calendars: list[by_hand.Text], unit: str, at: int) -> tuple[object, ...]:
    """Calendar, shift, start and end."""
    calendar = by_hand.in_force(calendars, unit, at)
    assert calendar is not None
    zone, works = ZoneInfo(calendar["timezone"]), []
    middle = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date()
    for day in (middle + timedelta(days=n) for n in range(-by_hand.SPAN, by_hand.SPAN + 1)):
        for name in by_hand.lists(calendar, day):
            shift = calendar["shifts"][name]
            ends = day + timedelta(days=shift["end"] <= shift["start"])
            start, end = by_hand.instant(zone, day, shift["start"]), by_hand.instant(zone, ends, shift["end"])
            works += [(start, end, name)] if end > start else []
    begun, ended = None, -1
    for start, end, name in sorted(works):
        if min(start, max(start - calendar["early"], ended)) <= at:
            begun = name, start, end
        ended = max(ended, end)
    assert begun is not None
    return f"{calendar['calendar']}@{calendar['version']}", *begun
