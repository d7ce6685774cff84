"""What time can heal ends a life, not the worker: the next life scores what is left, and nobody has to do a thing."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from agents import lives
from agents.app import Worker
from agents.lives import Lives
from agents.recovery import restore
from agents.settings import Settings
from agents.store import Store, StoreDamaged, StoreFull
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog, FolderLock, Outgoing, partition_for
from agents.transport.errors import FolderInUse, LogReplaced, RecoverableError
from agents.tuning import tune_collector
from stream.topics import QC_EVENTS

PARTITIONS = 2
NOW = 1_772_439_300_000
BAD = "BAD"  # a file in a store's folder: what it holds cannot be read


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two partitions, commits at once."""
    return Settings.load(
        {
            "SCORESTREAM_BROKER": f"embedded://{tmp_path / 'folder'}",
            "SCORESTREAM_PARTITIONS": str(PARTITIONS),
            "SCORESTREAM_COMMIT_INTERVAL": "0.02",
        }
    )


@pytest.fixture
def log(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedLog]:
    """The folder's log; a new life begins after 10 ms, and a store with a file BAD in it cannot be read."""
    read = Store.values

    def values(store: Store, keys: Sequence[bytes]) -> list[bytes | None]:
        if (store.folder / BAD).exists() and any(key[:1] == b"e" for key in keys):
            raise StoreDamaged(store.folder, "planted")
        return read(store, keys)

    monkeypatch.setattr(Store, "values", values)
    monkeypatch.setattr(lives, "BACKOFF", (0.01,))
    with EmbeddedLog.open(settings.folder) as opened:
        ensure_topics(opened, settings)
        yield opened


def _event(number: int) -> Outgoing:
    key = f"E{number}".encode()
    value = {
        "event_id": "i", "type": "qc.inspection", "employee_id": key.decode(), "occurred_at": NOW, "source": "aoi",
        "measures": {"inspected": 1, "accepted": 1},
    }  # fmt: skip
    return Outgoing(QC_EVENTS, partition_for(key, PARTITIONS), NOW, key, json.dumps(value).encode())


@asynccontextmanager
async def _living(settings: Settings, **given: bool) -> AsyncIterator[tuple[asyncio.Task[None], list[int]]]:
    stopping, ports = asyncio.Event(), list[int]()
    task = asyncio.create_task(Lives(settings, restart=given.get("restart", True)).run(stopping, ports.append))
    try:
        yield task, ports
    finally:
        stopping.set()
        await asyncio.wait([task], timeout=20)


