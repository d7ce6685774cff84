"""How many series a worker shows has one limit over all families. What does not fit is left out whole and named.

A column is what goes or stays together: a value of all units, the counts of a rule. So what is shown can be compared,
and what is missing is missing of everybody. Sizes only grow, and what was left out stays so for a worker's life: no
counter vanishes and comes back. First come open alerts, then their counts, then values of units, then how their people
spread; each leaves something to those after it, and what it does not need.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final, Literal, NamedTuple

logger: Final = logging.getLogger(__name__)
MOST: Final = 20_000  # series, unless the setting metric_series says otherwise
OPEN: Final = 0.06  # of them: open alerts
SERVICE: Final = 400  # what the service says of itself, besides what there is of every partition
NAMED: Final = 40  # columns in a line of the log

Part = Literal["alert_counts", "people", "values", "limits", "distribution"]
# The share of all that is used when a part has come: the parts before it, and it.
_SHARES: Final[Mapping[Part, float]] = {
    "alert_counts": 0.35, "people": 0.4, "values": 0.7, "limits": 0.8, "distribution": 1.0,
}  # fmt: skip
PARTS: Final = tuple(_SHARES)


class Column(NamedTuple):
    """Series that are shown together or not at all: the first in order are kept. `name` is for people."""

    part: Part
    order: tuple[int, ...]
    name: str


class Series:
    """The limit of one worker, and who has a place in it."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._open = int(most * OPEN)
        self._service = SERVICE
        self._sizes: dict[Column, int] = {}
        self._cut: frozenset[Column] = frozenset()
        self._turn = threading.Lock()  # units are counted in a thread
        self._more = 0  # series of open alerts beyond those that are shown
        self._said_more = False

    def service(self, number: int) -> None:
        """So many series say of each partition how it stands."""
        if SERVICE + number > self._service:
            with self._turn:
                self._service = SERVICE + number
                self._plan()

    def ask(self, sizes: Mapping[Column, int]) -> None:
        """There are columns of so many series."""
        with self._turn:
            grown = {column: size for column, size in sizes.items() if size > self._sizes.get(column, 0)}
            if grown:
                self._sizes.update(grown)
                self._plan()

    def open(self, sizes: Sequence[int]) -> int:
        """Alerts of so many series each are open, the most important first; how many of them are shown."""
        shown = bisect_right(list(accumulate(sizes)), self._open)
        self._more = sum(sizes[shown:])
        if self._more and not self._said_more:
            self._said_more = True
            logger.warning(
                "metrics: %d alerts are open, of which %d are shown, the gravest and oldest (a share of the "
                "setting metric_series); the others notify nobody through Prometheus", len(sizes), shown,
            )  # fmt: skip
        return shown

    def kept(self, column: Column) -> bool:
        """Whether a column that was asked for is shown."""
        return column in self._sizes and column not in self._cut

    def left_out(self) -> dict[str, int]:
        """How many series are left out, by part."""
        cut: dict[str, int] = dict.fromkeys(PARTS, 0)
        for column in self._cut:
            cut[column.part] += self._sizes[column]
        return {"open_alerts": self._more, **cut}

    def _plan(self) -> None:
        room = self.most - self._open - self._service
        used, cut = 0, []
        for column in sorted(self._sizes, key=lambda column: (PARTS.index(column.part), *column.order, column.name)):
            if column in self._cut:
                continue
            if used + self._sizes[column] <= room * _SHARES[column.part]:
                used += self._sizes[column]
            else:
                cut.append(column)
        if cut:
            self._cut = self._cut.union(cut)
            self._say(cut)

    def _say(self, cut: list[Column]) -> None:
        named = ", ".join(column.name for column in cut[:NAMED])
        logger.warning(
            "metrics: more than %d series (setting metric_series): left out are %s%s; that is %d series",
            self.most, named, f" and {len(cut) - NAMED} more" if len(cut) > NAMED else "",
            sum(self._sizes[column] for column in cut),
        )  # fmt: skip
