"""Following the views: what screens look at, from either place, through everything that happens to the views."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from agents.views.conflate import Published
from agents.views.port import Batch, Change, Place, ViewsReader, ViewsUnavailable
from dashboards.web.follower import Follower, FollowerPace
from dashboards.web.metrics import Metrics
from dashboards.web.service import Service
from dashboards.web.view import View
from stream.topics import SCORE_UPDATES
from tests.agents.views.sites import LOG, RedisSite, Site, batch, replace
from tests.e2e.redis_server import RedisServer
from tests.web.factories import NOW, alert, line, row, scores, template, tick, unit_scores
from tests.web.shelf import Shelf


class Rig:
    """A follower over views, and what it told."""

    def __init__(self, views: ViewsReader) -> None:
        self.views = views
        self.view = View()
        self.service = Service()
        self.metrics = Metrics()
        self.touched: list[set[str]] = []
        self.at = NOW
        self.follower = Follower(
            views, self.view, self.service, self.metrics, lambda: self.at, self._touch, FollowerPace(0.005, 0.02)
        )

    def _touch(self, units: Iterable[str]) -> None:
        if units := set(units):
            self.touched.append(units)

    @property
    def state(self) -> str:
        """What screens are told."""
        return self.service.state(self.view, self.at)[0]

    def good(self, employee: str) -> float | None:
        """The good pieces of an employee's first row, as the view has it."""
        known = self.view.employees.get(employee)
        return None if known is None else known.update().rows[0].good

    def sample(self, name: str) -> float | None:
        """A metric."""
        return self.metrics.registry.get_sample_value(f"scorestream_web_{name}")


@asynccontextmanager
async def following(views: ViewsReader, *units: str) -> AsyncIterator[Rig]:
    """A follower that runs while the block does, for screens on these units."""
    rig = Rig(views)
    task = asyncio.create_task(rig.follower.run())
    try:
        async with AsyncExitStack() as screens:
            for unit in units:
                await screens.enter_async_context(rig.follower.watching(unit))
            yield rig
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(ViewsUnavailable):
            await views.close()


async def until(condition: Callable[[], object]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - conditions of any kind are awaited
            await asyncio.sleep(0.002)


@pytest.fixture
def fresh_redis_site(fresh_redis: RedisServer) -> RedisSite:
    """A Redis that the test may kill."""
    return RedisSite(fresh_redis)


@pytest.fixture
def shelf(site: Site) -> Shelf:
    """Views that the test fills."""
    return Shelf(site)


async def test_a_follower_waits_for_views_and_then_reads_them(shelf: Shelf) -> None:
    """The web process may be started first."""
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.service.contact)
        assert rig.state == "waiting"
        await shelf.put(line())
        await until(lambda: rig.state == "live")
        assert (["L03"], 2) == (list(rig.view.units), len(rig.view.employees))
        assert {"L03"} in rig.touched


async def test_only_what_screens_look_at_is_here(shelf: Shelf) -> None:
    """A company may be larger than this process; who turns away is forgotten."""
    await shelf.put([*line("L03"), *line("L04"), unit_scores("L04", ["E0007"]), scores("E0007")])
    async with following(shelf.reader()) as rig:
        await until(lambda: rig.state == "live")
        assert ({}, {}) == (rig.view.units, rig.view.employees)
        async with rig.follower.watching("L03"), rig.follower.watching("L03"):
            assert (["L03"], {"E0001", "E0002"}) == (list(rig.view.units), set(rig.view.employees))
            async with rig.follower.watching("L04"):
                assert {"E0001", "E0002", "E0007"} == set(rig.view.employees)
            assert (["L03"], {"E0001", "E0002"}) == (list(rig.view.units), set(rig.view.employees))
        assert ({}, {}) == (rig.view.units, rig.view.employees)


async def test_a_change_touches_the_boards_that_show_it(shelf: Shelf) -> None:
    """And reads nothing else."""
    await shelf.put([*line("L03"), *line("L04"), scores("E9")])
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        read = rig.sample("view_records_total")
        rig.touched.clear()
        await shelf.put([scores("E0002", row(50)), scores("E9", row(51)), unit_scores("L05", ["E9"])])
        await until(lambda: rig.good("E0002") == 50)
        assert [{"L03"}] == rig.touched
        assert (read or 0) + 1 == rig.sample("view_records_total")
        assert 1 == rig.sample("view_lag_seconds_count")


async def test_who_joins_a_unit_is_read_and_who_leaves_is_forgotten(shelf: Shelf) -> None:
    """Their own update may be hours old."""
    await shelf.put([*line("L03"), scores("E9", row(77))])
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        await shelf.put([unit_scores("L03", ["E0001", "E9"])])
        await until(lambda: rig.good("E9") == 77)
        assert {"E0001", "E9"} == set(rig.view.employees)


