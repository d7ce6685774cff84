"""A chunk that another process decoded is the one that this one would have decoded, whatever becomes of the process."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.cli.opening import NAMES
from agents.decoded import DecodedChunk, decode, decode_pieces, memo_of, pack_chunk, unpack_chunk
from agents.decoder import Decoder
from agents.decoder_link import DecoderLink
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.hooks import Wanted
from agents.transport.log import Log, Outgoing, Part, partition_for
from agents.transport.opening import opened
from schemas.event import Event, Rejection, Row
from stream.topics import QC_EVENTS, TICKS

NOW = 1_772_439_300_000
NOW_S = [0.0]
PATIENCE = 30.0  # s


def _value(number: int, employee: str, **fields: object) -> bytes:
    whole = {
        "event_id": f"e{number}",
        "type": "qc.inspection",
        "employee_id": employee,
        "occurred_at": NOW + number,
        "source": f"aoi-{number % 3}",
        "measures": {"inspected": 3, "accepted": number % 4},
        "dims": {"line": f"L{number % 2}"},
        **fields,
    }
    return json.dumps(whole).encode()


def _rows(choices: list[tuple[int, int]]) -> list[Row]:
    """Good events of three people, corrections, what is refused for its content, key or form."""
    made: list[Row] = []
    for number, (who, what) in enumerate(choices):
        employee = f"E{who}"
        value: bytes | None = _value(number, employee)
        if what == 1:
            value = _value(number, employee, corrects="e0", measures={"accepted": -1})
        elif what == 2:
            value = b"{"
        elif what == 3:
            value = None
        elif what == 4:
            value = _value(number, "E9")
        made.append(Row(number * 2, NOW + 10 * number, employee.encode(), value, b"h" if what == 2 else None))
    return made


def _said(chunk: DecodedChunk) -> tuple[object, ...]:
    groups = {name: [_whole(event) for event in own.events(name)] for name, own in chunk.groups}
    refused: list[tuple[Row, Rejection]] = [(Row(*row), reason) for row, reason in chunk.refused]
    return chunk.first, chunk.last, chunk.count, chunk.since, chunk.logged, chunk.size, groups, refused


def _whole(event: Event) -> tuple[object, ...]:
    return tuple(getattr(event, name) for name in Event.__struct_fields__)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=30), st.integers(1, 30))
def test_a_chunk_is_the_same_on_the_other_side(choices: list[tuple[int, int]], piece: int) -> None:
    """Events, refused records and what is known of the whole; in one piece or in several."""
    rows = _rows(choices)
    chunk = decode(rows, memo_of(QC_EVENTS, 0, 1))
    pieces = decode_pieces((rows[at : at + piece] for at in range(0, len(rows), piece)), memo_of(QC_EVENTS, 0, 1))
    assert pieces is not None
    pieces.size = chunk.size  # an estimate, of each piece
    assert _said(chunk) == _said(unpack_chunk(pack_chunk(chunk))) == _said(unpack_chunk(pack_chunk(pieces)))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A log of one employee's partition with 50 inspections."""
    with opened(f"embedded://{tmp_path}/log", NAMES) as log:
        partitions = ensure_topics(log, Settings.load({}))
        place = partition_for(b"E1", partitions)
        log.append([Outgoing(QC_EVENTS, place, NOW + n, b"E1", _value(n, "E1")) for n in range(50)])
        yield log


@pytest.fixture
def reader(log: Log) -> Iterator[Decoder]:
    found = Decoder(f"embedded://{log.name}", worth=10, clock=lambda: NOW_S[0])
    yield found
    found.close()


def _read(log: Log, reader: Decoder, start: int = 0, limit: int = 40) -> DecodedChunk | None:
    place = partition_for(b"E1", log.topics()[QC_EVENTS].partitions)
    return reader.read(Wanted(QC_EVENTS, place, start, 50, limit, 1 << 20))


def _pids(reader: Decoder) -> list[int]:
    return [link.process.pid for link in reader.links]


def test_the_process_reads_and_decodes_what_is_asked_for(log: Log, reader: Decoder) -> None:
    """The same as this process makes of the same records, from any place on."""
    partitions = log.topics()[QC_EVENTS].partitions
    place = partition_for(b"E1", partitions)
    for start in (0, 25):
        rows = cast("list[Row]", log.read(QC_EVENTS, place, start, 40))
        found = _read(log, reader, start)
        assert found is not None
        assert _said(decode(rows, memo_of(QC_EVENTS, place, partitions))) == _said(found)


@pytest.mark.parametrize(("guessed", "wanted"), [(10, 10), (10, 20), (30, 0)])
def test_what_was_begun_ahead_is_what_comes(log: Log, reader: Decoder, guessed: int, wanted: int) -> None:
    """A guess that is right is the next answer; a wrong one is dropped, and what is wanted comes all the same."""
    partitions = log.topics()[QC_EVENTS].partitions
    place = partition_for(b"E1", partitions)
    guesses = [Wanted(QC_EVENTS, place, start, 50, 15, 1 << 20) for start in (guessed, 35, 36)]
    first = reader.read(Wanted(QC_EVENTS, place, 0, 50, 10, 1 << 20), guesses)
    assert first is not None
    assert (first.first, first.after) == (0, 10)
    found = reader.read(Wanted(QC_EVENTS, place, wanted, 50, 12, 1 << 20))
    assert found is not None
    rows = cast("list[Row]", log.read(QC_EVENTS, place, wanted, 15 if wanted == guessed else 12))
    assert _said(decode(rows, memo_of(QC_EVENTS, place, partitions))) == _said(found)


