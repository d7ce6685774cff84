"""Alerts of units follow from the log: whatever dies when, however few updates are made, wherever people lie."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents import flush
from agents.alert_commands import send_command
from agents.dead_letters import dead_letter
from agents.told import alert_of
from agents.transport.embedded.log import Outgoing
from agents.transport.log import Log, partition_for, records
from agents.unit_pool import UNITS_HOME, UnitPool
from schemas.alerts import AlertCommand, AlertRow
from schemas.event import INPUT_TOPICS
from schemas.instants import HOUR, MINUTE, format_rfc3339
from stream.keys import TOLD
from stream.meta import decode_meta, encode_meta
from stream.topics import ALERTS, COMMANDS, DEAD_LETTERS, SCORE_UPDATES, TEMPLATES, TICKS, UNIT_SHARES
from tests.agents.rig import Rig
from tests.agents.test_exactness import PROFILE
from tests.agents.test_unit_alerts import Plant
from tests.oracle.logs import NOON, YIELD, template

ALERTED: Final = (
    "alerts: [{id: drop, drift: {good: 0.95, bad: 0.85, h: 2.5}}, {id: behind, window: day, below_unit: 0.05}, "
    "{id: lately, window: rolling 5m, below_unit: 0.1, for: 2m}]"
)
RATE: Final = f"{YIELD.replace('[day]', '[rolling 5m, day]').rstrip('}')}, {ALERTED}}}"
PEOPLE: Final = tuple(f"E{number}" for number in range(1, 9))
ACTIONS: Final = ("ack", "shelve", "unshelve", "clear")
FAULTS: Final = (
    *["none"] * 6, "lag", "lag", "zombie", "crash", "crash after the tick", "crash after deciding", "lost", "deleted",
    "copied", "older", "no room", "evict",
)  # fmt: skip


class Step(NamedTuple):
    """A minute: whose work is how good, who goes to which line in which role, what is done to a unit's alert."""

    good: tuple[int, ...]
    moved: int
    action: str
    version: bool
    pause: int


class Fault(NamedTuple):
    """What goes wrong in a minute, and how much time a commit has for updates (s)."""

    what: str
    budget: float


STEP: Final = st.builds(
    Step,
    good=st.tuples(*[st.sampled_from((-1, -1, 2, 9, 10, 10))] * len(PEOPLE)),
    moved=st.sampled_from((*[-1] * 5, *range(4 * len(PEOPLE)))),
    action=st.sampled_from(("", "", *ACTIONS)),
    version=st.sampled_from((*[False] * 8, True)),
    pause=st.sampled_from((*[MINUTE] * 8, 7 * MINUTE, HOUR)),
)
FAULT: Final = st.builds(Fault, what=st.sampled_from(FAULTS), budget=st.sampled_from((0.0, 0.0, flush.UPDATE_BUDGET)))
FLAWLESS: Final = Fault("none", flush.UPDATE_BUDGET)


class Said(NamedTuple):
    """All that units have said."""

    lines: dict[str, list[AlertRow]]  # by alert, one after the other
    commands: dict[str, list[tuple[int, bytes]]]  # by member: when, and what
    behind: dict[str, list[AlertRow]]  # the same of alerts of members
    refused: list[str]


