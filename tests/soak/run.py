"""Round after round: a fresh folder every few rounds, a check in between, and what was found told at once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Final

from tests.soak.processes import Violation
from tests.soak.report import Report
from tests.soak.world import World

ROUNDS: Final = 10  # of a folder
CHECKED: Final = 3  # after so many rounds, and after the last


def soak(
    base: Path,
    seed: int,
    kills: int,
    report: Report,
    *,
    worlds: Iterable[int] | None = None,
    deadline: float | None = None,
) -> None:
    """`kills` rounds in folders below `base`, or until the deadline (monotonic). The report has what was found."""
    left = kills
    for number in count() if worlds is None else worlds:
        if left <= 0 or _over(deadline):
            return
        world = World(base, f"{seed}.{number}")
        failed = False
        try:
            for done in range(1, min(ROUNDS, left) + 1):
                report.round(world.seed, world.round())
                left -= 1
                last = done == ROUNDS or not left or _over(deadline)
                if last or done % CHECKED == 0:
                    failed = _check(world, report)
                if failed or last:
                    break
        except (Violation, subprocess.TimeoutExpired) as error:
            failed = True
            left -= 1
            report.violation(world.seed, [str(error)])
        finally:
            report.world(world.peak, world.heard())
            world.close(keep=failed)


def _check(world: World, report: Report) -> bool:
    began = time.monotonic()
    evidence, found = world.check()
    report.check(len(evidence.records), len(evidence.oracle.employees), time.monotonic() - began)
    if found:
        report.violation(world.seed, found)
    return bool(found)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