def test_small_chunks_and_other_topics_stay_here(log: Log, reader: Decoder) -> None:
    """No process is started for them."""
    assert _read(log, reader, start=41) is None
    assert reader.read(Wanted("ticks", 0, 0, 50, 40, 1 << 20)) is None
    assert not reader.links


def test_a_backlog_at_the_start_finds_the_processes_ready(log: Log, reader: Decoder) -> None:
    """They are the ones that are asked then."""
    reader.warm(log, 40)
    ready = _pids(reader)
    assert ready
    assert [len(link.asked) for link in reader.links] == [1, 0]  # the first works on what comes first
    assert _read(log, reader) is not None
    assert not any(link.asked for link in reader.links)
    assert _pids(reader) == ready


def test_where_workers_share_a_log_nothing_is_asked_ahead(
    log: Log, reader: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which partitions will be this one's is not known yet; but the processes are ready then."""
    monkeypatch.setattr(type(log), "shared", True)
    reader.warm(log, 40)
    assert reader.links
    assert not any(link.asked for link in reader.links)


def test_who_can_read_by_itself_does_not_wait_for_a_process(log: Log, reader: Decoder) -> None:
    """They are worth asking once they are ready, and while they live, for enough of what they know."""
    assert not reader.worth(TICKS, 1_000)
    assert not reader.worth(QC_EVENTS, 9)
    assert not reader.links
    assert not reader.worth(QC_EVENTS, 10)
    deadline = time.monotonic() + PATIENCE
    while not reader.worth(QC_EVENTS, 10):
        assert time.monotonic() < deadline
    assert _read(log, reader) is not None
    assert (True, False) == (reader.worth(QC_EVENTS, 10), reader.worth(QC_EVENTS, 9))
    os.kill(_pids(reader)[0], signal.SIGKILL)
    reader.links[0].process.wait(PATIENCE)
    assert _read(log, reader) is None
    assert not reader.worth(QC_EVENTS, 10)


def test_no_process_is_started_without_need(log: Log, reader: Decoder) -> None:
    """Nothing waits."""
    place = partition_for(b"E1", log.topics()[QC_EVENTS].partitions)
    log.transact([Part(place, [], {(QC_EVENTS, place): 45})])
    reader.warm(log, 40)
    assert not reader.links


def test_guesses_are_shared_among_the_processes(log: Log, reader: Decoder) -> None:
    """Each has something to do; none is asked for anything twice."""
    place = partition_for(b"E1", log.topics()[QC_EVENTS].partitions)
    wanted = [Wanted(QC_EVENTS, place, start, 50, 5, 1 << 20) for start in (0, 5, 10, 15)]
    assert reader.read(wanted[0], wanted[1:]) is not None
    assert sorted(asked.start for link in reader.links for asked in link.asked) == [5, 10, 15]
    assert all(link.asked for link in reader.links)
    found = reader.read(wanted[1], wanted[2:])
    assert found is not None
    assert (found.first, found.after) == (5, 10)
    assert sorted(asked.start for link in reader.links for asked in link.asked) == [10, 15]


def test_a_process_that_dies_is_done_without(log: Log, reader: Decoder) -> None:
    """The chunk is left to the worker; others are started after a while."""
    assert _read(log, reader) is not None
    first = _pids(reader)
    os.kill(first[0], signal.SIGKILL)
    reader.links[0].process.wait(PATIENCE)
    assert _read(log, reader) is None
    assert _read(log, reader) is None  # not at once
    NOW_S[0] += 60
    assert _read(log, reader) is not None
    assert not set(first) & set(_pids(reader))


def test_a_process_that_nobody_asks_ends_and_is_started_anew(
    log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one with an answer that nobody takes. Neither is a trouble."""
    monkeypatch.setattr(DecoderLink, "IDLE", 1)
    reader = Decoder(f"embedded://{log.name}", worth=10, clock=lambda: NOW_S[0])
    try:
        assert _read(log, reader) is not None
        ended = reader.links[:]
        for link in ended:
            assert link.process.wait(PATIENCE) == 0
        assert _read(log, reader) is not None
        assert not set(ended) & set(reader.links)
        assert not caplog.records
    finally:
        reader.close()


def test_nobody_waits_for_a_process_once_it_is_over(
    log: Log, reader: Decoder, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that stops does not wait for one that is frozen, and says nothing of it."""
    reader.warm(log, 40)
    processes = [link.process for link in reader.links]
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    found: list[DecodedChunk | None] = []
    waiting = threading.Thread(target=lambda: found.append(_read(log, reader)))
    waiting.start()
    reader.end()
    waiting.join(PATIENCE / 2)
    assert [None] == found
    assert _read(log, reader) is None
    assert not caplog.records
    for process in processes:
        os.kill(process.pid, signal.SIGCONT)


def test_the_processes_end_with_their_worker(log: Log, reader: Decoder) -> None:
    """They have nothing to live for when the connection is gone."""
    assert _read(log, reader) is not None
    processes = [link.process for link in reader.links]
    assert processes
    reader.close()
    assert [process.returncode for process in processes] == [0] * len(processes)