class World:
    """A log that a script is played into. `done`: commands that people have sent, by step; played again if given."""

    def __init__(self, folder: Path, partitions: int, done: dict[int, tuple[bytes, bytes]] | None = None) -> None:
        self.plant = Plant(Rig(folder, partitions, NOON + 1_000))
        self.rig = self.plant.rig
        self._version = 1
        self._played, self.done = done, dict[int, tuple[bytes, bytes]]()

    def _append(self, topic: str, key: bytes, value: bytes) -> None:
        number = partition_for(key, len(self.rig.numbers))
        self.rig.append([Outgoing(topic, number, self.rig.wall, key, value)])

    def _send(self, topic: int, who: str, kind: str, **fields: Any) -> None:
        at = self.rig.wall - 1_000
        said = {"event_id": f"{kind}-{at}", "type": kind, "employee_id": who, "occurred_at": at, "source": "aoi"}
        self._append(INPUT_TOPICS[topic], who.encode(), json.dumps(said | {"measures": {}} | fields).encode())

    def _assign(self, moved: int) -> None:
        for number, who in enumerate(PEOPLE):
            if moved < 0 or moved % len(PEOPLE) == number:
                line = number // 6 if moved < 0 else moved // len(PEOPLE) % 2
                self._send(2, who, "people.assignment", dims={"unit": f"L{line}", "role": "operator"})

    def happen(self, number: int, step: Step) -> None:
        """What people do in a minute."""
        for who, good in zip(PEOPLE, step.good, strict=True):
            if good >= 0:
                self._send(1, who, "qc.inspection", measures={"inspected": 10, "accepted": good})
        if step.moved >= 0:
            self._assign(step.moved)
        if step.version:
            self._version += 1
            begins = format_rfc3339(self.rig.wall + 90_000)
            said = template(RATE, version=self._version, effective_from=begins)
            self._append(TEMPLATES, f"op@{self._version}".encode(), said.encode())
        if self._played is not None and number in self._played:
            self._append(COMMANDS, *self._played[number])
        elif self._played is None and step.action and (row := _open(self.rig.log)):
            until = self.rig.wall + 5 * MINUTE if step.action == "shelve" else None
            command = AlertCommand(row.alert_id, step.action, "lee", "looked at", until)
            sent = send_command(self.rig.log, row, command, self.rig.wall)
            ((_, _, key, value, _),) = self.rig.log.read(COMMANDS, sent.partition, sent.offset, 1)
            self.done[number] = (key or b"", value or b"")

    async def restart(self, kind: str = "same", *, unwritten_store: bool = False) -> None:
        """The worker dies, and the next one goes on."""
        await self.rig.crash(unwritten_store=unwritten_store)
        self.rig.restart(kind)
        self.plant.begin()

    async def minute(self, what: str) -> None:
        """The minute closes, and units decide about it; then what they say is heard."""
        rig, plant = self.rig, self.plant
        if what in ("crash", "deleted", "copied", "older", "lost"):
            rig.feed(INPUT_TOPICS[1], 2)
            await self.restart(
                what if what in ("deleted", "copied", "older") else "same", unwritten_store=what == "lost"
            )
        for topic in (*INPUT_TOPICS, TICKS):
            rig.feed(topic)
        rig.refresh()
        rig.tick()
        if what == "crash after the tick":
            await self.restart()
        if what == "no room":
            await rig.fail_commit()
        await rig.drain()
        if what == "zombie":
            await self.double()
        if what != "lag":
            await plant.decide()
        if what == "crash after deciding":
            await self.restart()
            await plant.decide()
        if what == "no room":
            await rig.fail_commit()
        if what == "evict":
            rig.evict()
        await rig.commit()
        rig.wall += 1_000
        await rig.drain()

    async def double(self) -> None:
        """Somebody who does not know that the units' home is another one's decides as well, and cannot commit."""
        home, log = self.rig.partitions[UNITS_HOME], self.rig.log
        handled = decode_meta(encode_meta(home.meta)).handled
        pool = UnitPool(log, handled, home.store.items(TOLD))
        await pool.read_on(log.ends([(t, n) for t in (SCORE_UPDATES, UNIT_SHARES) for n in self.rig.numbers]))
        pool.decide(self.rig.rules, _Nowhere())

    async def play(self, script: list[Step], faults: list[Fault], patch: pytest.MonkeyPatch) -> Said:
        """As the script says, and what goes wrong; what was said in the end."""
        self._append(TEMPLATES, b"op@1", template(RATE).encode())
        self._assign(-1)
        for number, step in enumerate(script):
            fault = faults[number] if number < len(faults) else FLAWLESS
            patch.setattr(flush, "UPDATE_BUDGET", fault.budget)
            self.rig.wall += step.pause - 1_000
            self.happen(number, step)
            await self.minute(fault.what)
        for _ in range(3):
            self.rig.wall += MINUTE - 1_000
            await self.minute("none")
        return said(self.rig.log)

    async def read_again(self, log: Log) -> Said:
        """What a worker says that has nothing but the inputs, templates, ticks and commands of a log."""
        for topic in (*INPUT_TOPICS, TEMPLATES, TICKS, COMMANDS):
            for number in self.rig.numbers:
                self.rig.append([Outgoing(topic, number, *record[1:4]) for record in records(log, topic, number)])
        await self.restart()
        await self.rig.commit()
        await self.plant.decide()
        await self.rig.commit()
        return said(self.rig.log)


