"""The hash is Java's: the vectors are those of Kafka's own test (UtilsTest.testMurmur2)."""

import pytest

from agents.oracle.murmur2 import murmur2, partition_of

KAFKA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "signed"), KAFKA.items())
def test_hash_is_that_of_the_java_client(key: bytes, signed: int) -> None:
    """The unsigned hash is Kafka's signed one modulo 2^32."""
    assert signed % 2**32 == murmur2(key)


def test_partition_drops_the_sign_bit_before_the_modulo() -> None:
    """A key whose hash is negative in Java goes where `toPositive` sends it."""
    assert partition_of(b"21", 7) == (-973932308 & 0x7FFFFFFF) % 7
