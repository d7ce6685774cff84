"""The process: prints its address, serves before there are views, takes them up, stops when told."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from agents.views.twin_reader import TwinReader
from dashboards.web.server import _listen, address, run
from tests.e2e.processes import environment
from tests.web.factories import line
from tests.web.shelf import Shelf


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process on a folder, and the address that it printed."""
    command = [sys.executable, "-m", "agents.cli.main", "web", "--demo", "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as running:
        assert running.stdout is not None
        try:
            yield running, running.stdout.readline().strip()
        finally:
            running.kill()


def test_the_process_serves_before_there_are_views_and_takes_them_up(tmp_path: Path) -> None:
    """And stops within seconds though a screen is connected."""
    folder = tmp_path / "data"
    with process(folder) as (running, url):
        deadline = time.monotonic() + 60
        while not answers(url):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert "Waiting for the service" in httpx.get(url).text
        assert [421, 200] == [
            httpx.get(f"{url}{path}", headers={"host": "evil.example"}).status_code for path in ("hr/people", "healthz")
        ]
        now = time.time_ns() // 1_000_000
        Shelf(folder).apply(line(newest=now))
        while httpx.get(url).status_code != 302:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with httpx.stream("GET", f"{url}board/L03/stream", timeout=60) as stream:
            assert next(stream.iter_lines()) == "retry: 3000"
            running.send_signal(signal.SIGTERM)
            assert running.wait(60) == 0


def answers(url: str) -> bool:
    """Whether somebody is there."""
    try:
        return httpx.get(f"{url}healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_port_in_use_is_one_line_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the port and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(TwinReader(tmp_path), "127.0.0.1", port, None) == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


def test_an_answer_in_two_pieces_does_not_wait_for_an_acknowledgement() -> None:
    """Every connection sends at once what there is to send; it took 40 ms otherwise."""
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_language_that_boards_do_not_speak_is_named(tmp_path: Path) -> None:
    """At start."""
    with pytest.raises(ValueError, match="'fr': it must be one of en, zh"):
        run(TwinReader(tmp_path), "127.0.0.1", 0, "fr")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:80/"), ("0.0.0.0", "http://127.0.0.1:80/"), ("::1", "http://[::1]:80/")],
)
def test_the_printed_address_can_be_opened(host: str, expected: str) -> None:
    """Every network is no address that a browser opens."""
    assert expected == address(host, 80)