async def _until(condition: Callable[[], bool], task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            if task.done():
                task.result()
            await asyncio.sleep(0.01)


async def _exposed(settings: Settings) -> set[str]:
    port = (settings.folder / "worker.port").read_text().strip()
    async with aiohttp.ClientSession() as web, web.get(f"http://127.0.0.1:{port}/metrics") as got:
        return set((await got.text()).splitlines())


def _committed(log: EmbeddedLog) -> int:
    return sum(offset for (topic, _), offset in log.committed().items() if topic == QC_EVENTS)


async def test_a_store_that_cannot_be_read_is_built_anew_in_the_next_life(log: EmbeddedLog, settings: Settings) -> None:
    """Whenever the damage is met: the store is out of the way when the next life begins, else it would be met again."""
    async with _living(settings) as (task, ports):
        log.append([_event(n) for n in range(8)])
        await _until(lambda: _committed(log) == 8, task)
        for number in range(PARTITIONS):
            (settings.data / "state" / str(number) / BAD).touch()
        log.append([_event(n) for n in range(8, 24)])
        await _until(lambda: _committed(log) == 24, task)
        assert len(set(ports)) == 1 < len(ports)
        assert {"scorestream_scoring 1.0", f"scorestream_lives_total {len(ports)}.0"} <= await _exposed(settings)
    assert task.exception() is None
    assert {"0", "1"} == {path.name for path in (settings.data / "state").iterdir()}


async def test_without_restart_the_damage_is_out_of_the_way_for_the_next_worker(
    log: EmbeddedLog, settings: Settings
) -> None:
    """Under a supervisor the worker ends, and is started again on the same folder."""
    log.append([_event(n) for n in range(8)])
    async with _living(settings, restart=False) as (task, _):
        await _until(lambda: _committed(log) == 8, task)
        for number in range(PARTITIONS):
            (settings.data / "state" / str(number) / BAD).touch()
        log.append([_event(n) for n in range(8, 24)])
        with pytest.raises(StoreDamaged, match="planted"):
            await task
    left = [path for path in (settings.data / "state").glob(f"*/{BAD}") if ".aside" not in path.parent.name]
    assert PARTITIONS - 1 == len(left)
    left[0].unlink()
    async with _living(settings, restart=False) as (task, _):
        await _until(lambda: _committed(log) == 24, task)


async def test_a_start_that_fails_half_way_lets_go_of_what_it_had(
    log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second partition's store fails: the first one's is closed, so the next life can open it."""
    failures = [RecoverableError("planted")]

    def failing(*given: object) -> Store:
        if given[2] == 1 and failures:
            raise failures.pop()
        return restore(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("agents.takeover.restore", failing)
    log.append([_event(n) for n in range(8)])
    async with _living(settings) as (task, ports):
        await _until(lambda: _committed(log) == 8, task)
        assert (0, 1) == (len(failures), len(ports))


async def test_another_log_is_refused_before_anything_is_asked_of_it(
    log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emptied broker answers some questions only after half a minute of patience. Found by the soak."""

    def refuse(*_: object) -> None:
        raise LogReplaced("this is another cluster")

    monkeypatch.setattr("agents.app.demand_same", refuse)
    monkeypatch.setattr("agents.decoder.Decoder.warm", lambda *_: pytest.fail("asked of the log"))
    with pytest.raises(LogReplaced, match="another cluster"):
        await Lives(replace(settings, decoder=4000), restart=True).run(asyncio.Event(), lambda _: None)


async def test_a_second_worker_is_refused_and_disturbs_nothing(log: EmbeddedLog, settings: Settings) -> None:
    """The text names the process; the first one's port stays where it was."""
    async with _living(settings) as (task, ports):
        await _until(lambda: bool(ports), task)
        with pytest.raises(FolderInUse, match=r"process \d+ is the worker of this folder; stop it first"):
            await Lives(settings, restart=True).run(asyncio.Event(), ports.append)
        assert f"{ports[0]}\n" == (settings.folder / "worker.port").read_text()
    assert FolderLock.owner(settings.folder) is None


async def test_health_says_why_nothing_is_scored(
    log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two lives /healthz answers, red, with the failure; a stop does not wait for the pause to end."""

    async def start(self: Worker) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/folder")

    monkeypatch.setattr(Worker, "start", start)
    monkeypatch.setattr(lives, "BACKOFF", (3600.0,))
    async with _living(settings) as (task, _):
        port_file = settings.folder / "worker.port"
        await _until(port_file.exists, task)
        answer: dict[str, object] = {}
        while "again" not in str(answer.get("reason")):
            async with (
                aiohttp.ClientSession() as web,
                web.get(f"http://127.0.0.1:{port_file.read_text()}/healthz") as got,
            ):
                status, answer = got.status, await got.json()
        assert (503, "red", None) == (status, answer["status"], answer["commit_age_seconds"])
        assert "No space left on device: '/folder'; starting again in 3600 s" in str(answer["reason"])
        assert {"scorestream_scoring 0.0", "scorestream_lives_total 0.0"} <= await _exposed(settings)
    assert task.done()


async def test_what_no_time_can_heal_ends_the_worker(
    log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of another kind is a bug or a wrong set-up: it is not tried again."""

    async def start(self: Worker) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/folder")

    monkeypatch.setattr(Worker, "start", start)
    async with _living(settings) as (task, _):
        with pytest.raises(PermissionError):
            await task


def test_without_room_for_a_new_store_the_old_one_goes(
    log: EmbeddedLog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged store that is kept aside must not be what fills the disk."""
    folder = settings.data / "state" / "0"
    restore(log, folder, 0).close()
    (folder / "CURRENT").write_text("nonsense")

    def full(*_: object) -> None:
        raise StoreFull("no room")

    monkeypatch.setattr("agents.recovery._follow", full)
    with pytest.raises(StoreFull):
        restore(log, folder, 0)
    assert ["0"] == [path.name for path in folder.parent.iterdir()]


def test_what_a_life_left_goes_with_the_next_one() -> None:
    """The collector never looks at what was there at a start; a worker of many lives would only grow."""

    class Holder:
        """Something that refers to itself, as an application of a life does."""

        def __init__(self) -> None:
            self.itself = self

    before = gc.get_threshold(), sys.getswitchinterval()
    try:
        life = Holder()
        tune_collector()
        gone = weakref.ref(life)
        del life
        tune_collector()
        assert gone() is None
    finally:
        gc.unfreeze()
        gc.set_threshold(*before[0])
        sys.setswitchinterval(before[1])
