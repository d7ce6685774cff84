"""Somebody who looks, and a person with scores of every kind, for tests of the pages about people."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any, Final

from agents.views.conflate import Published
from dashboards.web.viewer import KEY, Viewer
from schemas.instants import DAY, MINUTE, format_rfc3339
from tests.web.factories import NOW, alert, row, scores, template, tick, total, unit_scores

COOKIE: Final = "looks-as"
VIEWERS: Final = {
    "own": Viewer("account-1", "E0001"),
    "boss": Viewer("m.lee", "E0009"),
    "hr": Viewer("hr", None),
    "chinese": Viewer("account-1", "E0001", "zh"),
}
TEMPLATE: Final = """
template: production-operator
version: 1
effective_from: 2026-01-01T00:00:00+08:00
timezone: Asia/Shanghai
applies_to: everyone
title: {zh: 生产线员工, en: Production operator}
indicators:
  - id: semi_finished_yield
    name: {zh: 半成品良品率, en: Semi-finished yield}
    definition: {zh: 半成品经检验合格的比例, en: "accepted semi-finished units / all inspected semi-finished units"}
    from: qc.inspection
    where: {stage: semi_finished}
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    unit: percent
    target: 0.95
    points: 100 * min(value / target, 1.2)
    weight: 0.6
    windows: [rolling 60m, day, month]
    min_sample: 30
    next_step: {zh: 您的良品率指标未达标，请查看生产记录, en: Your yield is below target; check the production record}
  - id: first_pass
    name: {zh: 一次合格率, en: First-pass yield}
    definition: {zh: 未经返工即合格的比例, en: accepted without rework / inspected}
    from: qc.inspection
    value: (accepted - reworked) / inspected
    rate: {good: accepted - reworked, of: inspected}
    unit: percent
    target: 0.9
    weight: 0.2
    windows: [day, month]
  - id: customers
    name: {zh: 新客户, en: New customers}
    definition: {zh: 当日签约的新客户, en: new customers that signed}
    from: business.customer
    value: customers
    target: 10
    weight: 0.1
    windows: [day, month]
    next_step: {zh: 联系名单上的潜在客户, en: Call the people on the list of prospects}
  - id: collected
    name: {zh: 回款完成率, en: Collection}
    definition: {zh: 已回款 / 个人回款目标, en: money collected / personal target}
    dimension: ability
    from: business.payment
    value: collected / target("collected")
    target: 1
    weight: 0.1
    windows: [day, month]
  - id: packed
    name: {zh: 包装良品率, en: Packing yield}
    definition: {zh: 包装合格比例, en: accepted packages / all packages}
    from: qc.inspection
    where: {stage: packing}
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    target: 0.95
    weight: 0.1
    windows: [day]
    min_sample: 30
"""


class SignedIn:
    """Stands where the guard stands: who looks is a cookie's word."""

    def __init__(self, app: Any, viewer: Viewer | None = None) -> None:
        self._app = app
        self._viewer = viewer

    async def __call__(self, scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "http":
            sent = dict(scope["headers"]).get(b"cookie", b"").decode()
            named = SimpleCookie(sent).get(COOKIE)
            found = VIEWERS.get(named.value) if named else self._viewer
            scope.setdefault("state", {})[KEY] = found
        await self._app(scope, receive, send)


def person(employee: str = "E0001", good: float = 88, *, at: int = NOW) -> Published:
    """A person with something of everything today: below target, above, a sum, a personal target, too few units."""
    start = format_rfc3339(at - at % DAY)
    day: dict[str, Any] = {"window": "day", "window_start": start, "as_of": format_rfc3339(at)}
    points = 100 * good / 100 / 0.95
    rate = row(good, 100, points=points, **day)
    passed = row(190, 200, indicator="first_pass", points=100 * 0.95 / 0.9, **day)
    customers = _plain("customers", {"customers": 7}, 7, 70.0, day)
    collected = _plain("collected", {"collected": 45_000}, 0.75, 75.0, day)
    packed = row(11, 12, indicator="packed", status="insufficient", points=None, **day)
    score = (0.6 * points + 0.2 * 100 * 0.95 / 0.9 + 0.1 * 70 + 0.1 * 75) / 1.0
    own = [rate, passed, customers, collected, packed, total(score, window="day") | day]
    own += [_dimension("@performance", (0.6 * points + 0.2 * 100 * 0.95 / 0.9 + 0.1 * 70) / 0.9, day)]
    own += [_dimension("@ability", 75.0, day)]
    hour: dict[str, Any] = {"window_start": format_rfc3339(at - 60 * MINUTE), "as_of": format_rfc3339(at)}
    own += [row(28, 30, points=98.2, **hour), total(98.2) | hour]
    month: dict[str, Any] = {"window": "month", "window_start": start, "as_of": format_rfc3339(at)}
    own += [row(1900, 2000, points=100.0, **month), _plain("customers", {"customers": 31}, 31, 310.0, month)]
    own += [total(121.0, window="month") | month]
    made = scores(employee, *own, newest=at, at=at)
    panes = [[at - (20 - i) * 3 * MINUTE, 5 + i % 3, min(5 + i % 3, 4 + (i * 7) % 4)] for i in range(20)]
    trends = f'"production-operator/semi_finished_yield/day": {panes}'
    return made._replace(value=(made.value or b"").replace(b'"trends": {', f'"trends": {{{trends}, '.encode()))


def site(*employees: str, at: int = NOW) -> list[Published]:
    """A line with a template of its own, its pooled rates, people, and an alert about the first of them."""
    people = employees or ("E0001", "E0002")
    day: dict[str, Any] = {"window": "day", "window_start": format_rfc3339(at - at % DAY)}
    pooled = [row(1930, 2000, **day), row(1800, 2000, indicator="first_pass", **day), row(192, 200), total()]
    return [
        template(TEMPLATE),
        *(person(who, at=at) for who in people),
        unit_scores("L03", list(people), *pooled, newest=at, at=at),
        alert("a1", people[0], at=at - 7 * MINUTE),
        tick(at),
    ]


def _plain(
    indicator: str, sums: dict[str, Any], value: float, points: float, changes: dict[str, Any]
) -> dict[str, Any]:
    nothing = {"n": None, "good": None, "low": None, "high": None}
    return row(indicator=indicator) | nothing | {"sums": sums, "value": value, "points": points} | changes


def _dimension(name: str, points: float, changes: dict[str, Any]) -> dict[str, Any]:
    return total(points) | {"indicator": name} | changes
