"""Requests as bytes: what does not end is cut off, what is none is refused, what is long and right is taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from dashboards.web.wire import MOST
from tests.web.factories import line
from tests.web.serving import LIMIT, Serving, serving

START = b"GET /api/v1/units HTTP/1.1\r\nhost: x\r\n"
CHUNKED = b"POST /api/v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def process() -> Iterator[Serving]:
    """A process with a line of two people."""
    with serving(*line()) as running:
        yield running


def answered(process: Serving, *pieces: bytes) -> bytes:
    """All that comes back for these bytes, until the other side ends or says no more."""
    with socket.create_connection(("127.0.0.1", process.port), LIMIT) as connection:
        found = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while (more := connection.recv(65_536)) and b"\r\n\r\n" not in found:
                found += more
        except ConnectionError:
            return found  # it let go while it was still being sent to
        return found


@pytest.mark.parametrize(
    "pieces",
    [
        (START, *[b"x-%d: " % number + b"a" * 1_000 + b"\r\n" for number in range(2_000)]),
        (START, b"x: ", *[b"a" * 1_000] * 2_000),
        (b"GET /", *[b"a" * 1_000] * 2_000),
        (CHUNKED, b"1;", *[b"a" * 1_000] * 2_000),
        (CHUNKED, b"1\r\n{\r\n0\r\n", *[b"x-%d: " % number + b"a" * 1_000 + b"\r\n" for number in range(2_000)]),
    ],
    ids=["many headers", "an endless one", "an endless address", "an endless extension", "trailers"],
)
def test_headers_that_do_not_end_are_cut_off(process: Serving, pieces: tuple[bytes, ...]) -> None:
    """Two megabytes of them are not kept for anybody."""
    found = answered(process, *pieces)
    assert found == b"" or found.split()[1] == b"400"
    assert answered(process, START, b"connection: close\r\n\r\n").split()[1] == b"200"


def test_headers_within_the_limit_are_taken(process: Serving) -> None:
    """However many pieces they come in."""
    field = b"x: " + b"a" * (MOST - 1_000) + b"\r\n"
    pieces = [field[begin : begin + 10_000] for begin in range(0, len(field), 10_000)]
    assert answered(process, START, *pieces, b"connection: close\r\n\r\n").split()[1] == b"200"


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: a\x00b\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_could_be_read_two_ways_is_no_request(process: Serving, text: bytes) -> None:
    """A proxy before it might read it the other way: nothing is smuggled past it."""
    assert answered(process, text).split()[1] == b"400"
