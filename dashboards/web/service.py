"""How the scoring service is, told from what it publishes: a service that is silent is not a line that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dashboards.web.view import View

State = Literal["waiting", "loading", "live", "behind", "silent", "unavailable"]
SILENT_AFTER: Final = 30_000
STILL_AFTER: Final = 8_000  # ticks come once a second: who looks at a screen is told within ten


@dataclass(slots=True)
class Service:
    """What the follower knows of the views. `contact`: wall time in ms at which they were last in order.

    `waiting`: there are none yet; `loading`: they are being built from the log; `live`; `silent`: nothing new, not
    even a tick, for `still_after` ms, or what came last is `silent_after` old; `behind`: scores come, but no ticks,
    which wait for a backlog; `unavailable`: they cannot be read, or nobody can write them.
    """

    found: bool = False
    caught_up: bool = False
    trouble: str | None = None
    contact: int | None = None
    silent_after: int = SILENT_AFTER
    still_after: int = STILL_AFTER
    _ticked: tuple[int | None, int] = (None, 0)  # the newest tick, and when it came, by the clock here
    _moved: tuple[int | None, int] = (None, 0)  # the same of anything

    def hear(self, view: View, wall: int) -> None:
        """The time of the views was read: by the clock here it is told whether it stands still, whatever it says."""
        if view.now != self._ticked[0]:
            self._ticked = (view.now, wall)
        if view.last_commit != self._moved[0]:
            self._moved = (view.last_commit, wall)

    def state(self, view: View, wall: int) -> tuple[State, int | None]:
        """The state at wall time in ms, and since when for a silent or unavailable one."""
        if self.trouble is not None:
            return "unavailable", self.contact
        if not self.found:
            return "waiting", None
        if not self.caught_up:
            return "loading", None
        heard = view.last_commit
        if heard is None:
            return "waiting", None
        if wall - heard > self.silent_after or self._stands(self._moved, wall):
            return "silent", heard
        return ("behind", view.now) if self._stands(self._ticked, wall) else ("live", None)

    def _stands(self, last: tuple[int | None, int], wall: int) -> bool:
        return last[0] is not None and wall - last[1] > self.still_after

    def well(self, wall: int) -> None:
        """The views were read at this wall time."""
        self.trouble, self.contact = None, wall

    def fail(self, trouble: str, wall: int) -> None:
        """They were not; who was never in contact counts from the first attempt."""
        self.trouble = trouble
        if self.contact is None:
            self.contact = wall
