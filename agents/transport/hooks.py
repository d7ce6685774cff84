"""What a transport asks of the application: when partitions come and go, where reading begins, when to commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from agents.transport.log import TopicPartition

AHEAD: Final = 3  # chunks told to a reader before they are wanted


def _never(topic: str, records: int) -> bool:
    return False


class Prepared(Protocol):
    """Records of a partition in a form that only the application knows."""

    size: int  # bytes, roughly
    logged: int  # timestamp of the last one, in ms

    @property
    def after(self) -> int:
        """Offset behind the last one."""

    def __len__(self) -> int: ...


class Wanted(NamedTuple):
    """Records of a partition that ends at `end`, from `start` on: the most of them, and of their bytes, roughly."""

    topic: str
    partition: int
    start: int
    end: int
    records: int
    size: int


Reader = Callable[[Wanted, Sequence[Wanted]], Prepared | None]
"""Reads in the application's way, None to leave it to us. The second is what will probably be wanted next: where that
was begun already, it comes whole, whatever the limits are by then."""


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
    `reader`: reads records beside us, where a log can be read by several; `worth`: whether so many of a topic are
    better read by it, now; `ends`: where places ended when last looked at.
    """

    starts: Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
    commits: Callable[[], Awaitable[None]]
    assigned: Callable[[Collection[int]], Awaitable[bool]]
    revoked: Callable[[], Awaitable[None]]
    resumed: Callable[[], None]
    failed: Callable[[BaseException], None]
    local: Callable[[], Collection[int]]
    reader: Reader | None = None
    worth: Callable[[str, int], bool] = _never
    ends: Callable[[], Mapping[TopicPartition, int]] = dict
