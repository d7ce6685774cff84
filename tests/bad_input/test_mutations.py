"""Whatever becomes of a good record's bytes on their way, all readers say the same of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.oracle.event import Rejected, read_event
from agents.oracle.log import LogRecord
from agents.transport.murmur2 import partition_for
from schemas.chunk import decode_chunk
from schemas.event import Event, Row
from schemas.memo import Memo
from tests.bad_input.case import EMPLOYEE, GOOD, HOME, INSPECTION, NOW, PARTITIONS, Case, encode, spliced
from tests.bad_input.golden import ACCEPTED, content, decide, verdict

KEY = EMPLOYEE.encode()
TEXT_TIME = spliced("occurred_at", b'"2026-03-02T16:15:00.000+08:00"')
BASES = (
    encode(GOOD),
    TEXT_TIME,
    encode({**INSPECTION, "type": "business.inspection"}),
    encode({**GOOD, "corrects": "po-1"}),
    spliced("unknown", '{"note":["三号线", null, -0.5e-3, {"deep": "\\u00e9"}]}'.encode()),
    spliced("dims", '{"line":"三号线","shift":"\\u65e9"}'.encode()),
)
SPLICES = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b"}\n{", b"\x00", b"\x1f", b"\x7f", b"\xff",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", b"NaN", b"-Infinity", b"1e400", b"-0", b"0", b".", b"e",
    b"null", b"true", b'"measures":{}', b',"event_id":"x"', b"9" * 320,
)  # fmt: skip
PIECES = st.one_of(st.binary(min_size=1, max_size=3), st.sampled_from(SPLICES))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good record after one to three insertions, deletions, replacements or repetitions of bytes."""
    value = draw(st.sampled_from(BASES))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(value)))
        end = min(len(value), start + draw(st.integers(0, 4)))
        piece = draw(st.one_of(PIECES, st.just(value[start:end] * 2), st.just(b"")))
        value = value[:start] + piece + value[end:]
    return value


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_the_oracle_and_the_product_decide_alike(value: bytes) -> None:
    """The product's reader and the oracle's own give the same reason or both accept."""
    try:
        read_event(LogRecord("business-events", HOME, 0, NOW, KEY, value), PARTITIONS)
        expected = ACCEPTED
    except Rejected as rejected:
        expected = rejected.reason
    assert expected == verdict(decide(Case("damaged", value)))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(damaged(), st.sampled_from(BASES)), min_size=1, max_size=5))
def test_a_chunk_of_damaged_records_is_decided_record_by_record(values: list[bytes]) -> None:
    """Neighbours change nothing: each record of a chunk ends as it would alone, events equal in every field."""
    rows = [Row(offset, NOW, KEY, value, None) for offset, value in enumerate(values)]
    events, refused = decode_chunk(rows, Memo("business-events", lambda key: partition_for(key, PARTITIONS) == HOME))
    accepted = {event.offset: event for event in events}
    reasons = {row.offset: rejection.reason for row, rejection in refused}
    for row in rows:
        alone = decide(Case("damaged", row.value))
        assert verdict(alone) == reasons.get(row.offset, ACCEPTED)
        if isinstance(alone, Event):
            assert content(alone) == content(accepted[row.offset])
