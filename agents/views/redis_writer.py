"""Views in Redis, written: a batch is one transaction, and it counts only where the one before it ended."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError, WatchError

from agents.views.port import FORMAT, Batch, Place, UnitView, ViewsMoved, ViewsTaken
from agents.views.redis_alerts import alerts_before, stage_alerts
from agents.views.redis_client import TIME_LIMIT, Client, RedisPlace, connect, told
from agents.views.redis_keys import EpochKeys, Head, Keys
from schemas.unreadable import UNREADABLE

SILENCE: Final = 60.0  # s after the last write until another installation may have the prefix
SWEEP: Final = 1_000  # keys of an old epoch looked at in one command


class News(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is published on the channel: the views that it speaks of, what changed in them, what is wrong.

    `alerts`: units whose open alerts have changed.
    """

    epoch: str
    units: list[str] = []
    employees: list[str] = []
    templates: bool = False
    alerts: list[str] = []
    trouble: str | None = None


class RedisWriter:
    """The writing side of one worker's projection. `silence` (s): see SILENCE."""

    def __init__(self, place: RedisPlace, time_limit: float = TIME_LIMIT, silence: float = SILENCE) -> None:
        self._place = place
        self._silence_ms = round(1000 * silence)
        self._limit = time_limit
        self._names = Keys(place.prefix)
        self._client: Client | None = None
        self._head: Head | None = None
        self._written: dict[int, bytes] = {}  # the places as this writer left them
        self._boards: dict[str, int] = {}  # of each unit a digest of the members written last
        self._left: list[tuple[str, int]] = []  # epochs whose keys are to be removed, and how far that is

    async def begin(self, log_id: str, partitions: int, owned: Collection[int]) -> dict[int, Place]:
        """See ViewsWriter."""
        with told(self._place):
            async with asyncio.timeout(5 * self._limit):
                client = self._connected()
                self._boards.clear()
                self._head = await self._epoch(client, log_id, partitions)
                self._left = [(epoch.decode(), 0) for epoch in await client.smembers(self._names.left)]
                numbers = sorted(owned)
                found = await client.mget(self._keys.places(numbers)) if numbers else []
        self._written = dict(zip(numbers, (_bytes(value) for value in found), strict=True))
        return {number: _decode_place(value) for number, value in self._written.items()}

    async def put(self, batch: Batch) -> None:
        """See ViewsWriter."""
        if self._client is None or self._head is None:
            raise ViewsMoved("nothing was begun")
        after = {number: _encode(place) for number, place in batch.after.items()}
        with told(self._place):
            async with asyncio.timeout(5 * self._limit):
                try:
                    await self._transact(self._client, self._head, batch, after)
                except WatchError:
                    raise ViewsMoved("somebody else wrote at the same time") from None
                self._written.update(after)
                await self._sweep(self._client)
        self._boards.update((unit, hash(view.members)) for unit, view in batch.units.items() if view is not None)

    async def complain(self, trouble: str) -> None:
        """See ViewsWriter. To publish takes no memory, so it works where a write does not."""
        if self._client is not None and self._head is not None:
            with told(self._place):
                await self._client.publish(self._names.changes, _encode(News(self._head.epoch, trouble=trouble)))

    async def doubt(self) -> str | None:
        """See ViewsWriter: a Redis that throws away what nobody asked it to."""
        try:
            policy = str((await self._connected().info("memory")).get("maxmemory_policy", ""))
        except RedisError:  # not everybody may ask
            return None
        if not policy.startswith("allkeys"):
            return None
        return f"{self._place.url} has maxmemory-policy {policy}: views would vanish one by one; set it to noeviction"

    async def close(self) -> None:
        """See ViewsWriter."""
        client, self._client = self._client, None
        if client is not None:
            with told(self._place):
                await client.aclose()

    @property
    def _keys(self) -> EpochKeys:
        assert self._head is not None
        return self._names.epoch(self._head.epoch)

    def _connected(self) -> Client:
        if self._client is None:
            self._client = connect(self._place, self._limit)
        return self._client

    async def _epoch(self, client: Client, log_id: str, partitions: int) -> Head:
        """The views of this log, begun anew when there are none; of several workers one begins them. ViewsTaken."""
        while True:
            async with client.pipeline(transaction=True) as pipe:
                await pipe.watch(self._names.head, self._names.alive)
                value, alive = await pipe.mget(self._names.head, self._names.alive)
                found = decode_head(value)
                if found is not None and (log_id, FORMAT, partitions) == (found.log, found.format, found.partitions):
                    return found
                if found is not None and alive is not None and _owner(found.log) != _owner(log_id):
                    raise self._taken(found)
                head = Head(secrets.token_hex(6), log_id, FORMAT, partitions)
                pipe.multi()
                pipe.set(self._names.head, _encode(head))
                self._stage_alive(pipe, head)
                if found is not None:
                    pipe.sadd(self._names.left, found.epoch)
                pipe.publish(self._names.changes, _encode(News(head.epoch)))
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return head

    def _taken(self, found: Head) -> ViewsTaken:
        prefix, seconds = self._place.prefix, self._silence_ms // 1000
        return ViewsTaken(
            f"redis_prefix {prefix!r} at {self._place.url} belongs to another installation, which is alive: views of "
            f"log {_owner(found.log)!r}; set redis_prefix (workers and web alike) to a name that no other installation "
            f"has, or stop the other one: {seconds} s after its last write the prefix is taken over"
        )

    def _stage_alive(self, pipe: Any, head: Head) -> None:
        pipe.set(self._names.alive, head.log, px=self._silence_ms)

    async def _sweep(self, client: Client) -> None:
        """Removes some of what views before these have left: a little after each batch, so that nothing waits."""
        if not self._left:
            return
        epoch, cursor = self._left.pop()
        cursor, keys = await client.scan(cursor, match=self._names.epoch(epoch).all, count=SWEEP)
        if keys:
            await client.unlink(*keys)
        if cursor:
            self._left.append((epoch, cursor))
        else:
            await client.srem(self._names.left, epoch)

    async def _transact(self, client: Client, head: Head, batch: Batch, after: Mapping[int, bytes]) -> None:
        keys = self._keys
        numbers = list(batch.before)
        names = [self._names.head, *keys.places(numbers)]
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch(*names)
            now, *places = await pipe.mget(names)
            if decode_head(now) != head or [_bytes(place) for place in places] != [self._written[n] for n in numbers]:
                raise ViewsMoved("the views are not where this worker left them")
            before = await alerts_before(pipe, keys, batch.alerts)
            pipe.multi()
            self._stage(pipe, keys, batch)
            alerted = sorted(stage_alerts(pipe, keys, before, batch.alerts))
            pipe.mset({keys.place(number): value for number, value in after.items()})
            self._stage_alive(pipe, head)
            news = News(head.epoch, list(batch.units), list(batch.employees), bool(batch.templates), alerted)
            pipe.publish(self._names.changes, _encode(news))
            await pipe.execute()

    def _stage(self, pipe: Any, keys: EpochKeys, batch: Batch) -> None:
        for unit, view in batch.units.items():
            self._stage_unit(pipe, keys, unit, view)
        there = {employee: value for employee, value in batch.employees.items() if value is not None}
        gone = [employee for employee, value in batch.employees.items() if value is None]
        if there:
            pipe.mset({keys.employee(employee): value for employee, value in there.items()})
            pipe.zadd(keys.employees, dict.fromkeys(there, 0))
        if gone:
            pipe.delete(*map(keys.employee, gone))
            pipe.zrem(keys.employees, *gone)
        for name, text in batch.templates.items():
            pipe.hsetnx(keys.templates, name, text)

    def _stage_unit(self, pipe: Any, keys: EpochKeys, unit: str, view: UnitView | None) -> None:
        if view is None:
            pipe.delete(keys.unit(unit), keys.board(unit))
            pipe.zrem(keys.units, unit)
            self._boards.pop(unit, None)
            return
        people = str(view.people)
        fields = {"value": view.value, "as_of": view.as_of, "newest": view.newest or "", "people": people}
        pipe.hset(keys.unit(unit), mapping=fields)
        pipe.zadd(keys.units, {unit: 0})
        if self._boards.get(unit) != hash(view.members):  # who belongs to a unit changes seldom
            pipe.delete(keys.board(unit))
            if view.members:
                pipe.zadd(keys.board(unit), dict.fromkeys(view.members, 0))


def _owner(log: str) -> str:
    """Whose views: topics that were made anew are another log of the same installation."""
    return log.partition("/")[0]


def decode_head(value: object) -> Head | None:
    """The head as stored, None when there is none or it is not ours."""
    try:
        return _heads.decode(_bytes(value))
    except UNREADABLE:
        return None


def _decode_place(value: bytes) -> Place:
    try:
        return _places.decode(value)
    except UNREADABLE:
        return Place()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


_encode: Final = msgspec.json.Encoder().encode
_heads: Final = msgspec.json.Decoder(Head)
_places: Final = msgspec.json.Decoder(Place)
