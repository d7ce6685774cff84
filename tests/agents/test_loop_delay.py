"""The longest time in which a loop answered nobody is known for a minute."""

from __future__ import annotations

import asyncio
import time

from agents.loop_delay import SPAN, LoopDelay


def test_the_longest_of_a_minute_counts() -> None:
    """Before anything was late it is nothing; a minute later it is forgotten."""
    now = [0.0]
    delay = LoopDelay(lambda: now[0])
    assert 0.0 == delay.longest()
    for at, seconds in ((0.0, 0.01), (1.0, 0.7), (2.0, 0.02), (30.0, 0.3)):
        now[0] = at
        delay.note(seconds)
    assert 0.7 == delay.longest()
    now[0] = SPAN + 1.0
    assert 0.3 == delay.longest()
    now[0] = 2 * SPAN
    assert 0.0 == delay.longest()


async def test_who_keeps_the_loop_is_noticed() -> None:
    """By the clock: it does not matter what with."""
    delay = LoopDelay()
    measuring = asyncio.create_task(delay.run())
    await asyncio.sleep(0)  # it waits for its first beat
    time.sleep(0.2)  # noqa: ASYNC251  # what nobody should do in a loop
    async with asyncio.timeout(10):
        while delay.longest() < 0.15:  # noqa: ASYNC110  # nobody tells when it is noted
            await asyncio.sleep(0)
    measuring.cancel()
