"""The link that other tests break: what passes, what is late, what is cut, and what is held, seen from both ends."""

from __future__ import annotations

import gc
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.e2e.tcp_proxy import PRODUCE, TcpProxy

PATIENCE = 30.0
FETCH = 1


class Target:
    """Answers each request with its own frame, and keeps all bytes that arrived."""

    def __init__(self) -> None:
        self.arrived = bytearray()
        self.ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = ("127.0.0.1", int(self._listening.getsockname()[1]))
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        seen = b""
        try:
            while chunk := connection.recv(65_536):
                self.arrived += chunk
                seen += chunk
                while len(seen) >= 4 and len(seen) >= (size := 4 + int.from_bytes(seen[:4], "big")):
                    connection.sendall(_frame(seen[8:12] + seen[12:size]))
                    seen = seen[size:]
        except OSError:
            pass
        finally:
            connection.close()
            self.ended.set()


@contextmanager
def linked(*, frames: bool = True) -> Iterator[tuple[Target, TcpProxy]]:
    """A target behind a proxy."""
    with closing(Target()) as target, TcpProxy(target.address, frames=frames) as proxy:
        yield target, proxy


def _frame(body: bytes) -> bytes:
    return struct.pack(">i", len(body)) + body


def request(correlation: int, body: bytes = b"", kind: int = FETCH) -> bytes:
    """A frame as Kafka's clients send it: kind, version, correlation id, and the rest."""
    return _frame(struct.pack(">hhi", kind, 0, correlation) + body)


def answer(correlation: int, body: bytes = b"") -> bytes:
    """What the target says to it."""
    return _frame(struct.pack(">i", correlation) + body)


def dial(proxy: TcpProxy, timeout: float = PATIENCE) -> socket.socket:
    """A client's connection."""
    return socket.create_connection(("127.0.0.1", proxy.port), timeout)


def take(client: socket.socket, count: int) -> bytes:
    """So many bytes, or what came before the end."""
    found = b""
    while len(found) < count and (chunk := client.recv(count - len(found))):
        found += chunk
    return found


@pytest.mark.parametrize("frames", [True, False])
def test_a_healthy_link_changes_nothing(frames: bool) -> None:
    """Bytes arrive whole and in order, large ones too, and an end is passed on."""
    asked = b"".join(request(number, b"x" * (number % 3) * 100_000) for number in range(20))
    expected = b"".join(answer(number, b"x" * (number % 3) * 100_000) for number in range(20))
    with linked(frames=frames) as (target, proxy), dial(proxy) as client:
        sending = threading.Thread(target=client.sendall, args=(asked,))
        sending.start()
        assert expected == take(client, len(expected))
        sending.join()
        assert asked == target.arrived
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        proxy.wait(lambda it: it.connections == 0)


def test_a_slow_link_delays_each_way() -> None:
    """A round trip takes twice the delay, and many at once no longer than one."""
    with linked() as (_, proxy), dial(proxy) as client:
        proxy.delay(0.1)
        began = time.monotonic()
        client.sendall(b"".join(request(number) for number in range(50)))
        assert len(take(client, 50 * 8)) == 50 * 8
        assert 0.2 <= time.monotonic() - began < 5.0


def test_a_cut_resets_and_the_next_connection_works() -> None:
    """Everybody connected sees a reset; whoever dials again is served."""
    with linked() as (_, proxy), dial(proxy) as client:
        client.sendall(request(1))
        take(client, 8)
        proxy.cut()
        assert proxy.cuts == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        with dial(proxy) as again:
            again.sendall(request(2))
            assert answer(2) == take(again, 8)


def test_a_cut_within_a_request_lets_half_of_it_through() -> None:
    """The target gets the first half of one frame and then the end; the next connection is whole."""
    with linked() as (target, proxy), dial(proxy) as client:
        asked = request(1, b"y" * 992)
        proxy.cut_mid_frame("up")
        client.sendall(asked)
        assert target.ended.wait(PATIENCE)
        assert asked[:502] == target.arrived
        assert gone(client)
        with dial(proxy) as again:
            again.sendall(request(2))
            assert answer(2) == take(again, 8)


