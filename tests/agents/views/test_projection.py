"""The projection: views level with the log whatever happens to them, and a worker that never waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest

from agents.transport.errors import LogBusy
from agents.views.conflate import Published
from agents.views.port import Batch, Place, ViewsReader, ViewsUnavailable, ViewsWriter
from agents.views.projection import Pace, Projection
from stream.topics import ALERTS, SCORE_UPDATES, UNIT_UPDATES
from tests.agents.views.fake_log import FakeLog
from tests.agents.views.sites import Site, until
from tests.web.factories import NOW, alert, line, row, scores, tick, unit_scores

PACE = Pace(beat=0.05, retry=0.01, longest=0.05)


@asynccontextmanager
async def projecting(
    log: FakeLog, views: ViewsWriter, owned: Callable[[], Collection[int]] | None = None
) -> AsyncIterator[Projection]:
    """A projection that runs while the block does, then finishes."""
    projection = Projection(log.log, views, owned or (lambda: range(log.partitions)), PACE)
    task = asyncio.create_task(projection.run())
    try:
        yield projection
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await projection.finish()


async def shown(reader: ViewsReader) -> dict[str, bytes]:
    """Everything that the views hold; nothing while they are not complete."""
    try:
        people = await reader.employee_ids("", 10_000)
        alerts = await reader.alerts([key.alert_id for key in await reader.alert_keys()])
        return {**await reader.units(await reader.unit_ids()), **await reader.employees(people), **alerts}
    except ViewsUnavailable:
        return {}


def expected(*records: Published) -> dict[str, bytes]:
    """The latest of each key of these updates."""
    updates = [record for record in records if record.topic in (SCORE_UPDATES, UNIT_UPDATES, ALERTS)]
    return {(record.key or b"").decode(): record.value or b"" for record in updates}


async def test_the_views_follow_the_log(site: Site, reader: ViewsReader) -> None:
    """What was there, what is published, and what is published again."""
    log = FakeLog(*line(people=5))
    async with projecting(log, site.writer()) as projection:
        await until(lambda: agree(reader, expected(*line(people=5))))
        later = [scores("E0001", row(50)), unit_scores("a:b", ["E0001"])]
        log.write(*later)
        projection.wake()
        await until(lambda: agree(reader, expected(*line(people=5), *later)))
        log.write(tick(NOW + 9))
        await until(lambda: now_is(reader, NOW + 9))
    assert (True, 0, 1) == (projection.state.up, projection.state.failures, projection.state.rebuilds)


async def agree(reader: ViewsReader, wanted: dict[str, bytes]) -> bool:
    """Whether the views hold exactly this."""
    return await shown(reader) == wanted


async def now_is(reader: ViewsReader, at: int) -> bool:
    """Whether the newest tick of the views is this one."""
    return (await reader.standing()).now == at


async def test_views_that_are_lost_are_rebuilt_though_nothing_happens(site: Site, reader: ViewsReader) -> None:
    """FLUSHALL at night: the projection notices by itself, and everything is as it was."""
    kept = [*line(people=30), *line("L04", people=30), alert("a1"), alert("a2", state="shelved")]
    log = FakeLog(*kept[:-1], alert("a2"), alert("a3"), kept[-1], alert("a3", state="cleared"))
    async with projecting(log, site.writer()) as projection:
        await until(lambda: agree(reader, expected(*kept)))
        epoch = (await reader.standing()).epoch
        site.lose()
        await until(lambda: another(reader, epoch))
        await until(lambda: agree(reader, expected(*kept)))
        assert 2 == projection.state.rebuilds


async def another(reader: ViewsReader, epoch: str | None) -> bool:
    """Whether there are complete views of another epoch."""
    standing = await reader.standing()
    return standing.complete and standing.epoch != epoch


async def test_a_worker_that_starts_again_reads_only_what_is_new(site: Site, reader: ViewsReader) -> None:
    """The place is kept in the views themselves."""
    log = FakeLog(*line(people=3))
    async with projecting(log, site.writer()):
        await until(lambda: agree(reader, expected(*line(people=3))))
    log.write(scores("E0002", row(50)))
    log.reads.clear()
    async with projecting(log, site.writer()) as projection:
        await until(lambda: agree(reader, expected(*line(people=3), scores("E0002", row(50)))))
    assert 3 == min(start for topic, _, start in log.reads if topic == SCORE_UPDATES)
    assert 0 == projection.state.rebuilds


async def test_another_log_is_other_views(site: Site, reader: ViewsReader) -> None:
    """The topics were made anew: nothing of the old plant is left on a board."""
    async with projecting(FakeLog(*line("L03")), site.writer()):
        await until(lambda: agree(reader, expected(*line("L03"))))
    async with projecting(FakeLog(*line("L04"), log_id="log-2"), site.writer()):
        await until(lambda: agree(reader, expected(*line("L04"))))


async def test_a_topic_that_was_made_anew_is_another_log(site: Site, reader: ViewsReader) -> None:
    """On the same broker: the offsets of the old one mean nothing, and nothing of it is left on a board."""
    async with projecting(FakeLog(*line("L03", people=9)), site.writer()):
        await until(lambda: agree(reader, expected(*line("L03", people=9))))
    log = FakeLog(*line("L04", people=1))
    log.made[SCORE_UPDATES] = "second"
    async with projecting(log, site.writer()):
        await until(lambda: agree(reader, expected(*line("L04", people=1))))


async def test_partitions_move_from_worker_to_worker(site: Site, reader: ViewsReader) -> None:
    """Whoever owns a partition writes it; a worker that still believes it does does no harm."""
    log = FakeLog(partitions=4)
    mine: dict[int, set[int]] = {0: {0, 1, 2, 3}, 1: set()}
    records: list[Published] = []
    async with (
        projecting(log, site.writer(), lambda: mine[0]) as one,
        projecting(log, site.writer(), lambda: mine[1]) as two,
    ):
        for turn in range(12):
            fresh = [scores(f"E{who}", row(turn))._replace(partition=who % 4) for who in range(8)]
            log.write(*fresh)
            records += fresh
            one.wake()
            two.wake()
            # Two turns of three both believe that they own partition 3.
            mine[1] = {turn % 4, 3}
            mine[0] = {0, 1, 2, 3} - (mine[1] if turn % 3 == 0 else {turn % 4})
            await until(partial(agree, reader, expected(*records)))


async def test_what_the_last_commit_published_is_in_the_views(site: Site, reader: ViewsReader) -> None:
    """A worker that is stopped in order leaves nothing for its next start."""
    log = FakeLog(*line())
    async with projecting(log, site.writer()) as projection:
        await until(lambda: agree(reader, expected(*line())))
        await until(lambda: is_up(projection))
        log.write(scores("E0001", row(1)))
    assert expected(*line(), scores("E0001", row(1))) == await shown(reader)


async def is_up(projection: Projection) -> bool:
    """Whether the last write went through."""
    return projection.state.up


class Broken:
    """Views that take nothing until they are mended."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.complaints: list[str] = []
        self.taken: list[Batch] = []

    async def begin(self, log_id: str, partitions: int, owned: Collection[int]) -> dict[int, Place]:
        return {number: Place() for number in owned}

    async def put(self, batch: Batch) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append(batch)

    async def complain(self, trouble: str) -> None:
        self.complaints.append(trouble)

    async def doubt(self) -> str | None:
        return None

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("error", [ViewsUnavailable("no answer"), KeyError("a bug")])
async def test_views_that_take_nothing_are_tried_again(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, to who runs the worker and to who reads, and heals by itself; nothing is queued meanwhile."""
    views, log = Broken(error), FakeLog(*line())
    async with projecting(log, views) as projection:
        await until(lambda: tried(projection, 4))
        assert not projection.state.up
        log.write(*(scores("E0001", row(good)) for good in range(90)))
        views.error = None
        await until(lambda: is_up(projection))
    assert {"E0001", "E0002"} == set(views.taken[0].employees)
    assert 4 <= len(views.complaints)
    said = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING and each.exc_info is None]
    assert ["views are not written, scoring goes on", "views: written again"] == [
        text.partition(" on:")[0] + " on" if " on:" in text else text for text in said
    ]


async def tried(projection: Projection, times: int) -> bool:
    """Whether so many writes have failed."""
    return projection.state.failures >= times


async def test_a_log_that_cannot_be_read_is_tried_again(site: Site, reader: ViewsReader) -> None:
    """It is the worker that sees to the log; the views wait."""
    log = FakeLog(*line())
    async with projecting(log, site.writer()) as projection:
        await until(lambda: is_up(projection))
        log.trouble = LogBusy("locked")
        log.write(scores("E0001", row(50)))
        await until(lambda: agree(reader, expected(*line(), scores("E0001", row(50)))))
        assert 1 == projection.state.failures
