"""Views that a test fills with records, read by the web as it reads any views."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agents.views.conflate import Published, conflate, tick_at
from agents.views.port import Batch, Place, Standing, ViewsReader
from dashboards.web.view import Touched, View
from stream.topics import ALERTS, SCORE_UPDATES, TICKS, UNIT_UPDATES
from tests.agents.views.sites import LOG, Site, TwinSite


def show(view: View, records: Iterable[Published]) -> Touched:
    """Puts what the records leave into a view, as if its units were watched."""
    records = list(records)
    latest = conflate(records)
    view.tell(standing_of(records, Standing("e", True, view.now, view.last_commit)))
    units = {unit: None if known is None else known.value for unit, known in latest.units.items()}
    told = {known.unit for known in latest.alerts.values() if known}
    alerts = {unit: [known.value for known in latest.alerts.values() if known and known.unit == unit] for unit in told}
    return view.put(units, latest.employees, latest.templates.values(), alerts)


def standing_of(records: Iterable[Published], before: Standing) -> Standing:
    """The standing after these records."""
    ticks = [at for record in records if record.topic == TICKS and (at := tick_at(record.value)) is not None]
    heard = [record.timestamp for record in records if record.topic in (UNIT_UPDATES, SCORE_UPDATES, ALERTS)]
    now = max([*ticks, *([] if before.now is None else [before.now])], default=None)
    known = [] if before.heard is None else [before.heard]
    return Standing(before.epoch, True, now, max([*ticks, *heard, *known], default=None))


class Shelf:
    """Views in a folder, or where a test of both places says. `apply` may be called from anywhere, `put` in a loop."""

    def __init__(self, place: Path | Site) -> None:
        if isinstance(place, Path):
            place.mkdir(parents=True, exist_ok=True)
        self._site = TwinSite(place) if isinstance(place, Path) else place

    def reader(self) -> ViewsReader:
        """One more web process's side."""
        return self._site.reader()

    def apply(self, records: Iterable[Published]) -> None:
        """Writes what these records leave; complete views, whatever was there before."""
        with ThreadPoolExecutor(max_workers=1) as beside:  # a test in a browser has a loop of its own here
            beside.submit(asyncio.run, self.put(list(records))).result()

    def clear(self) -> None:
        """Takes the views away; the next records begin new ones."""
        self._site.lose()

    async def put(self, records: list[Published]) -> None:
        """As `apply`, in a running loop."""
        writer = self._site.writer()
        found, before = conflate(records), (await writer.begin(LOG, 1, [0]))[0]
        told = standing_of(records, Standing("e", True, before.now, before.heard))
        after = Place({SCORE_UPDATES: before.offsets.get(SCORE_UPDATES, 0) + 1}, True, told.now, told.heard)
        await writer.put(Batch(found.units, found.employees, found.templates, found.alerts, {0: before}, {0: after}))
        await writer.close()