def test_a_cut_within_an_answer_lets_half_of_it_through() -> None:
    """The target has done its work; the client gets half of what it said."""
    with linked() as (target, proxy), dial(proxy) as client:
        asked, expected = request(1, b"y" * 992), answer(1, b"y" * 992)
        proxy.cut_mid_frame("down")
        client.sendall(asked)
        assert expected[:500] == take(client, len(expected))
        assert asked == target.arrived
        assert proxy.cuts == 1


def test_held_acknowledgements_are_done_but_not_said() -> None:
    """The target has the request, the client no answer; other kinds pass on their own connection; then it heals."""
    with linked() as (target, proxy), dial(proxy) as producer, dial(proxy) as consumer:
        proxy.hold_acks({PRODUCE})
        producer.sendall(request(1, kind=PRODUCE))
        proxy.wait(lambda it: it.held == 1)
        assert request(1, kind=PRODUCE) == target.arrived
        consumer.sendall(request(1, kind=FETCH))
        assert answer(1) == take(consumer, 8)
        assert silent(producer)
        proxy.heal()
        assert answer(1) == take(producer, 8)
        assert proxy.held == 0


def test_a_held_acknowledgement_is_lost_in_a_cut() -> None:
    """The hard case of a sender: done, never said, connection gone."""
    with linked() as (target, proxy), dial(proxy) as producer:
        proxy.hold_acks({PRODUCE})
        producer.sendall(request(1, kind=PRODUCE))
        proxy.wait(lambda it: it.held == 1)
        proxy.cut()
        assert gone(producer)
        proxy.wait(lambda it: it.held == 0)
        assert request(1, kind=PRODUCE) == target.arrived


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_stalled_link_is_silent_and_goes_on(direction: str) -> None:
    """While it is stalled nothing arrives and nothing is closed, for new connections too; then all of it arrives."""
    with linked() as (_, proxy), dial(proxy) as before:
        proxy.wait(lambda it: it.connections == 1)
        proxy.stall("up" if direction == "up" else "down")
        with dial(proxy) as after:
            for client in (before, after):
                client.sendall(request(1))
                assert silent(client)
            proxy.heal()
            for client in (before, after):
                assert answer(1) == take(client, 8)


def test_a_link_that_refuses_resets_until_it_heals() -> None:
    """Nobody gets through, then everybody does."""
    with linked() as (_, proxy):
        proxy.refuse()
        assert turned_away(proxy)
        proxy.heal()
        with dial(proxy) as client:
            client.sendall(request(1))
            assert answer(1) == take(client, 8)


def test_a_target_that_is_gone_is_a_reset() -> None:
    """As from a machine that is up while its server is not."""
    with TcpProxy(("127.0.0.1", 1)) as proxy:
        assert turned_away(proxy)


def silent(client: socket.socket) -> bool:
    """Whether nothing comes for a moment, and no end either."""
    client.settimeout(0.2)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE)
    return False


def gone(client: socket.socket) -> bool:
    """Whether the connection ends, by a reset or in order, without another byte."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def turned_away(proxy: TcpProxy) -> bool:
    """Whether a new connection ends at once; its reset may come before the client sees it open."""
    try:
        with dial(proxy) as client:
            return gone(client)
    except ConnectionResetError:
        return True


def test_nothing_of_a_proxy_outlives_it() -> None:
    """A client that does not read keeps its connection in the air when its target is gone; the proxy's end ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with TcpProxy(listening.getsockname()) as proxy:
            client = dial(proxy)
            target, _ = listening.accept()
            target.sendall(_frame(b"x" * 20_000_000))
            target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            target.close()
            proxy.wait(lambda it: it.connections == 0)
            dial(proxy).close()  # one that may be accepted while it stops
        with client:
            assert len(take(client, 20_000_004)) < 20_000_004
        gc.collect()  # pytest fails a test for what it finds unclosed
