"""What a transport asks of the application: when partitions come and go, where reading begins, when to commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from agents.transport.log import TopicPartition


class Prepared(Protocol):
    """Records of a partition in a form that only the application knows."""

    size: int  # bytes, roughly
    logged: int  # timestamp of the last one, in ms

    @property
    def after(self) -> int:
        """Offset behind the last one."""

    def __len__(self) -> int: ...


Reader = Callable[[str, int, int, int, int, int], Prepared | None]
"""(topic, partition, start, end, most records, most bytes): reads in the application's way, None to leave it to us."""


class Span(NamedTuple):
    """The offsets that a chunk stands for, where they have gaps: from `begin` up to and without `after`."""

    begin: int
    after: int


@dataclass(frozen=True, slots=True)
class Hooks:
    """`starts`: where to begin reading these places; `commits`: commit what is applied, now.

    Only where partitions come and go: `assigned`: from now on exactly these are this worker's (may take long; False
    when `revoked` came meanwhile);
    `revoked`: commit, apply nothing more, they may be somebody else's when it returns; `resumed`: reading goes on.
    `local`: the partitions whose state lies here already; `failed`: reading has ended for this reason;
    `reader`: reads records beside us, where a log can be read by several.
    """

    starts: Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
    commits: Callable[[], Awaitable[None]]
    assigned: Callable[[Collection[int]], Awaitable[bool]]
    revoked: Callable[[], Awaitable[None]]
    resumed: Callable[[], None]
    failed: Callable[[BaseException], None]
    local: Callable[[], Collection[int]]
    reader: Reader | None = None
