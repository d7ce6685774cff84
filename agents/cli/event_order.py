"""A history goes into the log in the order in which it happened: log time = occurred_at, equal times as in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from agents.cli.lines import Block
from agents.cli.routing import event_time

AT_ONCE: Final = 5_000


def in_event_order(source: Iterable[Block], now: int) -> Iterator[tuple[Block, list[int]]]:
    """All lines of `source` sorted by occurred_at, in blocks with the log time of each line in ms.

    A line whose time cannot be read stays behind its predecessor and shares its log time (the first lines that of the
    first readable one; `now` when there is none): it becomes a dead letter there. All lines are held in memory.
    """
    lines: list[bytes] = []
    numbers: list[int] = []
    found: list[int | None] = []
    size = 0
    for block in source:
        lines += block.lines
        numbers += block.numbers
        found += map(event_time, block.lines)
        size += block.size
    times = _filled(found, now)
    order = sorted(range(len(lines)), key=times.__getitem__)
    for begin in range(0, len(order), AT_ONCE):
        part = order[begin : begin + AT_ONCE]
        share = size * len(part) // len(order)
        yield Block([lines[i] for i in part], [numbers[i] for i in part], share), [times[i] for i in part]


def _filled(times: list[int | None], now: int) -> list[int]:
    last = next((at for at in times if at is not None), now)
    filled = []
    for at in times:
        last = last if at is None else at
        filled.append(last)
    return filled
