"""How the scoring service is, told from what it publishes: a service that is silent is not a line that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dashboards.web.view import View

State = Literal["waiting", "loading", "live", "silent"]
SILENT_AFTER: Final = 30_000


@dataclass(slots=True)
class Service:
    """`waiting`: there is no log yet; `loading`: reading it; `live`; `silent`: no tick for `silent_after` ms."""

    found: bool = False
    caught_up: bool = False
    trouble: str | None = None
    silent_after: int = SILENT_AFTER

    def state(self, view: View, wall: int) -> tuple[State, int | None]:
        """The state at wall time in ms, and since when for a silent one."""
        if not self.found:
            return "waiting", None
        if not self.caught_up:
            return "loading", None
        heard = view.last_commit
        if heard is None:
            return "waiting", None
        return ("silent", heard) if wall - heard > self.silent_after else ("live", None)
