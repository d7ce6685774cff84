"""How the scoring service is, told from what it publishes: a service that is silent is not a line that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dashboards.web.view import View

State = Literal["waiting", "loading", "live", "silent", "unavailable"]
SILENT_AFTER: Final = 30_000


@dataclass(slots=True)
class Service:
    """What the follower knows of the views. `contact`: wall time in ms at which they were last in order.

    `waiting`: there are none yet; `loading`: they are being built from the log; `live`; `silent`: nothing new, not
    even a tick, for `silent_after` ms; `unavailable`: they cannot be read, or nobody can write them.
    """

    found: bool = False
    caught_up: bool = False
    trouble: str | None = None
    contact: int | None = None
    silent_after: int = SILENT_AFTER

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
        return ("silent", heard) if wall - heard > self.silent_after else ("live", None)

    def well(self, wall: int) -> None:
        """The views were read at this wall time."""
        self.trouble, self.contact = None, wall

    def fail(self, trouble: str, wall: int) -> None:
        """They were not; who was never in contact counts from the first attempt."""
        self.trouble = trouble
        if self.contact is None:
            self.contact = wall
