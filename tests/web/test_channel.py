"""A board on many screens: encoded once, sent as changes, and never a change without the one before it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from dashboards.web.channel import QUEUE, Channel, Screen
from dashboards.web.view import View
from tests.web.factories import NOW, line, row, scores, unit_scores
from tests.web.shelf import show


def channel_of(people: int = 2) -> tuple[View, Channel]:
    """A channel on a line with people."""
    view = View()
    show(view, line(people=people))
    return view, Channel("L03", view)


def data(message: bytes | None) -> Any:
    """What an event carries."""
    assert message is not None
    (found,) = [each for each in message.decode().split("\n") if each.startswith("data: ")]
    return json.loads(found.removeprefix("data: "))


def test_a_change_names_only_what_changed() -> None:
    """Sixty people on a board, one of them inspected something."""
    view, channel = channel_of()
    show(view, [scores("E0002", row(50))])
    change = data(channel.advance())
    assert {"unit", "people"} == set(change)
    assert [tile["id"] for tile in change["people"]] == ["E0002"]


def test_a_change_names_people_who_left_and_a_summary_that_changed() -> None:
    """The board on the screen becomes the board of the view."""
    view, channel = channel_of()
    show(view, [unit_scores("L03", ["E0001"], newest=NOW + 1)])
    change = data(channel.advance())
    assert change["gone"] == ["E0002"]
    assert change["summary"]["people"] == 1


def test_nothing_is_sent_when_nothing_changed() -> None:
    """A tick or a repeated update is no news."""
    view, channel = channel_of()
    show(view, line())
    assert channel.advance() is None


def test_a_unit_that_disappears_leaves_an_empty_board() -> None:
    """Its summary is null, which screens show as a board without data."""
    view, channel = channel_of()
    view.clear()
    change = data(channel.advance())
    assert (change["summary"], change["gone"]) == (None, ["E0001", "E0002"])


def test_the_snapshot_is_encoded_once_for_all_screens() -> None:
    """A thousand screens that connect at once cost one encoding."""
    view, channel = channel_of()
    assert channel.snapshot() is channel.snapshot()
    before = channel.snapshot()
    show(view, [scores("E0002", row(50))])
    assert channel.snapshot() is before
    channel.advance()
    assert before != channel.snapshot()


async def test_a_screen_begins_with_the_snapshot_and_goes_on_with_changes() -> None:
    """What was offered before the snapshot is part of it."""
    screen = Screen(lambda: b"snapshot")
    screen.offer(b"old")
    assert await screen.next() == b"snapshot"
    screen.offer(b"1")
    screen.offer(b"2")
    assert [await screen.next(), await screen.next()] == [b"1", b"2"]


async def test_a_screen_that_falls_behind_is_given_the_whole_board() -> None:
    """A change is worth nothing without the one before it."""
    screen = Screen(lambda: b"snapshot")
    await screen.next()
    offered = [screen.offer(b"%d" % number) for number in range(QUEUE + 3)]
    assert offered == [True] * QUEUE + [False] + [True] * 2
    assert await screen.next() == b"snapshot"
    screen.offer(b"after")
    assert await screen.next() == b"after"


async def test_a_screen_waits_when_there_is_nothing_to_send() -> None:
    """An idle screen costs a waiting task."""
    screen = Screen(lambda: b"snapshot")
    await screen.next()
    waiting = asyncio.ensure_future(screen.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    screen.offer(b"news")
    assert await waiting == b"news"


@pytest.mark.parametrize("waiting", [0, QUEUE])
async def test_a_closed_screen_ends(waiting: int) -> None:
    """The process stops; what was not sent yet is not waited for."""
    screen = Screen(lambda: b"snapshot")
    await screen.next()
    for _ in range(waiting):
        screen.offer(b"x")
    screen.close()
    assert await screen.next() is None


async def test_a_slow_screen_ends_up_with_the_board_of_the_view() -> None:
    """However reads and changes interleave, snapshot and changes together give the latest board."""
    view, channel = channel_of(3)
    screen = Screen(channel.snapshot)
    shown: dict[str, Any] = {}
    for step in range(40):
        show(view, [scores(f"E000{step % 3 + 1}", row(50 + step))])
        message = channel.advance()
        assert message is not None
        screen.offer(message)
        if step % 7 < 3 or step == 39:
            take(shown, await screen.next())
    while shown != {tile["id"]: tile for tile in data(channel.snapshot())["people"]}:
        take(shown, await asyncio.wait_for(screen.next(), 60))


def take(shown: dict[str, Any], message: bytes | None) -> None:
    """Does what the page does with a message."""
    content = data(message)
    if message is not None and message.startswith(b"event: snapshot"):
        shown.clear()
    for tile in content.get("people", []):
        shown[tile["id"]] = tile
    for employee in content.get("gone", []):
        shown.pop(employee, None)