async def test_alerts_come_and_go_with_the_boards_that_show_them(shelf: Shelf) -> None:
    """Those of a unit that is watched, as they are when its screen comes and with each change; of others nothing."""
    await shelf.put([*line("L03"), *line("L04"), alert("a1"), alert("b1", unit="L04")])
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        assert {"L03": ["a1"]} == alerts(rig)
        rig.touched.clear()
        await shelf.put([alert("a2", state="acknowledged"), alert("b2", unit="L04")])
        await until(lambda: alerts(rig) == {"L03": ["a1", "a2"]})
        await shelf.put([alert("a1", state="cleared")])
        await until(lambda: alerts(rig) == {"L03": ["a2"]})
        assert [{"L03"}, {"L03"}] == rig.touched
        async with rig.follower.watching("L04"):
            assert {"L03": ["a2"], "L04": ["b1", "b2"]} == alerts(rig)
        assert {"L03": ["a2"]} == alerts(rig)
        shelf.clear()
        await shelf.put([*line("L03"), alert("a3")])
        await until(lambda: alerts(rig) == {"L03": ["a3"]})


def alerts(rig: Rig) -> dict[str, list[str]]:
    """The ids of the alerts that the view has, by unit."""
    return {unit: [each.alert_id for each in found] for unit, found in rig.view.alerts.items()}


async def test_what_was_erased_leaves_the_board(shelf: Shelf) -> None:
    """A tombstone is a change like any other."""
    await shelf.put(line())
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        await shelf.put([Published(SCORE_UPDATES, 0, NOW, b"E0001", None)])
        await until(lambda: {"E0002"} == set(rig.view.employees))


async def test_a_template_that_comes_later_is_read(shelf: Shelf) -> None:
    """Names and targets may arrive after the first scores."""
    await shelf.put([scores("E1"), unit_scores("L03", ["E1"]), tick()])
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        assert rig.view.catalogue.guide("production-operator", 1) is None
        rig.touched.clear()
        await shelf.put([template()])
        await until(lambda: rig.view.catalogue.guide("production-operator", 1))
        assert [{"L03"}] == rig.touched


async def test_views_that_are_built_anew_keep_the_board_meanwhile(site: Site, shelf: Shelf) -> None:
    """FLUSHALL: the screen shows what it had, says so, and goes on with the new views."""
    await shelf.put(line())
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        shelf.clear()
        await until(lambda: rig.state == "unavailable")
        assert ["E0001", "E0002"] == sorted(rig.view.employees)
        writer = site.writer()
        await writer.begin(LOG, 1, [0])
        part = batch(*line(people=1), caught_up=False)
        await writer.put(part)
        await until(lambda: rig.state == "loading")
        assert ["E0001", "E0002"] == sorted(rig.view.employees)
        await writer.put(batch(scores("E0001", row(50)), before=part.after[0], offset=2))
        await until(lambda: rig.state == "live")
        assert (50, ["E0001"]) == (rig.good("E0001"), sorted(rig.view.employees))
        await writer.close()


async def test_another_log_is_another_board(site: Site, shelf: Shelf) -> None:
    """What was there before is not shown any longer."""
    await shelf.put(line("L03"))
    async with following(shelf.reader(), "L03", "L04") as rig:
        await until(lambda: rig.state == "live")
        writer = site.writer()
        await replace(writer, "log-2")
        await writer.put(batch(*line("L04", people=1)))
        await until(lambda: list(rig.view.units) == ["L04"])
        assert ["E0001"] == list(rig.view.employees)
        await writer.close()


async def test_several_web_processes_have_the_same(shelf: Shelf) -> None:
    """Whatever changes, whenever they came."""
    await shelf.put(line(people=5))
    async with following(shelf.reader(), "L03") as one:
        await until(lambda: one.state == "live")
        await shelf.put([scores("E0003", row(50))])
        async with following(shelf.reader(), "L03") as two:
            await until(lambda: two.state == "live")
            await shelf.put([scores("E0004", row(51)), unit_scores("L03", ["E0003", "E0004"])])
            await until(lambda: boards(one) == boards(two) and one.good("E0004") == 51 == two.good("E0004"))
            assert {"E0003", "E0004"} == set(one.view.employees)


def boards(rig: Rig) -> dict[str, bytes]:
    """What the view shows."""
    shown = {**rig.view.units, **rig.view.employees}
    return {key: known.value for key, known in shown.items()}


