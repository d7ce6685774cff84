"""Sealing moves the oldest identities out of the state, hour by hour, and loses none."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instants import HOUR
from stream.dedupe import new_lane, seal


@settings(deadline=None)
@given(st.lists(st.integers(0, 5 * HOUR), min_size=2, max_size=40), st.integers(0, 8))
def test_every_identity_is_in_one_place(times: list[int], keep: int) -> None:
    """Blocks hold one hour each, the newest stay, ids keep their time and content."""
    keep = min(keep, len(times) - 1)
    lane = new_lane()
    lane.ids = [f"e{n}" for n in range(len(times))]
    lane.times = list(times)
    lane.digests = [n + 1 for n in range(len(times))]
    whole = set(zip(lane.ids, lane.times, lane.digests, strict=True))
    blocks = seal("E1", 4, lane, keep)
    kept = list(zip(lane.ids, lane.times, lane.digests, strict=True))
    sealed = [
        entry for block in blocks for entry in zip(block.block.ids, block.block.times, block.block.digests, strict=True)
    ]
    assert len(kept) == keep
    assert whole == {*kept, *sealed}
    assert len(whole) == len(kept) + len(sealed)
    for block in blocks:
        assert {block.hour} == {at // HOUR for at in block.block.times}
        assert ("E1", 4) == (block.employee_id, block.lane)
    assert lane.sealed == max(at for _, at, _ in sealed)
    assert lane.oldest == min(block.hour for block in blocks)
    assert all(at >= lane.sealed for _, at, _ in kept)


def test_blocks_are_numbered_on() -> None:
    """No two blocks of a lane share a number, also when they are of one hour."""
    lane = new_lane()
    numbers = []
    for batch in range(3):
        lane.ids, lane.times, lane.digests = ["a", "b"], [batch, batch + 1], [1, 2]
        numbers += [block.number for block in seal("E1", 0, lane, 0)]
    assert [0, 1, 2] == numbers
