"""What screens look at follows the views: read when a screen comes, then on with each change, and anew after trouble.

A value that was asked for earlier never replaces one that was asked for later: reading and taking is one step at a
time.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from agents.views.ending import cancellable
from agents.views.port import Change, ViewsIncomplete, ViewsReader, ViewsUnavailable
from dashboards.web.metrics import Metrics
from dashboards.web.service import Service
from dashboards.web.view import Touched, View

log: Final = logging.getLogger(__name__)
LOST: Final = "there are no views any longer; a worker builds them anew"


@dataclass(frozen=True, slots=True)
class FollowerPace:
    """Seconds: the first pause after a failure, and the longest."""

    retry: float = 0.25
    longest: float = 3.0


PACE: Final = FollowerPace()


class Follower:
    """Keeps a view level with the views for the units that are watched. `touched` is told which units changed."""

    def __init__(
        self,
        views: ViewsReader,
        view: View,
        service: Service,
        metrics: Metrics,
        clock: Callable[[], int],
        touched: Callable[[Iterable[str]], None],
        pace: FollowerPace = PACE,
    ) -> None:
        self._views = views
        self._view = view
        self._service = service
        self._metrics = metrics
        self._clock = clock
        self._touched = touched
        self._pace = pace
        self._watched: dict[str, int] = {}
        self._loaded: set[str] = set()  # of the watched units, those that are in the view
        self._seen = False  # whether there ever were views
        self._stale = True  # whether everything has to be read again
        self._step = asyncio.Lock()

    async def run(self) -> None:
        """Follows until cancelled; views that cannot be read are tried again."""
        await cancellable(self._run())

    async def _run(self) -> None:
        failed = 0
        while True:
            began = self._service.contact
            try:
                await self._follow()
            except ViewsIncomplete:
                self._stale, self._service.caught_up = True, False
            except ViewsUnavailable as error:
                self._fail(str(error))
            except Exception as bug:  # screens keep what they have; nobody knows what it is worth now
                log.exception("following the views failed")
                self._fail(f"{type(bug).__name__}: {bug}")
            failed = failed + 1 if self._service.contact == began else 0
            pause = min(self._pace.longest, self._pace.retry * 2 ** min(failed, 10))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    @asynccontextmanager
    async def watching(self, unit: str) -> AsyncIterator[None]:
        """The unit is in the view while the block runs, as soon as it can be read."""
        self._watched[unit] = self._watched.get(unit, 0) + 1
        try:
            await self._load(unit)
            yield
        finally:
            self._watched[unit] -= 1
            if not self._watched[unit]:
                del self._watched[unit]
                self._loaded.discard(unit)
                self._view.forget(unit)

    async def _load(self, unit: str) -> None:
        """Reads a unit that nobody watched before. What cannot be read now comes when the views are in order again."""
        if unit in self._loaded or self._service.trouble is not None:
            return
        async with self._step:
            if unit not in self._loaded:
                with suppress(ViewsUnavailable):
                    await self._read([unit])

    def _fail(self, reason: str) -> None:
        self._metrics.failures.inc()
        self._stale = True
        self._service.fail(reason, self._clock())

    async def _follow(self) -> None:
        async with aclosing(self._views.changes()) as changes:
            async for change in changes:
                await self._hear(change)

    async def _hear(self, change: Change) -> None:
        standing, service = change.standing, self._service
        if standing.epoch is None:
            self._stale = True
            service.found = service.caught_up = False
            if self._seen:
                service.fail(LOST, self._clock())
            else:
                service.well(self._clock())
            return
        self._seen = service.found = True
        self._view.tell(standing)
        service.hear(self._view, self._clock())
        if not standing.complete:
            self._stale, service.caught_up = True, False
            service.well(self._clock())
            return
        await self._take(change)
        service.caught_up = True
        if change.trouble is None:
            service.well(self._clock())
        else:
            service.fail(change.trouble, self._clock())

    async def _take(self, change: Change) -> None:
        async with self._step:
            if change.anew or self._stale:
                await self._read(list(self._watched), anew=True)
                self._stale = False
                return
            if change.templates:
                self._touched(self._view.put(templates=await self._views.templates()).units)
            units = [unit for unit in change.units if unit in self._watched]
            if units:
                await self._replace_units(units)
            people = self._view.shown(change.employees) | self._view.missing() if units or change.employees else set()
            if people:
                await self._replace_people(people)
            alerted = [unit for unit in change.alerts if unit in self._watched]
            if alerted:
                await self._replace_alerts(alerted)
        if change.units or change.employees or change.alerts:
            self._metrics.lag.observe(max(0, self._clock() - (change.standing.heard or 0)) / 1000)

    async def _read(self, units: Collection[str], *, anew: bool = False) -> None:
        """Units with all their people and alerts; `anew`: they are all that the view has, in place of what it had."""
        found = await self._views.boards(units)
        texts = await self._views.templates() if anew or not self._view.catalogue.size else []
        if anew:
            self._view.clear()
            self._loaded.clear()
        # Somebody may have turned away meanwhile.
        there = {unit: found.units.get(unit) for unit in units if unit in self._watched}
        alerts = {unit: found.alerts.get(unit, []) for unit in there}
        touched = self._view.put(there, found.employees, texts, alerts)
        self._view.prune()
        self._loaded.update(there)
        self._take_over(len(there) + len(found.employees), touched)
        if anew:
            self._touched(self._watched)

    async def _replace_units(self, units: Collection[str]) -> None:
        found = await self._views.units(units)
        there = {unit: found.get(unit) for unit in units if unit in self._watched}
        self._take_over(len(there), self._view.put(units=there))

    async def _replace_people(self, people: Collection[str]) -> None:
        found = await self._views.employees(people)
        there = {person: found.get(person) for person in self._view.shown(people)}
        self._take_over(len(there), self._view.put(employees=there))

    async def _replace_alerts(self, units: Collection[str]) -> None:
        found = await self._views.unit_alerts(units)
        there = {unit: found.get(unit, []) for unit in units if unit in self._watched}
        self._take_over(len(there), self._view.put(alerts=there))

    def _take_over(self, values: int, touched: Touched) -> None:
        self._metrics.records.inc(values)
        self._metrics.unreadable.inc(touched.unreadable)
        self._touched(touched.units)
