"""Following a log: from its start, on from where it stood, anew when it is another, patiently while there is none."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part
from agents.transport.errors import LogBusy, LogMissing
from dashboards.web.feed import Feed, Stored, feed_of
from dashboards.web.metrics import Metrics
from dashboards.web.service import Service
from dashboards.web.tail import LIMIT, Cursor, Tail, TailPace
from dashboards.web.view import Published, Touched, View
from stream.topics import SCORE_UPDATES, TEMPLATES, TICKS, UNIT_UPDATES
from tests.web.factories import NOW, line, row, scores, tick, unit_scores


class FakeLog:
    """A log in memory with the interface of Feed; `trouble` is raised by the next read."""

    def __init__(self, log_id: str = "one") -> None:
        self.log_id = log_id
        self.records: dict[tuple[str, int], list[Stored]] = {}
        self.trouble: Exception | None = None
        self.reads = 0
        self.most = 1_000_000  # a read gives no more than this, whatever limit was asked for

    def write(self, *records: Published, gap: int = 0) -> None:
        """Appends; `gap` offsets are left out before each record, as compaction does."""
        for record in records:
            stored = self.records.setdefault((record.topic, record.partition), [])
            offset = (stored[-1][0] + 1 if stored else 0) + gap
            stored.append((offset, record.timestamp, record.key, record.value))

    def version(self) -> int:
        return sum(len(stored) for stored in self.records.values())

    def partitions(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for topic, partition in self.records:
            found[topic] = max(found.get(topic, 0), partition + 1)
        return found

    def end(self, topic: str, partition: int) -> int:
        stored = self.records.get((topic, partition))
        return stored[-1][0] + 1 if stored else 0

    def read(self, topic: str, partition: int, start: int, limit: int) -> list[Stored]:
        self.reads += 1
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        return [record for record in self.records.get((topic, partition), []) if record[0] >= start][
            : min(limit, self.most)
        ]

    def close(self) -> None:
        pass


class Rig:
    """A tail over whatever `log` is at the moment, None for none."""

    def __init__(self, open_feed: Callable[[], Feed] | None = None) -> None:
        self.log: FakeLog | None = None
        self.view = View()
        self.service = Service()
        self.metrics = Metrics()
        self.touched: list[Touched] = []
        self.replaced = 0
        self.tail = Tail(
            open_feed or self._open, self.view, self.service, self.metrics, lambda: NOW + 100,
            self.touched.append, self._replace, TailPace(idle=0.002, retry=0.005),
        )  # fmt: skip

    def _open(self) -> Feed:
        if self.log is None:
            raise LogMissing(Path("there"))
        return self.log

    def _replace(self) -> None:
        self.replaced += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The tail follows while the block runs."""
        task = asyncio.create_task(self.tail.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    """Waits for a condition, five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - conditions of any kind are awaited
            await asyncio.sleep(0.002)


async def test_the_tail_waits_for_a_log_and_then_reads_it() -> None:
    """The web process may be started first."""
    rig = Rig()
    async with rig.running():
        await until(lambda: rig.service.trouble)
        assert rig.service.state(rig.view, NOW) == ("waiting", None)
        rig.log = FakeLog()
        rig.log.write(*line())
        await until(lambda: rig.service.caught_up)
    assert rig.view.unit_ids() == ["L03"]
    assert (rig.replaced, rig.touched, rig.service.trouble) == (1, [], None)


async def test_what_is_written_later_touches_its_units() -> None:
    """Screens hear of it within the idle pause."""
    rig = Rig()
    rig.log = FakeLog()
    rig.log.write(*line())
    async with rig.running():
        await until(lambda: rig.service.caught_up)
        rig.log.write(scores("E0002", row(50)), gap=7)
        await until(lambda: rig.touched)
    assert {"L03"} == rig.touched[0].units
    assert rig.metrics.registry.get_sample_value("scorestream_web_view_lag_seconds_count") == 1.0


async def test_an_idle_log_is_not_read() -> None:
    """Twenty looks a second must cost next to nothing."""
    rig = Rig()
    rig.log = log = FakeLog()
    log.write(*line())
    async with rig.running():
        await until(lambda: rig.service.caught_up)
        reads = log.reads
        await asyncio.sleep(0.03)
    assert reads == log.reads


async def test_a_topic_that_is_created_later_is_read() -> None:
    """The worker creates its topics when it starts."""
    rig = Rig()
    rig.log = FakeLog()
    rig.log.write(tick())
    async with rig.running():
        await until(lambda: rig.service.caught_up)
        rig.log.write(*line())
        await until(rig.view.unit_ids)


async def test_reading_goes_on_where_it_stood_after_trouble() -> None:
    """A busy log is tried again; nothing is read twice and nothing is lost."""
    rig = Rig()
    rig.log = FakeLog()
    rig.log.write(*line())
    async with rig.running():
        await until(lambda: rig.service.caught_up)
        rig.log.trouble = LogBusy("locked")
        rig.log.write(scores("E0003"), unit_scores("L03", ["E0003"]))
        await until(lambda: "E0003" in rig.view.employees)
        await until(lambda: rig.service.trouble is None)
    assert rig.metrics.registry.get_sample_value("scorestream_web_feed_failures_total") == 1.0
    assert rig.metrics.registry.get_sample_value("scorestream_web_view_records_total") == 7.0
    assert rig.replaced == 1


async def test_another_log_is_another_view() -> None:
    """The folder was deleted and made anew: what was there before is not shown any longer."""
    rig = Rig()
    rig.log = FakeLog("one")
    rig.log.write(*line("L03"))
    async with rig.running():
        await until(lambda: rig.service.caught_up)
        old, rig.log = rig.log, FakeLog("two")
        rig.log.write(*line("L04"))
        old.trouble = LogMissing(Path("there"))
        old.write(tick(NOW + 1))
        await until(lambda: rig.view.unit_ids() == ["L04"])
        await until(lambda: rig.replaced == 2)


async def test_a_bug_builds_the_view_anew(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows what the view is worth then; it is logged and read again from the start."""
    rig = Rig()
    rig.log = FakeLog()
    rig.log.write(*line())
    async with rig.running():
        await until(lambda: rig.service.caught_up)
        rig.view.units.clear()
        rig.log.trouble = ZeroDivisionError("bug")
        rig.log.write(tick(NOW + 1))
        await until(rig.view.unit_ids)
    assert "following the log failed" in caplog.text


def test_a_poll_is_bounded_and_loses_nothing() -> None:
    """The event loop applies a few hundred records at a time, however many there are."""
    log = FakeLog()
    log.write(*(scores(f"E{number:05d}") for number in range(LIMIT + 50)), unit_scores("L03", []), tick())
    cursor = Cursor("one")
    sizes = []
    while found := cursor.poll(log):
        sizes.append(len(found))
    assert sizes == [LIMIT, 52]
    assert cursor.poll(log) == []


def test_a_read_that_gives_less_than_there_is_is_no_end() -> None:
    """Large records: a log limits a read by bytes as well."""
    log = FakeLog()
    log.most = 3
    log.write(*(scores(f"E{number:05d}") for number in range(10)), unit_scores("L03", []))
    cursor = Cursor("one")
    found: list[Published] = []
    while batch := cursor.poll(log):
        found += batch
    assert 11 == len(found)


def test_of_old_ticks_only_the_newest_is_read() -> None:
    """The topic keeps a record for every second."""
    log = FakeLog()
    log.write(*(tick(NOW + second, partition) for second in range(1000) for partition in (0, 1)))
    assert [record_time(record) for record in Cursor("one").poll(log)] == [NOW + 999] * 2


def record_time(record: Published) -> int:
    """The time of a tick."""
    view = View()
    view.apply([record])
    assert view.now is not None
    return view.now


# --- the embedded log itself


def written(folder: Path, *records: Published) -> None:
    """Appends to the folder's log as the worker does, making it when needed."""
    with EmbeddedLog.open(folder) as log:
        for topic in (TEMPLATES, TICKS):
            log.create_topic(topic, 2, compacted=topic == TEMPLATES)
        for topic in (SCORE_UPDATES, UNIT_UPDATES):
            log.create_topic(topic, 2, compacted=True, ledger=True)
        outgoing = [Outgoing(each.topic, each.partition, each.timestamp, each.key, each.value) for each in records]
        plain = [each for each in outgoing if each.topic in (TEMPLATES, TICKS)]
        ledger = [each for each in outgoing if each.topic not in (TEMPLATES, TICKS)]
        if plain:
            log.append(plain)
        if ledger:
            log.transact([Part(0, ledger, {})])


async def test_the_embedded_log_is_followed(tmp_path: Path) -> None:
    """Before its folder exists, through compaction, and through being replaced."""
    folder = tmp_path / "data"
    rig = Rig(feed_of(f"embedded://{folder}"))
    async with rig.running():
        await until(lambda: rig.service.trouble)
        written(folder, *line("L03"))
        await until(lambda: rig.view.unit_ids() == ["L03"])
        await until(lambda: rig.service.caught_up)
        written(folder, scores("E0001", row(50)), scores("E0001", row(51)))
        with EmbeddedLog.open(folder) as log:
            log.compact()
        written(folder, scores("E0001", row(52)))
        await until(lambda: rig.view.employees["E0001"].update().rows[0].good == 52)
        shutil.rmtree(folder)
        await until(lambda: not rig.service.found)
        assert rig.view.unit_ids() == ["L03"]
        written(folder, *line("L04"))
        await until(lambda: rig.view.unit_ids() == ["L04"])


def test_a_feed_takes_a_folder_or_an_embedded_url(tmp_path: Path) -> None:
    """Reading never creates a log."""
    for place in (str(tmp_path / "none"), f"embedded://{tmp_path}/none"):
        with pytest.raises(LogMissing):
            feed_of(place)()
    assert list(tmp_path.iterdir()) == []


def test_a_broker_that_cannot_be_read_is_named() -> None:
    """At start, not on the wall."""
    with pytest.raises(ValueError, match="kafka://k:9092"):
        feed_of("kafka://k:9092")
