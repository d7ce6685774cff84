"""Cold identities: sealed blocks on their way to the store, in it, and remembered for a while."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import takewhile

import msgspec

from agents.store import Store
from stream.dedupe import Block, Sealed
from stream.keys import block_key, hour_of, hour_prefix, lane_prefix
from stream.tally import Forget

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Block)
_KEPT = 4096  # hours of identities kept in memory after a look-up


class Identities:
    """Blocks of one partition. `recall` answers from what is not yet written, then from the store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._fresh: dict[bytes, dict[bytes, bytes]] = {}  # hour prefix -> blocks not yet in the store, by key
        self._known: dict[bytes, list[Block]] = {}

    def recall(self, employee_id: str, lane: int, hour: int) -> Sequence[Block]:
        """All blocks of an employee's lane and hour."""
        prefix = hour_prefix(employee_id, lane, hour)
        found = self._known.get(prefix)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = [_decoder.decode(raw) for _, raw in self.store.items(prefix)]
            self._known[prefix] = found
        fresh = self._fresh.get(prefix)
        return found if fresh is None else [*found, *map(_decoder.decode, fresh.values())]

    def put_away(self, sealed: Iterable[Sealed]) -> list[tuple[bytes, bytes]]:
        """Takes sealed blocks and gives their keys and values for the changelog."""
        changes = []
        for entry in sealed:
            key = block_key(entry.employee_id, entry.lane, entry.hour, entry.number)
            raw = _encoder.encode(entry.block)
            self._fresh.setdefault(key[:-4], {})[key] = raw
            changes.append((key, raw))
        return changes

    def written(self, keys: Iterable[bytes]) -> None:
        """These blocks are in the store now."""
        for key in keys:
            prefix = key[:-4]
            fresh = self._fresh.get(prefix)
            if fresh is not None and key in fresh:
                del fresh[key]
                self._known.pop(prefix, None)
                if not fresh:
                    del self._fresh[prefix]

    def forgotten(self, orders: Iterable[Forget]) -> list[tuple[bytes, None]]:
        """Tombstones for the blocks that nothing will look for again."""
        gone: list[tuple[bytes, None]] = []
        for order in orders:
            prefix = lane_prefix(order.employee_id, order.lane)
            keys = (key for key, _ in self.store.items(prefix))
            gone.extend((key, None) for key in takewhile(partial(_before, order.before), keys))
        return gone


def _before(hour: int, key: bytes) -> bool:
    return hour_of(key) < hour