async def test_screens_are_told_since_when_redis_is_gone(fresh_redis_site: RedisSite) -> None:
    """Killed: said at once, with the time of the last contact; back, though empty: built anew, and well."""
    shelf, server = Shelf(fresh_redis_site), fresh_redis_site.server
    await shelf.put(line())
    async with following(fresh_redis_site.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        last, rig.at = rig.service.contact, NOW + 60_000
        await until(lambda: rig.service.contact == NOW + 60_000)
        server.kill()
        await until(lambda: rig.state == "unavailable")
        rig.at = NOW + 90_000
        assert ("unavailable", NOW + 60_000) == rig.service.state(rig.view, rig.at)
        assert last == NOW
        async with rig.follower.watching("L04"):
            assert ["L03"] == list(rig.view.units)
            server.start()
            await shelf.put([*line("L03"), *line("L04", people=1)])
            await until(lambda: {"L03", "L04"} == set(rig.view.units))
        await until(lambda: rig.service.trouble is None)


async def test_screens_are_told_when_redis_does_not_answer(fresh_redis_site: RedisSite) -> None:
    """Stopped: connections stay open and nobody answers; a new screen is not kept waiting for ever."""
    shelf, server = Shelf(fresh_redis_site), fresh_redis_site.server
    await shelf.put(line())
    async with following(fresh_redis_site.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        server.pause()
        try:
            await until(lambda: rig.state == "unavailable")
            async with asyncio.timeout(2), rig.follower.watching("L04"):
                pass
        finally:
            server.resume()
        await until(lambda: rig.service.trouble is None)


class Slow:
    """Views whose answers the test holds back."""

    def __init__(self, views: ViewsReader) -> None:
        self._views = views
        self.gate = asyncio.Event()
        self.gate.set()
        self.trouble: list[str | None] = []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def held(*arguments: object) -> object:
            answer = await getattr(self._views, name)(*arguments)
            await self.gate.wait()
            return answer

        return held

    async def changes(self) -> AsyncIterator[Change]:
        async for change in self._views.changes():
            yield change._replace(trouble=self.trouble[0]) if self.trouble else change


async def test_an_answer_that_comes_late_replaces_nothing_newer(shelf: Shelf) -> None:
    """A screen asks for a unit while a change of it is on its way."""
    await shelf.put(line())
    slow = Slow(shelf.reader())
    async with following(slow) as rig:  # type: ignore[arg-type]
        await until(lambda: rig.state == "live")
        slow.gate.clear()
        watching = rig.follower.watching("L03")
        opening = asyncio.create_task(watching.__aenter__())
        await until(lambda: rig.follower._watched)
        await asyncio.sleep(0.02)  # its answer is there, and held
        await shelf.put([scores("E0001", row(50))])
        slow.gate.set()
        await opening
        await until(lambda: rig.good("E0001") == 50)
        await watching.__aexit__(None, None, None)


async def test_views_that_nobody_can_write_are_told(shelf: Shelf) -> None:
    """They can be read, and what they hold grows old: since the last time that all was well."""
    await shelf.put(line())
    slow = Slow(shelf.reader())
    async with following(slow, "L03") as rig:  # type: ignore[arg-type]
        await until(lambda: rig.state == "live")
        slow.trouble = ["no memory"]
        await shelf.put([scores("E0001", row(50))])  # a reader that is told nothing says so every few seconds only
        await until(lambda: rig.state == "unavailable")
        assert ("no memory", NOW) == (rig.service.trouble, rig.service.contact)
        slow.trouble = [None]
        await shelf.put([scores("E0001", row(51))])
        await until(lambda: rig.state == "live")


async def test_a_bug_builds_the_view_anew(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows what the view is worth then; it is logged and read again."""
    await shelf.put(line())
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: rig.state == "live")
        put, rig.view.put = rig.view.put, None  # type: ignore[method-assign, assignment]
        await shelf.put([scores("E0001", row(50))])
        await until(lambda: rig.state == "unavailable")
        rig.view.put = put  # type: ignore[method-assign]
        await until(lambda: rig.good("E0001") == 50)
    assert "following the views failed" in caplog.text
    assert (rig.sample("feed_failures_total") or 0) >= 1


async def test_a_board_of_a_thousand_people_is_read_whole(shelf: Shelf, site: Site) -> None:
    """In as many questions as it takes."""
    people = [f"E{number:04d}" for number in range(1200)]
    writer = site.writer()
    place = (await writer.begin(LOG, 1, [0]))[0]
    records = [*(scores(who) for who in people), unit_scores("L03", people), tick()]
    made: Batch = batch(*records, before=place)
    await writer.put(made._replace(after={0: Place({SCORE_UPDATES: 1}, True, NOW, NOW)}))
    await writer.close()
    async with following(shelf.reader(), "L03") as rig:
        await until(lambda: len(rig.view.employees) == 1200)
