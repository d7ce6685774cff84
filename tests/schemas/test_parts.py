"""Parts of one employee's events say what the whole says."""

from __future__ import annotations

import json

import pytest

from schemas.chunk import decode_groups
from schemas.columns import EventColumns
from schemas.event import Row
from schemas.memo import Memo
from schemas.parts import parts

NOON = 1_772_452_800_000


def _whole(*, corrected: bool) -> EventColumns:
    """Ten events of two sources and kinds, some of which come again, or one of which is a correction."""
    rows: list[Row] = []
    for number in range(10):
        event = {
            "event_id": f"e{number}", "type": "qc.inspection", "employee_id": "E1", "occurred_at": NOON + number,
            "source": f"aoi-{number % 2}", "measures": {"inspected": 10, "accepted": number},
            "dims": {"stage": "ab"[number % 2]},
        }  # fmt: skip
        if number == 7 and corrected:
            event |= {"corrects": "e1", "measures": {"accepted": -1}}
        for _ in range(1 + number % 3):
            rows.append(Row(2 * len(rows), NOON + 100 + number, b"E1", json.dumps(event).encode(), None))
    groups, refused = decode_groups([rows], Memo("qc-events", lambda key: True))
    assert not refused
    ((_, own),) = groups
    assert corrected or own.copies()
    return own


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("many", [1, 3, 4, 10, 100])
def test_parts_say_what_the_whole_says(many: int, corrected: bool) -> None:
    """Every event and copy once, in order; each part ends where the next begins."""
    whole = _whole(corrected=corrected)
    found = list(parts(whole, many))
    assert list(whole.events("E1")) == [event for part in found for event in part.events("E1")]
    assert all(len(part) <= many for part in found)
    assert [whole.first, *(part.after for part in found[:-1])] == [part.first for part in found]
    assert whole.after == found[-1].after
    assert all(event.offset < part.after for part in found for event in part.events("E1"))


@pytest.mark.parametrize("many", [1, 3, 100])
def test_parts_have_the_identities_of_the_whole(many: int) -> None:
    """And the newest instants of its sources."""
    whole = _whole(corrected=False)
    found = list(parts(whole, many))
    columns = zip(*(part.identities(0, len(part)) for part in found), strict=True)
    text, times, digests = columns
    assert ("".join(text), b"".join(times), b"".join(digests)) == whole.identities(0, len(whole))
    one: dict[str, int] = {}
    whole.note_newest(one, 0, len(whole))
    several: dict[str, int] = {}
    for part in found:
        part.note_newest(several, 0, len(part))
    assert one == several
