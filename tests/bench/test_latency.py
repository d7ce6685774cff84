"""The latency's arithmetic, on updates made by hand; and that the measuring runs. Figures: `make bench-latency`."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from schemas.instants import DAY, MINUTE
from schemas.updates import Pool, ScoreUpdate
from tests.bench.latency import percentile, table
from tests.bench.live_reader import counted
from tests.bench.live_sender import Plant
from tests.bench.seen import Event, Seen, all_seen, day_of, latencies, newest, numbered
from tests.e2e.processes import ROOT, environment

NOON = 1_795_492_800_000  # 2026-11-24T04:00:00Z
TODAY = day_of(NOON)


def test_conflated_events_are_seen_with_the_update_that_counts_them() -> None:
    """Three events and two updates: the first update shows two of them, the second the third."""
    events = numbered([("E1", "finished", number, NOON + number * 100) for number in (1, 2, 3)])
    moments = {"E1": [(NOON + 250, {TODAY: [0, 2, 0]}), (NOON + 900, {TODAY: [0, 3, 0]})]}
    assert latencies(events, moments) == ([150, 50, 600], 0)
    assert all_seen(newest(events), moments)


def test_an_event_that_no_update_counts_is_lost() -> None:
    """A count that stays behind what was sent is found, and another indicator's does not stand in for it."""
    events = numbered([("E1", "finished", 1, NOON), ("E1", "finished", 2, NOON), ("E1", "output", 1, NOON)])
    moments = {"E1": [(NOON + 10, {TODAY: [9, 1, 0]})]}
    assert latencies(events, moments) == ([10], 2)
    assert not all_seen(newest(events), moments)


def test_counts_begin_anew_at_midnight_of_the_template() -> None:
    """The first event of a day is number one of it; an update of that day also counts what was before it."""
    midnight = TODAY + DAY
    sent = [("E1", "output", 1, midnight - MINUTE), ("E1", "output", 2, midnight - 1), ("E1", "output", 3, midnight)]
    events = numbered(sent)
    assert [(event.day, event.number) for event in events] == [(TODAY, 1), (TODAY, 2), (midnight, 1)]
    told = [(midnight + 5, {midnight: [0, 0, 0]}), (midnight + 300, {midnight: [0, 0, 1]})]
    assert latencies(events, {"E1": told}) == ([MINUTE + 300, 301, 300], 0)


def test_an_update_tells_how_many_events_its_days_hold() -> None:
    """Rolling slots are passed over; the units in which somebody worked on a day are added up."""
    pools = [Pool(unit, "bench", 1, [0, TODAY], [[7, 1], [count, 1]]) for unit, count in (("L1", 3), ("L2", 4))]
    update = ScoreUpdate("E1", "L1", "2026-11-24T04:00:00.000Z", None, {}, pools)
    assert counted(msgspec.json.encode(update)) == {TODAY: [7]}


def test_only_those_who_are_watched_are_remembered() -> None:
    """All updates are counted, and nobody else's is decoded."""
    seen = Seen(frozenset({"E1"}))
    seen.take(b"E2", b"no JSON", NOON)
    assert (seen.updates, seen.moments) == (1, {})


def test_what_is_sent_twice_has_one_number() -> None:
    """The sender's list has each event of the watched once, numbered as the log orders them."""
    plant = Plant(employees=20, every=10, partitions=4)
    records = plant.events(3_000, NOON)
    ids = {msgspec.json.decode(record.value or b"")["event_id"] for record in records if record.key == b"E0000010"}
    own = [one for one in plant.watched if one[0] == "E0000010"]
    assert len(own) == len(ids) < sum(record.key == b"E0000010" for record in records)
    assert {one[0] for one in plant.watched} == {"E0000000", "E0000010"}
    for group in ("output", "finished", "semi_finished"):
        numbers = [number for _, name, number, _ in own if name == group]
        assert numbers == list(range(1, len(numbers) + 1))


def test_percentiles_are_values_that_occurred() -> None:
    """The median of a hundred is the fiftieth, the 99.9th the last; the histogram holds them all."""
    ordered = list(range(1, 101))
    assert [percentile(ordered, share) for share in (50, 99, 99.9)] == [50, 99, 100]
    assert "p50 50, p99 99, p99.9 100, max 100" in table(ordered[::-1])
    assert sum(float(line.split()[4].rstrip("%")) for line in table(ordered).splitlines()[1:]) == pytest.approx(100)


def test_nothing_seen_is_said() -> None:
    """No event, no percentile."""
    assert table([]) == "no event was seen"
    assert latencies([Event("E1", 0, TODAY, 1, NOON)], {}) == ([], 1)


def test_a_small_run_prints_its_histogram() -> None:
    """Some seconds of live events: all of them are seen, and percentiles and settings are printed."""
    command = [sys.executable, "-m", "tests.bench.latency", "--smoke", "--seconds", "3", "--brokers", "embedded"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ("event -> visible score", "p99.9", "commit_interval 0.1 s", "asked 500 events/s", "#"):
        assert text in done.stdout
