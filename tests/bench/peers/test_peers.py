"""What the comparison rests on: the job's answers, the comparison of answers, the clock; and that it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from agents.transport.murmur2 import partition_for
from tests.bench.peers.contender import compare
from tests.bench.peers.contenders import CONTENDERS
from tests.bench.peers.job import END, PARTITIONS, Sums, messages
from tests.bench.peers.machine import Cpu, cpu
from tests.bench.peers.measure import STILL, Sample, measured, stood_still
from tests.bench.peers.ours import Sums as FullSums
from tests.bench.peers.ours import instant
from tests.e2e import kafka_broker
from tests.e2e.processes import ROOT, environment

ANSWERS = {("E1", 0): (10, 9), ("E1", 60_000): (20, 18), ("E2", 0): (10, 10)}


def test_the_answers_are_the_sums_of_what_is_sent() -> None:
    """Added up again from the JSON itself, by its own fields, the answers are the same."""
    answers: dict[tuple[str, int], Sums] = {}
    told = [json.loads(value) for _, _, _, value in messages(2_000, 100, answers)]
    inspected: Counter[tuple[str, str]] = Counter()
    accepted: Counter[tuple[str, str]] = Counter()
    for event in told:
        if not event["employee_id"].startswith(END):
            inspected[event["employee_id"], event["occurred_at"][:16]] += event["measures"]["inspected"]
            accepted[event["employee_id"], event["occurred_at"][:16]] += event["measures"]["accepted"]
    assert sorted(answers.values()) == sorted((inspected[window], accepted[window]) for window in inspected)
    assert len(told) == 2_000 + PARTITIONS


def test_events_are_what_the_comparison_says() -> None:
    """About 274 bytes, in their key's partition, no id twice, and by time within each partition."""
    made = list(messages(2_000, 100, {}))
    assert sum(len(value) for *_, value in made) / len(made) == pytest.approx(274, abs=3)
    assert all(place == partition_for(key, PARTITIONS) for place, _, key, _ in made)
    assert len({json.loads(value)["event_id"] for *_, value in made}) == len(made)
    for partition in range(PARTITIONS):
        times = [at for place, at, _, _ in made if place == partition]
        assert times == sorted(times)


def test_every_partition_is_closed_by_a_later_record() -> None:
    """Its last record is an hour after the rest, so that windows which wait for time are told."""
    made = list(messages(2_000, 100, {}))
    for partition in range(PARTITIONS):
        *_, before, last = (message for message in made if message[0] == partition)
        assert last[2].startswith(END.encode())
        assert last[1] - before[1] >= 3_600_000


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({}, 3),
        ({**ANSWERS, ("E2", 0): (20, 20)}, 1),
        ({**ANSWERS, ("E3", 0): (1, 1)}, 1),
        ({window: sums for window, sums in ANSWERS.items() if window[0] != "E2"}, 1),
    ],
)
def test_wrong_answers_are_found(told: dict[tuple[str, int], Sums], wrong: int) -> None:
    """A window that is lost, counted twice or made up fails the contender, by its name."""
    with pytest.raises(AssertionError, match=f"Peer: {wrong} of 3 windows"):
        compare("Peer", told, ANSWERS)


def test_right_answers_pass() -> None:
    """All windows agree; the last records' own windows are nobody's business."""
    assert compare("Peer", {**ANSWERS, (f"{END}00012", 3_600_000): (10, 10)}, ANSWERS) == 3


def sample(at: float, done: int) -> Sample:
    """Whoever works takes one core, the broker a quarter, somebody else a half."""
    return Sample(at, done, Cpu(contender=at, broker=at / 4, own=0.0, machine=at * 1.75))


def test_neither_start_nor_last_commit_are_in_the_figure() -> None:
    """10,000 events/s between the first commit and the last with a backlog, whatever came before and after."""
    commits = [(0.0, 0), (7.0, 5_000), (8.0, 15_000), (9.0, 25_000), (10.0, 35_000), (12.0, 36_000)]
    found = measured([sample(at, done) for at, done in commits for at in (at, at + 0.5)])
    assert not found.short
    assert found.rate == pytest.approx(10_000)
    assert found.cpu == pytest.approx(100.0)
    assert found.broker_cpu == pytest.approx(25.0)
    assert found.others == pytest.approx(0.5)


