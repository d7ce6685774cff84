"""Views in Redis, read: every answer is of one epoch, which is asked for together with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing, suppress
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError

from agents.views.port import (
    FORMAT,
    AlertKey,
    Boards,
    Change,
    PersonView,
    Place,
    Standing,
    UnitEntry,
    ViewsIncomplete,
    ViewsUnavailable,
    standing_of,
    unit_in,
)
from agents.views.redis_client import TIME_LIMIT, Client, RedisPlace, connect, told
from agents.views.redis_keys import EpochKeys, Head, Keys
from agents.views.redis_writer import News, decode_head
from schemas.unreadable import UNREADABLE

QUIET: Final = 1.0  # s without news after which the views are asked how they are
TOGETHER: Final = 200  # messages told as one change

Ask = Callable[[Any, EpochKeys], object]


class RedisReader:
    """The reading side of one web process."""

    def __init__(self, place: RedisPlace, time_limit: float = TIME_LIMIT) -> None:
        self._place = place
        self._limit = time_limit
        self._names = Keys(place.prefix)
        self._client: Client | None = None
        self._head: Head | None = None  # as last seen: the next question is asked of these views
        self._seen = False

    async def standing(self) -> Standing:
        """See ViewsReader."""
        return (await self._look(None))[0]

    async def unit_entries(self) -> list[UnitEntry]:
        """See ViewsReader."""
        ids = await self.unit_ids()
        found = await self._ask(
            lambda pipe, keys: [pipe.hmget(keys.unit(unit), "people", "as_of", "newest") for unit in ids]
        )
        return [_entry(unit, fields) for unit, fields in zip(ids, found, strict=False) if fields[0] is not None]

    async def unit_ids(self) -> list[str]:
        """See ViewsReader."""
        return _texts(await self._ask(lambda pipe, keys: pipe.zrange(keys.units, 0, -1)))

    async def units(self, ids: Collection[str]) -> dict[str, bytes]:
        """See ViewsReader."""
        found = await self._ask(lambda pipe, keys: [pipe.hget(keys.unit(unit), "value") for unit in ids])
        return _there(ids, found)

    async def board(self, unit: str) -> list[str]:
        """See ViewsReader."""
        return _texts(await self._ask(lambda pipe, keys: pipe.zrange(keys.board(unit), 0, -1)))

    async def boards(self, units: Collection[str]) -> Boards:
        """See ViewsReader."""
        found = await self.units(units)
        boards = await self._ask(lambda pipe, keys: [pipe.zrange(keys.board(unit), 0, -1) for unit in found])
        people = await self.employees({person.decode() for board in boards for person in board})
        return Boards(found, people, await self.unit_alerts(units))

    async def employees(self, ids: Collection[str]) -> dict[str, bytes]:
        """See ViewsReader."""
        if not ids:
            return {}
        found = await self._ask(lambda pipe, keys: pipe.mget([keys.employee(employee) for employee in ids]))
        return _there(ids, found[0] if found else [])

    async def person(self, employee: str, most: int) -> PersonView:
        """See ViewsReader. Two questions: the second one is about what the first one names."""
        found = await self._ask(
            lambda pipe, keys: (
                pipe.get(keys.employee(employee)),
                pipe.zrange(keys.employee_alerts(employee), 0, most - 1),
            )
        )
        scores, names = found if found else (None, [])
        unit = unit_in(scores)
        if not unit and not names:
            return PersonView(scores)

        def further(pipe: Any, keys: EpochKeys) -> None:
            pipe.hget(keys.unit(unit), "value")
            if names:
                pipe.hmget(keys.alerts, names)

        pooled, *alerts = await self._ask(further) or [None]
        return PersonView(scores, pooled, [value for each in alerts for value in each if value is not None])

    async def employee_ids(self, after: str, limit: int) -> list[str]:
        """See ViewsReader."""
        low = f"({after}"
        return _texts(await self._ask(lambda pipe, keys: pipe.zrangebylex(keys.employees, low, "+", 0, limit)))

    async def alert_keys(self, unit: str | None = None, employee: str | None = None) -> list[AlertKey]:
        """See ViewsReader."""

        def indexes(keys: EpochKeys) -> list[str]:
            of_unit = [] if unit is None else [keys.unit_alerts(unit)]
            return of_unit + ([] if employee is None else [keys.employee_alerts(employee)]) or [keys.raised]

        found = await self._ask(
            lambda pipe, keys: [pipe.zrange(index, 0, -1, withscores=True) for index in indexes(keys)]
        )
        lists = [[AlertKey(int(raised), name.decode()) for name, raised in each] for each in found]
        return [key for key in lists[0] if all(key in other for other in map(set, lists[1:]))] if lists else []

    async def alert_counts(self, employees: Collection[str]) -> dict[str, int]:
        """See ViewsReader."""
        asked = list(employees)
        if not asked:
            return {}
        found = await self._ask(lambda pipe, keys: [pipe.zcard(keys.employee_alerts(who)) for who in asked])
        return dict.fromkeys(asked, 0) | dict(zip(asked, found, strict=False))

    async def alerts(self, ids: Collection[str]) -> dict[str, bytes]:
        """See ViewsReader."""
        if not ids:
            return {}
        found = await self._ask(lambda pipe, keys: pipe.hmget(keys.alerts, list(ids)))
        return _there(ids, found[0] if found else [])

    async def unit_alerts(self, units: Collection[str]) -> dict[str, list[bytes]]:
        """See ViewsReader."""
        lists = await self._ask(lambda pipe, keys: [pipe.zrange(keys.unit_alerts(unit), 0, -1) for unit in units])
        ids = {unit: [name.decode() for name in names] for unit, names in zip(units, lists, strict=False)}
        found = await self.alerts([name for names in ids.values() for name in names])
        return {unit: [found[name] for name in names if name in found] for unit, names in ids.items()}

    async def templates(self) -> list[bytes]:
        """See ViewsReader."""
        found = await self._ask(lambda pipe, keys: pipe.hvals(keys.templates))
        return list(found[0]) if found else []

    async def counts(self) -> tuple[int, int]:
        """See ViewsReader."""
        found = await self._ask(lambda pipe, keys: (pipe.zcard(keys.employees), pipe.zcard(keys.units)))
        return (found[0], found[1]) if found else (0, 0)

    async def changes(self) -> AsyncGenerator[Change, None]:
        """See ViewsReader. Ends with ViewsUnavailable when nothing is heard: what was missed is then read anew."""
        news = self._connected().pubsub()
        try:
            with told(self._place):
                await self._subscribe(news)
            before = Change(await self.standing(), anew=True)
            yield before
            async with aclosing(self._heard(news)) as heard:
                async for batch in heard:
                    before = _change(before, await self.standing(), batch)
                    yield before
        finally:
            with suppress(RedisError, OSError):
                await news.aclose()

    async def close(self) -> None:
        """See ViewsReader."""
        client, self._client = self._client, None
        if client is not None:
            with told(self._place):
                await client.aclose()

    def _connected(self) -> Client:
        if self._client is None:
            self._client = connect(self._place, self._limit)
        return self._client

    async def _ask(self, ask: Ask) -> list[Any]:
        """Answers to the commands, nothing where nobody has written views yet; ViewsIncomplete."""
        standing, found = await self._look(ask)
        if standing.epoch is None and not self._seen:
            return []
        if not standing.complete:
            raise ViewsIncomplete
        return found

    async def _look(self, ask: Ask | None) -> tuple[Standing, list[Any]]:
        """How the views are, and the answers to the commands; again when the views turn out to be others.

        The head comes last: when it is still this epoch's, none of its keys had been removed before. No transaction,
        as a Redis without memory refuses to queue even what only reads.
        """
        for _ in range(5):
            head = self._head
            with told(self._place):
                async with asyncio.timeout(5 * self._limit), self._connected().pipeline(transaction=False) as pipe:
                    if head is not None:
                        keys = self._names.epoch(head.epoch)
                        pipe.mget(keys.places(range(head.partitions)))
                        if ask is not None:
                            ask(pipe, keys)
                    pipe.get(self._names.head)
                    *found, value = await pipe.execute()
            self._head = self._readable(value)
            if self._head is None:
                return Standing(), []
            self._seen = True
            if self._head == head:
                places = [_places.decode(place) for place in found[0] if place is not None]
                return standing_of(head.epoch, head.partitions, places), found[1:]
        raise ViewsIncomplete

    def _readable(self, value: object) -> Head | None:
        head = decode_head(value)
        if head is not None and head.format != FORMAT:
            raise ViewsUnavailable(
                f"{self._place.url}: the views are of format {head.format}, this process reads {FORMAT}; "
                f"run worker and web of the same version"
            )
        return head

    async def _subscribe(self, news: Client) -> None:
        async with asyncio.timeout(self._limit):
            await news.subscribe(self._names.changes)
            while (message := await news.get_message(timeout=self._limit)) is None or message["type"] != "subscribe":
                pass

    async def _heard(self, news: Client) -> AsyncGenerator[list[News], None]:
        """What was published, everything that waits at once; an empty list after a second without."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            with told(self._place):
                batch, alive = await self._next(news)
            if batch or alive:
                last = loop.time()
            elif loop.time() - last > QUIET + self._limit:
                raise ViewsUnavailable(f"{self._place.url}: no answer for {loop.time() - last:.0f} s")
            else:
                with told(self._place):
                    await news.ping()  # the answer comes as a message
            yield batch

    async def _next(self, news: Client) -> tuple[list[News], bool]:
        batch: list[News] = []
        alive = False
        message = await news.get_message(timeout=QUIET)
        while message is not None:
            alive = True
            if message["type"] == "message" and (one := _news_of(message["data"])) is not None:
                batch.append(one)
            if len(batch) >= TOGETHER:
                break
            message = await news.get_message(timeout=0.0)
        return batch, alive


def _change(before: Change, standing: Standing, news: list[News]) -> Change:
    ours = [one for one in news if one.epoch == standing.epoch]
    return Change(
        standing,
        frozenset(unit for one in ours for unit in one.units),
        frozenset(employee for one in ours for employee in one.employees),
        any(one.templates for one in ours),
        frozenset(unit for one in ours for unit in one.alerts),
        standing.epoch != before.standing.epoch,
        ours[-1].trouble if ours else before.trouble,
    )


def _news_of(data: bytes) -> News | None:
    try:
        return _news.decode(data)
    except UNREADABLE:
        return None


def _texts(found: list[Any]) -> list[str]:
    return [each.decode() for each in found[0]] if found else []


def _there(ids: Collection[str], found: list[Any]) -> dict[str, bytes]:
    return {id: value for id, value in zip(ids, found, strict=False) if value is not None}


def _entry(unit: str, fields: list[bytes | None]) -> UnitEntry:
    people, as_of, newest = ((field or b"").decode() for field in fields)
    return UnitEntry(unit, int(people), as_of, newest or None)


_news: Final = msgspec.json.Decoder(News)
_places: Final = msgspec.json.Decoder(Place)
