"""Silence is what the oracle says, whatever comes late: records, assignments, calendars, versions; and restarts."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.told import latest_alerts
from agents.transport.embedded.log import Outgoing
from agents.transport.murmur2 import partition_for
from schemas.alerts import AlertCommand
from schemas.event import INPUT_TOPICS
from schemas.instants import DAY, HOUR, MINUTE, format_rfc3339
from stream.topics import COMMANDS, TEMPLATES, TICKS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.agents.test_exactness import PROFILE
from tests.oracle.logs import MIDNIGHT, YIELD, template
from tests.stream.test_calendars import WEEK, text

RULES: Final = "alerts: [{id: silent, stale: 15m}, {id: long, stale: 40m, for: 10m}]"
RATE: Final = f"{YIELD.rstrip('}')}, {RULES}}}"
EMPLOYEES: Final = ("E1", "E2", "E5")  # in both of two partitions
ROLES: Final = ("operator", "operator", "operator", "guest")
START: Final = MIDNIGHT + 7 * HOUR


class Act(NamedTuple):
    """What happens next; `pick` and `back` (ms) say more of it."""

    what: str
    pause: int = 0
    pick: int = 0
    back: int = 0


ACTS: Final = (
    *["work"] * 12, *["tick"] * 6, "assign", "assign", "calendar", "version", "feed", "clear", "commit", "hasty",
    "restart", "evict",
)  # fmt: skip
ACT: Final = st.builds(
    Act,
    what=st.sampled_from(ACTS),
    pause=st.sampled_from((0, 0, MINUTE, 5 * MINUTE, 9 * MINUTE, 16 * MINUTE, 31 * MINUTE, 2 * HOUR, 9 * HOUR)),
    pick=st.integers(0, 4095),
    back=st.sampled_from((*[0] * 8, 1, 3 * MINUTE, 20 * MINUTE, 2 * HOUR, 26 * HOUR)),
)


class Floor:
    """Senders and publishers of a log."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.now = rig.wall = START
        self._count = 0
        self._calendars = {"plant": 0, "line": 0}
        self._versions = {"op": 0, "all": 0}

    def _append(self, topic: str, key: bytes, value: bytes) -> None:
        number = partition_for(key, len(self.rig.numbers))
        self.rig.append([Outgoing(topic, number, self.now, key, value)])

    def send(self, kind: str, act: Act, **fields: Any) -> None:
        """A record of somebody, of now or a while ago."""
        self._count += 1
        who = EMPLOYEES[act.pick % 3]
        said = {
            "event_id": f"e{self._count}", "type": kind, "employee_id": who, "occurred_at": self.now - act.back,
            "source": "aoi", "measures": {}, **fields,
        }  # fmt: skip
        self._append(INPUT_TOPICS[2 if kind.startswith("people") else 1], who.encode(), json.dumps(said).encode())

    def work(self, act: Act) -> None:
        """A unit, on a line or on none."""
        dims = {} if act.pick // 3 % 3 else {"line": f"L{1 + act.pick // 9 % 2}"}
        self.send("qc.inspection", act, dims=dims, measures={"inspected": 1, "accepted": 1})

    def assign(self, act: Act) -> None:
        """To a unit or to none, in a role."""
        unit = ({"unit": "L1"}, {"unit": "L2"}, {})[act.pick // 3 % 3]
        ahead = 10 * MINUTE if act.pick // 36 % 4 == 0 else 0  # a clock that is fast
        self.send(
            "people.assignment",
            act._replace(back=act.back * 3 - ahead),
            dims={**unit, "role": ROLES[act.pick // 9 % 4]},
        )

    def calendar(self, act: Act) -> None:
        """A first version may begin in the past, a later one only after now."""
        name = ("plant", "line")[act.pick % 2]
        self._calendars[name] = number = self._calendars[name] + 1
        pauses = [{"start": "10:00", "end": "10:30"}] if act.pick // 2 % 2 else []
        early, late = {"start": "06:00", "end": "14:00", "breaks": pauses}, {"start": "14:00", "end": "22:00"}
        night = {"start": "21:30", "end": "05:00"}
        said = {
            "calendar": name, "version": number, "timezone": ("UTC", "America/New_York")[act.pick // 4 % 2],
            "effective_from": self.now - act.back * 3 if number == 1 else self.now + 1 + act.back,
            "units": "everyone" if name == "plant" else ["L1"], "early": 0,
            "shifts": {"a": early, "b": late, "c": night},
            "week": {day: (["a", "b"], ["a"], ["c"], ["a", "b"])[act.pick // 8 % 4] for day in WEEK},
        }  # fmt: skip
        self._append(TEMPLATES, f"calendar:{name}@{number}".encode(), text(said).encode())

    def version(self, act: Act) -> None:
        """Of a template for operators, or of one for everyone."""
        name = ("op", "all")[act.pick % 2]
        self._versions[name] = number = self._versions[name] + 1
        since = self.now - act.back * 4 if number == 1 else self.now + 1 + act.back
        whom = "{roles: [operator]}" if name == "op" else "everyone"
        said = template(RATE, name=name, version=number, effective_from=format_rfc3339(since), applies_to=whom)
        self._append(TEMPLATES, f"{name}@{number}".encode(), said.encode())

    def clear(self, act: Act) -> None:
        """Somebody clears an alert by hand, if one is open."""
        found = sorted((row for row in latest_alerts(self.rig.log).values() if row.cleared_at is None), key=str)
        for row in found[act.pick % 3 : act.pick % 3 + 1]:
            command = AlertCommand(row.alert_id, "clear", "lee", "on a course")
            self._append(COMMANDS, str(row.employee_id).encode(), msgspec.json.encode(command))


async def drive(floor: Floor, script: list[Act]) -> None:
    """As the script says; then everything is read, and the day goes on for a while."""
    rig = floor.rig
    floor.calendar(script[0])
    floor.version(script[1])
    for act in script:
        floor.now += act.pause
        rig.wall = floor.now
        match act.what:
            case "work" | "assign" | "calendar" | "version" | "clear":
                getattr(floor, act.what)(act)
            case "feed":
                rig.refresh()
                rig.feed(INPUT_TOPICS[act.pick % 3], 1 + act.pick // 3 % 4)
            case "tick":
                for topic in INPUT_TOPICS:
                    rig.feed(topic)
                rig.refresh()
                rig.tick()
                if act.pick % 3:
                    rig.feed(TICKS)
            case "commit":
                await rig.commit()
            case "hasty":
                await rig.commit(updates=False)
            case "restart":
                await rig.crash(unwritten_store=act.pick % 5 == 0)
                rig.restart(("same", "deleted", "copied", "older")[act.pick % 4])
            case "evict":
                rig.evict()
    for pause in (0, 10 * MINUTE, 20 * MINUTE, HOUR, 9 * HOUR, DAY):
        rig.wall += pause
        await rig.drain()


@settings(PROFILE, max_examples=PROFILE.max_examples // 3, suppress_health_check=list(HealthCheck))
@given(script=st.lists(ACT, min_size=30, max_size=70), partitions=st.sampled_from((1, 2)))
def test_silence_is_that_of_the_oracle(logs: Path, script: list[Act], partitions: int) -> None:
    """Which, raised and over at which tick, and why; scores, as everywhere, too."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    floor = Floor(Rig(folder, partitions))
    try:
        asyncio.run(drive(floor, script))
        assert [] == disagreements(floor.rig)
    finally:
        floor.rig.close()
        shutil.rmtree(folder)
