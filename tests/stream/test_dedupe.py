"""Sealing moves the oldest identities out of the state, hour by hour, and loses none."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event
from schemas.instants import HOUR
from schemas.measures import NO_DIMS, Measures
from schemas.packed import unpack
from stream.dedupe import Block, new_lane, register, registered, seal
from stream.state import QC, Lane, State


def _unpacked(kept: Lane | Block) -> list[tuple[str, int, int]]:
    return list(zip(kept.ids.split("\n")[:-1], unpack(kept.times), unpack(kept.digests), strict=True))


def _event(number: int, at: int, content: int | None = None) -> Event:
    digest = number + 1 if content is None else content
    return Event(f"e{number}", "qc.x", "E1", at, "aoi", Measures({}, 0, False), NO_DIMS, None, digest, 0, number, at)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=12), st.integers(0, 3), st.integers(0, 4))
def test_an_identity_is_an_id_at_its_time(known: list[tuple[int, int]], number: int, at: int) -> None:
    """In whatever order identities came: the same id at another time is another one."""
    state = State()
    lane = state.lanes[QC] = new_lane()
    for name, time in dict.fromkeys(known):
        register(lane, _event(name, time, content=name * 10 + time))
    state.sources[QC]["aoi"] = lane.latest
    expected = number * 10 + at if (number, at) in known else None
    found = registered(_event(number, at, content=number * 10 + at), state, QC, 10, 10, lambda *_: ())
    assert expected == found


@settings(deadline=None)
@given(st.lists(st.integers(0, 5 * HOUR), min_size=2, max_size=40), st.integers(0, 8))
def test_every_identity_is_in_one_place(times: list[int], keep: int) -> None:
    """Blocks hold one hour each, the newest stay, ids keep their time and content."""
    keep = min(keep, len(times) - 1)
    lane = new_lane()
    for number, at in enumerate(times):
        register(lane, _event(number, at))
    assert list(unpack(lane.times)) == sorted(times)
    whole = set(_unpacked(lane))
    blocks = seal("E1", 4, lane, keep)
    kept = _unpacked(lane)
    sealed = [entry for block in blocks for entry in _unpacked(block.block)]
    assert len(kept) == keep
    assert whole == {*kept, *sealed}
    assert len(whole) == len(kept) + len(sealed)
    for block in blocks:
        assert {block.hour} == {at // HOUR for at in unpack(block.block.times)}
        assert ("E1", 4) == (block.employee_id, block.lane)
    assert lane.sealed == max(at for _, at, _ in sealed)
    assert lane.oldest == min(block.hour for block in blocks)
    assert all(at >= lane.sealed for _, at, _ in kept)


def test_blocks_are_numbered_on() -> None:
    """No two blocks of a lane share a number, also when they are of one hour."""
    lane = new_lane()
    numbers = []
    for batch in range(3):
        for number in range(2):
            register(lane, _event(number, batch + number))
        numbers += [block.number for block in seal("E1", 0, lane, 0)]
    assert [0, 1, 2] == numbers
