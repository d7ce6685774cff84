"""A partition never stops: a real worker gets every case of bad input, and what it counts is what golden.tsv says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from stream.topics import DEAD_LETTERS
from tests.bad_input.case import PARTITIONS
from tests.bad_input.golden import ACCEPTED, all_cases, read_golden

COMMAND = [sys.executable, "-m", "agents.cli.main"]
FIRST_OFFENCE = "rejected:conflict"  # accepted alone, but another case has its identity with other content
TEMPLATE = """\
template: spend
version: 1
effective_from: 2000-01-01T00:00:00Z
timezone: Asia/Shanghai
applies_to: everyone
title: {zh: 采购, en: Spend}
indicators:
  - id: spend
    name: {zh: 采购额, en: Spend}
    definition: {zh: 采购金额之和, en: the sum of all amounts}
    dimension: performance
    from: business.purchase
    value: amount
    target: 100
    weight: 1
    windows: [rolling 60m, day, year, all]
    next_step: {zh: 请核对, en: Check the orders}
"""


def test_every_case_of_bad_input_reaches_one_end(tmp_path: Path) -> None:
    """No case stops the worker; reasons are counted as agreed, dead letters are the bytes, the oracle agrees."""
    environment = {**os.environ, "SCORESTREAM_BROKER": f"embedded://{tmp_path / 'log'}", "SCORESTREAM_PARTITIONS": "4"}
    cases = list(all_cases())
    template = tmp_path / "spend.yaml"
    template.write_text(TEMPLATE, "utf-8")
    _run(environment, "templates", "publish", str(template))
    with EmbeddedLog.open(tmp_path / "log") as log:
        assert ensure_topics(log, Settings.load(environment)) == PARTITIONS
        log.append([Outgoing(case.topic, case.partition, case.timestamp, case.key, case.value) for case in cases])
        with _worker(environment):
            found = _run(environment, "status", "--wait-idle", "--timeout", "60", "--format", "ndjson")
        outcomes = Counter(json.loads(found.partition("\n")[0])["outcomes"])  # after it stands how far it had come
        refused = Counter(said for said in read_golden().values() if said != ACCEPTED)
        assert len(cases) == outcomes.total()
        assert outcomes["scored"] > 0
        assert refused == {
            name.removeprefix("rejected:"): count
            for name, count in outcomes.items()
            if name.startswith("rejected:") and name != FIRST_OFFENCE
        }
        letters = [row for partition in range(PARTITIONS) for row in log.read(DEAD_LETTERS, partition, 0, len(cases))]
        assert refused.total() + outcomes[FIRST_OFFENCE] == len(letters)
        assert {row[3] for row in letters} <= {case.value for case in cases}
    assert "0 differences" in _run(environment, "verify")


@contextmanager
def _worker(environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen([*COMMAND, "worker", "--no-restart"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.terminate()
        _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told


def _run(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
