"""Keys go to the partition that Java's producer would choose."""

import pytest

from agents.transport.murmur2 import murmur2, partition_for

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
JAVA = [
    (b"21", -973932308),
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    (b"abc", 479470107),
]


@pytest.mark.parametrize(("data", "expected"), JAVA)
def test_hash_is_javas(data: bytes, expected: int) -> None:
    """The hash of Kafka's own test vectors is Kafka's."""
    assert expected == murmur2(data)


def test_partition_of_a_negative_hash_clears_the_sign_bit() -> None:
    """A negative hash gives the partition of toPositive, not of abs."""
    assert partition_for(b"21", 7) == (-973932308 & 0x7FFFFFFF) % 7


def test_empty_key_has_a_partition() -> None:
    """The empty key is a key: murmur2 of no bytes is 275646681."""
    assert murmur2(b"") == 275646681
    assert partition_for(b"", 6) == 275646681 % 6


def test_keys_spread_over_all_partitions() -> None:
    """A thousand employee ids reach each of eight partitions."""
    assert set(range(8)) == {partition_for(b"E%04d" % n, 8) for n in range(1000)}
