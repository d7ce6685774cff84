"""One unit's board for any number of screens: a change is drawn once, encoded once and handed to all of them.

A screen that falls behind loses its oldest messages. As a change is worth nothing without the one before it, such a
screen is given the whole board instead: what a screen shows is always some state that the board really had.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from dashboards.web.board import Drawing, Drawn
from dashboards.web.sse import event
from dashboards.web.view import View

QUEUE: Final = 2


class Screen:
    """What waits to be sent to one connection; `snapshot` gives the whole board when messages were lost."""

    def __init__(self, snapshot: Callable[[], bytes]) -> None:
        self._snapshot = snapshot
        self._waiting: deque[bytes] = deque()
        self._behind = True
        self._closed = False
        self._last: bytes | None = None
        self._wake = asyncio.Event()
        self._wake.set()

    def offer(self, message: bytes) -> bool:
        """Queues a message; False when the screen is too slow and gets a snapshot instead."""
        if self._behind:
            return True
        if len(self._waiting) == QUEUE:
            self._waiting.clear()
            self._behind = True
            return False
        self._waiting.append(message)
        self._wake.set()
        return True

    def close(self, last: bytes | None = None) -> None:
        """Ends the stream: nothing more is sent, but for a last word."""
        self._closed, self._last = True, last
        self._wake.set()

    async def next(self) -> bytes | None:
        """Waits for something to send: the whole board at first and after a loss, else the next message, None last."""
        await self._wake.wait()
        if self._closed:
            last, self._last = self._last, None
            return last
        if self._behind:
            self._behind = False
            message = self._snapshot()
        else:
            message = self._waiting.popleft()
        if not self._waiting:
            self._wake.clear()
        return message


class Channel:
    """The screens of one unit and the board as it was last sent to them."""

    def __init__(self, unit: str, view: View, draw: Callable[[Drawing], Drawn] | None = None) -> None:
        self.unit = unit
        self.screens: set[Screen] = set()
        self.spoke = 0.0  # when something was last sent to all of them, by the clock of the loop
        self._drawing = Drawing(unit)
        self._draw = draw or (lambda drawing: drawing.draw(view))
        self._drawn = self._draw(self._drawing)
        self._encoded: bytes | None = None

    def snapshot(self) -> bytes:
        """The whole board as last sent, encoded once however many screens ask."""
        if self._encoded is None:
            drawn = self._drawn
            people = list(drawn.people.values())
            data = {"unit": self.unit, "summary": drawn.summary, "people": people, "alerts": drawn.alerts}
            self._encoded = event("snapshot", data)
        return self._encoded

    def advance(self) -> bytes | None:
        """Draws the board anew; the change since the last time, None when there is none."""
        before, after = self._drawn, self._draw(self._drawing)
        change = difference(before, after)
        if not change:
            return None
        self._drawn, self._encoded = after, None
        return event("change", {"unit": self.unit, **change})


def difference(before: Drawn, after: Drawn) -> dict[str, Any]:
    """What to replace on a screen that shows `before`: the summary, the banner, people who changed or left."""
    change: dict[str, Any] = {}
    if before.summary != after.summary:
        change["summary"] = after.summary
    if changed := [tile for employee, tile in after.people.items() if before.people.get(employee) != tile]:
        change["people"] = changed
    if before.alerts != after.alerts:
        change["alerts"] = after.alerts
    if gone := [employee for employee in before.people if employee not in after.people]:
        change["gone"] = gone
    return change
