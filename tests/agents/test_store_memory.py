"""What stores take of memory is of all partitions together."""

from __future__ import annotations

from contextlib import ExitStack, closing
from os import urandom
from pathlib import Path

from agents.store import UNWRITTEN, Position, Store

STORES = 12
EACH = 14  # MB written to each: no store by itself has a reason to make a table of them


def test_many_partitions_keep_no_more_in_memory_than_a_few(tmp_path: Path) -> None:
    """One more write buffer at most: writers do not wait for tables."""
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(Store(tmp_path / str(number)))) for number in range(STORES)]
        for part in range(EACH):
            for store in stores:
                store.write([(part.to_bytes(2, "big"), urandom(1 << 20))], Position("log", part))
        unwritten = sum(int(store._db.property_int_value("rocksdb.cur-size-all-mem-tables")) for store in stores)
        assert unwritten < UNWRITTEN + (48 << 20) < STORES * EACH << 20
        assert all(store.get((0).to_bytes(2, "big")) is not None for store in stores)