def test_the_second_half_is_told_apart() -> None:
    """One that warms up is faster in its second half, and that is seen."""
    commits = [(0.0, 0), (1.0, 10_000), (3.0, 20_000), (5.0, 30_000), (6.0, 40_000), (7.0, 50_000), (9.0, 51_000)]
    found = measured([sample(at, done) for at, done in commits])
    assert found.warm > found.rate
    assert found.warm == pytest.approx(10_000)


def test_too_short_a_run_is_timed_whole_and_says_so() -> None:
    """With fewer commits than are needed everything counts, the start too."""
    found = measured([sample(0.0, 0), sample(2.0, 1_000), sample(4.0, 2_000)])
    assert found.short
    assert found.rate == pytest.approx(500)


def test_whoever_commits_all_partitions_at_once_is_timed_whole() -> None:
    """Four partitions' commits within a moment are no rate: what came before them counts, and that is no mark."""
    commits = [(0.0, 0), (9.7, 25_000), (9.8, 50_000), (9.9, 75_000), (10.0, 100_000)]
    found = measured([sample(at, done) for at, done in commits], whole=True)
    assert not found.short
    assert found.rate == found.warm == pytest.approx(10_000)


def test_the_full_job_is_counted_by_hand() -> None:
    """Sums of twenty minutes and of the day in the template's zone, per indicator; what came twice counts once."""
    sums = FullSums()
    for number, at in ((1, "15:59:30"), (2, "16:00:10"), (2, "16:00:10"), (3, "16:19:59")):
        measures = {"inspected": 10, "accepted": 10 - number}
        event = {"event_id": f"e{number}", "employee_id": "E1", "occurred_at": f"2026-03-02T{at}Z"}
        sums.count({**event, "measures": measures, "dims": {"stage": "finished"}})
    midnight = instant("2026-03-02T16:00:00Z")
    found = sums.answers()
    assert found["E1", "finished_yield", "rolling 20m"] == (midnight, (15.0, 20.0))
    assert found["E1", "finished_yield", "day"] == (midnight, (15.0, 20.0))
    assert found["E1", "output", "day"] == (midnight, (0.0,))


def test_a_machine_that_was_stopped_is_noticed() -> None:
    """Samples that follow each other are fine; a hole among them is given in seconds."""
    assert stood_still([0.0, 0.05, 0.3, 0.35]) == 0.0
    assert stood_still([0.0, 0.05, 4.05, 4.1]) == pytest.approx(4.0)
    assert STILL < 4.0


def test_the_cpu_time_of_a_program_and_its_children_is_counted() -> None:
    """What a session's child works is the session's; what this process works is not."""
    work = "import time\nwhile time.process_time() < 0.3: pass\ninput()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdin=subprocess.PIPE) as program:
        before = cpu(program.pid, program.pid)
        while (now := cpu(program.pid, program.pid)).contender < 0.3:
            assert program.poll() is None
        assert now.own > before.own
        assert now.machine >= before.machine + 0.2
        program.communicate(b"\n")


@pytest.mark.long
def test_a_small_run_prints_its_table() -> None:
    """With small numbers ours and the ceilings run to their end, checked; peers are run by `make bench-peers`."""
    if reason := kafka_broker.missing():
        pytest.skip(reason)
    command = [sys.executable, "-m", "tests.bench.peers", "--smoke", "--only", "librdkafka,ours-full"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for text in ("answers right: ceiling: librdkafka", "of ceiling", "no sums, no state, no outputs", "ScoreStream, 3"):
        assert text in done.stdout


@pytest.mark.parametrize("key", CONTENDERS)
def test_every_contender_says_what_it_is(key: str) -> None:
    """Its key, its title, what it does less, and the program that it starts from are there."""
    contender = CONTENDERS[key]
    assert key == contender.key
    assert contender.title
    assert contender.less
    app = getattr(contender, "app", None)
    assert app is None or (Path(__file__).parent / "apps" / app).is_file()
