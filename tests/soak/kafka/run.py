"""Phase after phase: a fault of the deck under load, then all is healed, drained and looked at, and told at once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from agents.transport.errors import LogError, RecoverableError
from tests.soak.evidence import Evidence
from tests.soak.kafka import of_brokers, of_load, of_workers
from tests.soak.kafka.faults import FAULTS, Fault, Skipped
from tests.soak.kafka.report import KafkaReport, Phase
from tests.soak.kafka.site import Site

PHASES: Final = 6  # of a site: the log grows, and all of it is recomputed after each
INJECTING: Final = (of_workers, of_brokers, of_load)  # what registers the faults


def plan(seed: int, only: Sequence[str] = ()) -> Iterator[list[Fault]]:
    """The faults of one site after the other: all of them in any order, then all of them again."""
    site: list[Fault] = []
    for turn in count():
        deck = [FAULTS[name] for name in sorted(only or FAULTS)]
        Random(f"{seed}/deck/{turn}").shuffle(deck)
        for fault in deck:
            site.append(fault)
            if fault.last or fault.large or len(site) == PHASES:
                yield site
                site = []


def soak(
    base: Path,
    seed: int,
    report: KafkaReport,
    *,
    deadline: float,
    phases: int | None = None,
    only: Sequence[str] = (),
    sites: Sequence[int] | None = None,
    quick: bool = False,
) -> None:
    """No new phase after the deadline (monotonic), or after so many. The report has what was found."""
    for number, faults in enumerate(plan(seed, only)):
        if sites is not None and number not in sites:
            if number > max(sites):
                return
            continue
        if time.monotonic() > deadline or phases == 0:
            return
        phases = _site(base, f"{seed}.{number}", faults, report, deadline, phases, quick)


def _site(
    base: Path, seed: str, faults: Sequence[Fault], report: KafkaReport, deadline: float, left: int | None, quick: bool
) -> int | None:
    site = Site(base / seed, seed, quick)
    failed = False
    try:
        for fault in faults:
            if time.monotonic() > deadline or left == 0:
                break
            left = None if left is None else left - 1
            phase = _phase(site, fault, Random(f"{seed}/{site.phase + 1}"))
            report.phase(phase)
            failed = bool(phase.violations)
            if failed:
                break
    finally:
        report.site(site.watch.peak)
        site.close(keep=failed)
    return left


def _phase(site: Site, fault: Fault, dice: Random) -> Phase:
    """One fault, and what came of it."""
    phase, began = Phase(site.seed, site.phase + 1, fault), time.monotonic()
    try:
        site.send()
        if dice.random() < 0.4:
            site.publish()
            phase.done = "rules published; "
        _injected(site, fault, dice, phase)
        if not fault.last:
            site.heal()
            site.drain()
            evidence, phase.violations = site.check()
            _count(phase, evidence)
    except (AssertionError, subprocess.TimeoutExpired, RecoverableError, LogError, OSError) as error:
        phase.violations.append(f"{type(error).__name__}: {error}")
    phase.sent = sum(feed.sent for feed in site.sending)
    phase.pause = site.watch.pause
    phase.seconds = time.monotonic() - began
    return phase


def _injected(site: Site, fault: Fault, dice: Random, phase: Phase) -> None:
    try:
        phase.done += fault.inject(site, dice)
    except Skipped as error:
        phase.skipped = str(error)


def _count(phase: Phase, evidence: Evidence) -> None:
    phase.checked = len(evidence.records)
    phase.outcomes = dict(evidence.oracle.outcomes)
