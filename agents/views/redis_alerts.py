"""Open alerts in Redis: their rows in one hash, and sorted sets of their ids by the time at which they were raised."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from agents.views.conflate import alert_view
from agents.views.port import AlertView
from agents.views.redis_keys import EpochKeys


async def alerts_before(pipe: Any, keys: EpochKeys, ids: Collection[str]) -> dict[str, AlertView]:
    """Those of these alerts that are open in the views. The places that `pipe` watches change with any of them."""
    if not ids:
        return {}
    found = zip(ids, await pipe.hmget(keys.alerts, list(ids)), strict=True)
    known = {name: alert_view(name, value) for name, value in found if value is not None}
    return {name: view for name, view in known.items() if view is not None}


def stage_alerts(
    pipe: Any, keys: EpochKeys, before: Mapping[str, AlertView], alerts: Mapping[str, AlertView | None]
) -> set[str]:
    """Puts alerts in place of what was there `before`; the units that they are, or were, of."""
    touched: set[str] = set()
    for name, view in alerts.items():
        old = before.get(name)
        if view == old:
            continue
        if old is not None:  # it may be of another unit now: a past that is counted anew can tell where it was
            for index in _indexes(keys, old):
                pipe.zrem(index, name)
            touched.add(old.unit)
        if view is None:
            pipe.hdel(keys.alerts, name)
            continue
        pipe.hset(keys.alerts, name, view.value)
        for index in _indexes(keys, view):
            pipe.zadd(index, {name: view.raised})
        touched.add(view.unit)
    return touched


def _indexes(keys: EpochKeys, view: AlertView) -> list[str]:
    own = [keys.raised, keys.unit_alerts(view.unit)]
    return [*own, keys.employee_alerts(view.employee)] if view.employee else own