class _Nowhere:
    """What is said by somebody who cannot commit."""

    def __init__(self) -> None:
        self.outputs: list[Outgoing] = []
        self.changes: list[tuple[bytes, bytes | None]] = []


def _rows(log: Log) -> Iterator[AlertRow]:
    for number in range(log.topics()[ALERTS].partitions):
        yield from (row for record in records(log, ALERTS, number) if (row := alert_of(record.value)) is not None)


def _open(log: Log) -> AlertRow | None:
    last = {row.alert_id: row for row in _rows(log) if row.rule == "common_cause"}
    return next((row for _, row in sorted(last.items()) if row.cleared_at is None), None)


def said(log: Log) -> Said:
    """All that units have said, in one order."""
    found = Said({}, {}, {}, [])
    for row in _rows(log):
        if row.rule == "common_cause":
            found.lines.setdefault(row.alert_id, []).append(row)
        elif row.rule in ("behind", "lately"):
            found.behind.setdefault(row.alert_id, []).append(row)
    for number in range(log.topics()[COMMANDS].partitions):
        for record in records(log, COMMANDS, number):
            heard = record.timestamp, record.value or b""
            if b"unit-verdict" in heard[1] or b'"@unit"' in heard[1]:
                own = found.commands.setdefault((record.key or b"").decode(), [])
                if heard not in own:  # who died before the commit says it again
                    own.append(heard)
        letters = (dead_letter(record) for record in records(log, DEAD_LETTERS, number))
        found.refused.extend(letter.detail for letter in letters)
    found.refused.sort()
    return found


def _untold(found: Said) -> Said:
    """Alerts of members as they were raised and as they ended; not whether and when somebody was told of them."""
    ends = {
        name: [rows[0], replace(rows[-1], notify=None, escalated_at=None, changed_at=rows[-1].cleared_at or "")]
        for name, rows in found.behind.items()
    }
    return found._replace(behind=ends)


def _world(logs: Path, partitions: int, done: dict[int, tuple[bytes, bytes]] | None = None) -> World:
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    return World(folder, partitions, done)


def _end(world: World) -> None:
    world.rig.close()
    shutil.rmtree(world.rig.folder)


@settings(PROFILE, max_examples=max(3, PROFILE.max_examples // 25), suppress_health_check=list(HealthCheck))
@given(
    script=st.lists(STEP, min_size=5, max_size=12),
    faults=st.lists(FAULT, min_size=5, max_size=12),
    partitions=st.sampled_from((1, 2)),
)
def test_units_say_the_same_whatever_happens(
    logs: Path, script: list[Step], faults: list[Fault], partitions: int
) -> None:
    """Of two workers one has a bad day: no time for updates, deaths, no room; and people lie in other partitions."""
    with pytest.MonkeyPatch.context() as patch:
        calm = _world(logs, 2)
        try:
            expected = asyncio.run(calm.play(script, [], patch))
            rough = _world(logs, partitions, calm.done)
            try:
                found = asyncio.run(rough.play(script, faults, patch))
                if any(fault.what == "lag" for fault in faults):  # who is told late, or of what is over, may differ
                    expected, found = _untold(expected), _untold(found)
                assert expected == found
            finally:
                _end(rough)
        finally:
            _end(calm)


def _full_day() -> list[Step]:
    """A line drops, somebody acknowledges it, it works again; people change lines, and rules do."""
    well, ill = (10,) * len(PEOPLE), (2, 2, 2, 2, 10, 10, 10, 2)
    goods = [well, ill, ill, well, *[well] * 8, ill, well, well]
    moved = {3: 7, 7: 12}
    acted = {2: "ack", 13: "clear"}
    return [Step(good, moved.get(n, -1), acted.get(n, ""), n == 8, MINUTE) for n, good in enumerate(goods)]


def test_a_replay_says_what_was_said(logs: Path) -> None:
    """Row by row, from the first alert to the last; a worker that never had the state."""
    with pytest.MonkeyPatch.context() as patch:
        world, again = _world(logs, 2), _world(logs, 2)
        try:
            expected = asyncio.run(world.play(_full_day(), [], patch))
            assert len(expected.lines) > 1
            assert len(expected.behind) > 8
            assert "acknowledged" in {row.state for rows in expected.lines.values() for row in rows}
            assert expected == asyncio.run(again.read_again(world.rig.log))
        finally:
            _end(world)
            _end(again)
