"""What stores take of memory is of all partitions together."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from os import urandom
from pathlib import Path

from agents.store import UNWRITTEN, Position, Store

STORES = 12
EACH = 14  # MB written to each: no store by itself has a reason to make a table of them


def _unwritten(store: Store) -> int:
    return int(store._db.property_int_value("rocksdb.cur-size-all-mem-tables"))


def test_many_partitions_keep_no_more_in_memory_than_a_few(tmp_path: Path) -> None:
    """What is not in tables yet stays within one limit."""
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(Store(tmp_path / str(number)))) for number in range(STORES)]
        for part in range(EACH):
            for store in stores:
                store.write([(part.to_bytes(2, "big"), urandom(1 << 20))], Position("log", part))
        deadline = time.monotonic() + 60  # tables are written beside it, and nobody waits for them
        while (unwritten := sum(map(_unwritten, stores))) > UNWRITTEN and time.monotonic() < deadline:
            time.sleep(0.01)
        assert unwritten <= UNWRITTEN < STORES * EACH << 20
        assert all(store.get((0).to_bytes(2, "big")) is not None for store in stores)
