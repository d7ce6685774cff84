"""A day of edits made by the pages' forms while processes are killed: `verify` is empty, none is lost or doubled."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from random import Random

import pytest

from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from tests.e2e.edited_company import Company, told
from tests.e2e.kafka_broker import KafkaBroker

PARTITIONS = 4


def _seed() -> int:
    """Another one each time; the same again with SCORESTREAM_TEST_SEED."""
    return int(os.environ.get("SCORESTREAM_TEST_SEED") or time.time_ns() % 1_000_000)


def _day(company: Company, seed: int, edits: int, people: int, *, webs: bool = False) -> None:
    started = time.monotonic()
    with company.running():
        company.begin(people)
        with company.killing(webs=webs):
            for number in range(edits):
                company.edit()
                if number % 20 == 19:
                    company.work()
        company.publish_calendar()
        company.settle()
        sys.stdout.write(f"{told(company, seed, started)}\n")
        assert [] == company.violations()
        assert company.kills > 0


def _embedded(folder: Path) -> str:
    """The address of a new log."""
    url = f"embedded://{folder / 'log'}"
    with EmbeddedLog.open(folder / "log") as log:
        ensure_topics(log, Settings.load({}, {"broker": url, "partitions": PARTITIONS}))
    return url


@pytest.mark.long  # two minutes on a busy machine
def test_a_few_edits_while_the_worker_is_killed(tmp_path: Path) -> None:
    """The day in short, on the embedded log."""
    seed = _seed()
    sys.stdout.write(f"SCORESTREAM_TEST_SEED={seed}\n")
    _day(Company(tmp_path, _embedded(tmp_path), 1, Random(seed)), seed, 12, 6)


@pytest.mark.long
def test_a_day_of_edits_while_worker_and_web_are_killed(tmp_path: Path) -> None:
    """Hundreds of edits; where an answer is cut off, the audit log says whether the edit was made."""
    seed = _seed()
    sys.stdout.write(f"SCORESTREAM_TEST_SEED={seed}\n")
    _day(Company(tmp_path, _embedded(tmp_path), 1, Random(seed)), seed, 250, 40, webs=True)


@pytest.mark.long
def test_a_day_of_edits_on_kafka(empty_kafka: KafkaBroker, tmp_path: Path) -> None:
    """Two workers share the partitions; either may die, and one sends what waits."""
    seed = _seed()
    sys.stdout.write(f"SCORESTREAM_TEST_SEED={seed}\n")
    broker = f"kafka://{empty_kafka.bootstrap}"
    _day(Company(tmp_path, broker, 2, Random(seed)), seed, 120, 20, webs=True)
