"""Views in a Redis that is killed, stopped, full, secured, of another format, or shared with somebody else."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest

from agents.views.port import Change, Place, ViewsIncomplete, ViewsMoved, ViewsTaken, ViewsUnavailable
from agents.views.redis_client import RedisPlace
from agents.views.redis_reader import RedisReader
from agents.views.redis_writer import RedisWriter
from tests.agents.views.fake_log import FakeLog
from tests.agents.views.sites import LOG, RedisSite, batch, replace, until
from tests.agents.views.test_projection import agree, expected, projecting, tried
from tests.e2e.redis_server import RedisServer
from tests.web.factories import line, row, scores

LIMIT = 0.3  # s


@pytest.fixture
async def pair(fresh_redis: RedisServer) -> AsyncIterator[tuple[RedisWriter, RedisReader]]:
    """Both sides, of little patience."""
    place = RedisPlace(fresh_redis.url)
    writer, reader = RedisWriter(place, LIMIT), RedisReader(place, LIMIT)
    yield writer, reader
    fresh_redis.resume() if fresh_redis.running else fresh_redis.start()
    await writer.close()
    await reader.close()


Pair = tuple[RedisWriter, RedisReader]


async def test_a_redis_that_is_gone_is_said_at_once(pair: Pair, fresh_redis: RedisServer) -> None:
    """With its address; and what comes back empty is not taken for an empty company."""
    writer, reader = pair
    await writer.begin(LOG, 1, [0])
    first = batch(*line())
    await writer.put(first)
    assert ["L03"] == await reader.unit_ids()
    fresh_redis.kill()
    with pytest.raises(ViewsUnavailable, match=f"127.0.0.1:{fresh_redis.port}"):
        await writer.put(batch(scores("E1"), before=first.after[0], offset=2))
    with pytest.raises(ViewsUnavailable):
        await reader.unit_ids()
    fresh_redis.start()
    with pytest.raises(ViewsIncomplete):
        await reader.unit_ids()
    with pytest.raises(ViewsMoved):
        await writer.put(batch(scores("E1"), before=first.after[0], offset=2))


async def test_a_redis_that_does_not_answer_is_not_waited_for(pair: Pair, fresh_redis: RedisServer) -> None:
    """A stopped process keeps its connections; commands end by their time limit, on both sides."""
    writer, reader = pair
    await writer.begin(LOG, 1, [0])
    first = batch(*line())
    await writer.put(first)
    await reader.unit_ids()
    fresh_redis.pause()
    began = time.monotonic()
    with pytest.raises(ViewsUnavailable):
        await writer.put(batch(scores("E1"), before=first.after[0], offset=2))
    with pytest.raises(ViewsUnavailable):
        await reader.unit_ids()
    assert time.monotonic() - began < 10 * LIMIT
    fresh_redis.resume()
    assert ["L03"] == await reader.unit_ids()


async def test_a_batch_that_arrives_after_its_sender_gave_up_does_no_harm(pair: Pair, fresh_redis: RedisServer) -> None:
    """Stopped before the answer, Redis takes the batch when it goes on; who sends it again is told."""
    writer, reader = pair
    await writer.begin(LOG, 1, [0])
    first = batch(scores("E1", row(1)), offset=1)
    await writer.put(first)
    place = first.after[0]
    for offset in range(2, 30):
        step = batch(scores("E1", row(offset)), before=place, offset=offset)
        stopping = asyncio.get_running_loop().call_later(0.0003 * (offset % 10), fresh_redis.pause)
        try:
            await writer.put(step)
        except (ViewsUnavailable, ViewsMoved):
            pass
        finally:
            stopping.cancel()
            fresh_redis.resume()
        await until(partial(agrees, writer, reader))
        place = (await writer.begin(LOG, 1, [0]))[0]


async def agrees(writer: RedisWriter, reader: RedisReader) -> bool:
    """Whether what is held is what the place says, which is all that a batch may ever change."""
    held = (await reader.employees(["E1"]))["E1"]
    at = (await writer.begin(LOG, 1, [0]))[0].offsets["score-updates"]
    return held == scores("E1", row(at)).value


async def test_who_only_listens_notices_that_redis_stopped(pair: Pair, fresh_redis: RedisServer) -> None:
    """A connection that says nothing for ever is no quiet night."""
    writer, reader = pair
    await writer.begin(LOG, 1, [0])
    await writer.put(batch(*line()))
    async with asyncio.timeout(10), aclosing(reader.changes()) as changes:
        await anext(changes)
        fresh_redis.pause()
        with pytest.raises(ViewsUnavailable):
            await said(changes)


async def test_a_full_redis_is_told_to_screens_and_heals(fresh_redis: RedisServer) -> None:
    """Nothing can be written, but publishing takes no memory; scoring knows nothing of it."""
    site = RedisSite(fresh_redis)
    log, reader = FakeLog(*line(people=50)), site.reader()
    async with asyncio.timeout(20), aclosing(reader.changes()) as changes:
        async with projecting(log, site.writer()) as projection:
            await until(lambda: agree(reader, expected(*line(people=50))))
            assert "+OK" in fresh_redis.ask("CONFIG", "SET", "maxmemory", "1")
            log.write(scores("E0001", row(50)))
            await until(lambda: tried(projection, 1))
            trouble = await said(changes)
            assert "maxmemory" in trouble
            assert "E0001" not in trouble
            assert expected(*line(people=50)) == dict(await everything(reader))
            assert "+OK" in fresh_redis.ask("CONFIG", "SET", "maxmemory", "0")
            await until(lambda: agree(reader, expected(*line(people=50), scores("E0001", row(50)))))
        while (await anext(changes)).trouble is not None:
            pass
    await reader.close()


async def said(changes: object) -> str:
    """What is wrong, once it is told."""
    while True:
        change: Change = await anext(changes)  # type: ignore[call-overload]
        if change.trouble is not None:
            return change.trouble


async def everything(reader: object) -> dict[str, bytes]:
    """The company as it can be read."""
    assert isinstance(reader, RedisReader)
    return {**await reader.units(["L03"]), **await reader.employees(await reader.employee_ids("", 99))}


async def test_old_views_are_removed_and_nothing_else(redis_server: RedisServer) -> None:
    """Another log leaves no key behind; what others keep in this Redis is theirs."""
    site = RedisSite(redis_server)
    assert "+OK" in redis_server.ask("SET", "scorestream-of-somebody:views", "theirs")
    async with projecting(FakeLog(*line(people=30)), site.writer()):
        reader = site.reader()
        await until(lambda: agree(reader, expected(*line(people=30))))
        old = (await reader.standing()).epoch
    async with projecting(FakeLog(*line("L04"), log_id="log-2"), site.writer()):
        await until(lambda: agree(reader, expected(*line("L04"))))
        await until(lambda: gone(redis_server, f"scorestream:{old}:*"))
    assert "theirs" in redis_server.ask("GET", "scorestream-of-somebody:views")
    assert ":0" in redis_server.ask("SCARD", "scorestream:left")
    await reader.close()


async def gone(server: RedisServer, pattern: str) -> bool:
    """Whether no key is of this pattern."""
    return server.ask("KEYS", pattern) == "*0\r\n"


async def test_views_of_another_format_are_not_guessed_at(redis_server: RedisServer) -> None:
    """A web process of another version says what to do; a worker makes them anew."""
    assert "+OK" in redis_server.ask(
        "SET", "scorestream:views", '{"epoch":"e","log":"log-1","format":99,"partitions":1}'
    )
    site = RedisSite(redis_server)
    reader, writer = site.reader(), site.writer()
    with pytest.raises(ViewsUnavailable, match="format 99"):
        await reader.standing()
    await writer.begin(LOG, 1, [0])
    await writer.put(batch(*line()))
    assert ["L03"] == await reader.unit_ids()
    await reader.close()
    await writer.close()


async def test_a_redis_that_throws_views_away_is_doubted(fresh_redis: RedisServer) -> None:
    """They would vanish one by one, and nobody would know."""
    writer = RedisWriter(RedisPlace(fresh_redis.url))
    assert await writer.doubt() is None
    assert "+OK" in fresh_redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert "set it to noeviction" in str(await writer.doubt())
    await writer.close()


async def test_another_installation_does_not_take_a_prefix_that_is_in_use(pair: Pair, fresh_redis: RedisServer) -> None:
    """It is told whose views are there and what to do; those who have the prefix notice nothing."""
    writer, reader = pair
    await writer.begin("log-1/a/b", 1, [0])
    first = batch(*line())
    await writer.put(first)
    other = RedisWriter(RedisPlace(fresh_redis.url), LIMIT)
    with pytest.raises(ViewsTaken) as told:
        await other.begin("log-2/c/d", 1, [0])
    assert "redis_prefix 'scorestream' at redis://127.0.0.1" in str(told.value)
    assert "log 'log-1'; set redis_prefix" in str(told.value)
    await writer.put(batch(scores("E9"), before=first.after[0], offset=2))
    assert {"E9"} == set(await reader.employees(["E9"]))
    elsewhere = RedisWriter(RedisPlace(fresh_redis.url, prefix="second"), LIMIT)
    assert {0: Place()} == await elsewhere.begin("log-2/c/d", 1, [0])
    for each in (other, elsewhere):
        await each.close()


async def test_a_prefix_is_taken_over_when_its_writer_has_fallen_silent(fresh_redis: RedisServer) -> None:
    """An installation that was rebuilt or replaced waits for that long, and no longer; the one before it is told."""
    place = RedisPlace(fresh_redis.url)
    before, after, reader = RedisWriter(place, silence=0.3), RedisWriter(place), RedisReader(place)
    await before.begin("log-1", 1, [0])
    await before.put(batch(*line("L03")))
    begun = await replace(after, "log-2")
    await after.put(batch(*line("L04"), before=begun[0]))
    assert ["L04"] == await reader.unit_ids()
    with pytest.raises(ViewsMoved):
        await before.put(batch(scores("E1"), before=batch(*line("L03")).after[0], offset=2))
    with pytest.raises(ViewsTaken):
        await before.begin("log-1", 1, [0])
    for each in (before, after, reader):
        await each.close()


async def test_topics_that_were_made_anew_are_of_the_same_installation(pair: Pair) -> None:
    """Their views begin at once: nobody else has written there."""
    writer, reader = pair
    await writer.begin("log-1/a/b", 1, [0])
    await writer.put(batch(*line("L03")))
    assert {0: Place()} == await writer.begin("log-1/a/c", 1, [0])
    await writer.put(batch(*line("L04")))
    assert ["L04"] == await reader.unit_ids()


async def test_the_password_stands_in_a_file(tmp_path: Path) -> None:
    """Read at each connection's beginning, so that it may be changed; and never said."""
    server = RedisServer(tmp_path / "redis", {"requirepass": "right"})
    server.start()
    secret = tmp_path / "secret"
    try:
        place = RedisPlace(f"redis://127.0.0.1:{server.port}/0", secret)
        for text in (None, "wrong\n"):
            if text is not None:
                secret.write_text(text)
            writer = RedisWriter(place, LIMIT)
            with pytest.raises(ViewsUnavailable, match=r"redis_password_file|password") as failure:
                await writer.begin(LOG, 1, [0])
            assert "wrong\n" not in str(failure.value)
            await writer.close()
        secret.write_text("right\n")
        writer = RedisWriter(place)
        await writer.begin(LOG, 1, [0])
        await writer.close()
    finally:
        server.stop()


async def test_views_travel_encrypted(tmp_path: Path) -> None:
    """`rediss://`: a certificate of another authority, or of another host, is refused."""
    for name in ("ours", "other"):
        make_certificate(tmp_path, name)
    settings = {
        "port": "0", "tls-port": "", "tls-cert-file": str(tmp_path / "ours.crt"),
        "tls-key-file": str(tmp_path / "ours.key"), "tls-auth-clients": "no",
    }  # fmt: skip
    server = RedisServer(tmp_path / "redis", settings)
    server._settings["tls-port"] = str(server.port)
    server.start()
    try:
        for authority, works in (("ours", True), ("other", False)):
            place = RedisPlace(f"rediss://127.0.0.1:{server.port}/0", ca_file=tmp_path / f"{authority}.crt")
            writer = RedisWriter(place)
            if works:
                assert {0: Place()} == await writer.begin(LOG, 1, [0])
            else:
                with pytest.raises(ViewsUnavailable, match="certificate"):
                    await writer.begin(LOG, 1, [0])
            await writer.close()
    finally:
        server.stop()


def make_certificate(folder: Path, name: str) -> None:
    """A key and a certificate that vouches for itself, for 127.0.0.1."""
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
