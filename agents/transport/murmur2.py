"""A key's partition is Java's: murmur2 of the bytes, sign bit cleared, modulo the number of partitions.

Kafka's own clients (and librdkafka with `partitioner=murmur2_random`) choose the same one.
"""

from functools import lru_cache
from struct import iter_unpack

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """32-bit murmur2 of `data` as Java's signed int (org.apache.kafka.common.utils.Utils.murmur2)."""
    h = _hash(data)
    return h - (1 << 32) if h & 0x80000000 else h


@lru_cache(maxsize=1 << 17)
def _hash(data: bytes) -> int:
    whole = len(data) & ~3
    h = _SEED ^ len(data)
    for (k,) in iter_unpack("<I", data[:whole]):
        k = (k * _M) & _MASK
        k ^= k >> 24
        h = ((h * _M) & _MASK) ^ ((k * _M) & _MASK)
    if tail := data[whole:]:
        h = ((h ^ int.from_bytes(tail, "little")) * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    return h ^ (h >> 15)


def partition_for(key: bytes, partitions: int) -> int:
    """Partition (0-based) of `key` among `partitions`, as Kafka's default partitioner chooses it."""
    return (_hash(key) & 0x7FFFFFFF) % partitions
