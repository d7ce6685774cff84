"""Progress: nothing for two seconds, then now and then, on stderr."""

from __future__ import annotations

import io

from agents.cli.progress import LINE_EVERY_S, QUIET_S, Progress
from tests.cli.test_output import Terminal


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_quiet_at_first() -> None:
    """What takes less than two seconds shows no progress."""
    clock, err = Clock(), io.StringIO()
    with Progress("sent", err=err, clock=clock) as progress:
        clock.now += QUIET_S / 2
        progress.advance(10)
    assert err.getvalue() == ""


def test_plain_lines() -> None:
    """Off a terminal a plain line comes after two seconds and then every few."""
    clock, err = Clock(), io.StringIO()
    with Progress("sent", 1_000, err=err, clock=clock) as progress:
        clock.now += QUIET_S
        progress.advance(5_000, 250)
        clock.now += LINE_EVERY_S / 2
        progress.advance(1_000, 50)
        clock.now += LINE_EVERY_S / 2
        progress.advance(1_000, 50)
    assert err.getvalue().splitlines() == [
        "sent 5,000 records in 2.0 s (2,500/s), 25 %",
        "sent 7,000 records in 7.0 s (1,000/s), 35 %",
    ]


def test_bar_on_a_terminal() -> None:
    """On a terminal a bar is drawn, and gone at the end."""
    clock, err = Clock(), Terminal()
    with Progress("sent", 1_000, err=err, clock=clock) as progress:
        clock.now += QUIET_S
        progress.advance(500, 500)
    assert "500 records" in err.getvalue()


def test_summary() -> None:
    """The summary says what, in how long, how fast."""
    clock = Clock()
    progress = Progress("sent", err=io.StringIO(), clock=clock)
    clock.now += 0.5
    progress.advance(1_000)
    assert progress.summary() == "sent 1,000 records in 0.5 s (2,000/s)"
