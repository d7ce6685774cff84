"""Workers that die, freeze, come and go, and what happens to their folders meanwhile (faults 1, 2, 6, 7, 8)."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.kafka_workers import KafkaWorker, until
from tests.soak.damage import DAMAGES, State, nothing
from tests.soak.kafka.faults import Skipped, fault
from tests.soak.kafka.site import ALWAYS, SESSION, Site
from tests.soak.world import FAIL_POINTS, HEALING

REACHED_WITHIN: Final = 25.0  # s, a fail point
EVERY: Final = 20.0  # s between two changes in the number of workers
NO_ROOM: Final = "no room left on the disk"


def _one(site: Site, dice: Random) -> tuple[str, KafkaWorker]:
    name = dice.choice(ALWAYS)
    return name, site.worker(name)


@fault(1, "worker killed")
def killed(site: Site, dice: Random) -> str:
    """At any moment, twice; back at once, or when the others have taken over."""
    done = []
    for _ in range(2):
        name, worker = _one(site, dice)
        site.pass_time(dice.random() * 3)
        worker.kill()
        at_once = dice.random() < 0.5
        if not at_once:
            time.sleep(SESSION)
            site.wait_taken(200)
        worker.start()
        worker.wait_scoring()
        done.append(f"{name} {'back at once' if at_once else 'back after its session'}")
    return ", ".join(done)


@fault(1, "worker killed between two writes")
def at_fail_point(site: Site, dice: Random) -> str:
    """At a fail point: between state, changelog, outputs and commit."""
    name, worker = _one(site, dice)
    place = dice.choice(sorted(FAIL_POINTS))
    times = dice.randint(1, FAIL_POINTS[place])
    worker.kill()
    worker.start("--fail-points", f"{place}:{times}")
    if place == "rules-adopted":
        site.publish()
    reached = _died(worker, REACHED_WITHIN)
    if not reached:
        worker.kill()
    worker.start()
    return f"{name} at {place}:{times}{'' if reached else ' (not reached)'}"


def _died(worker: KafkaWorker, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while worker.running and time.monotonic() < deadline:
        time.sleep(0.02)
    return not worker.running


@fault(2, "zombie")
def zombie(site: Site, dice: Random) -> str:
    """Frozen until others have what it had, and a while longer; then it goes on as if nothing had been."""
    name, worker = _one(site, dice)
    worker.pause()
    seconds = SESSION + 1 + dice.random() * 8
    time.sleep(seconds)
    site.wait_taken(500)
    worker.resume()
    site.pass_time(3)
    return f"{name} frozen for {seconds:.1f} s"


@fault(6, "1 -> 3 -> 1 workers")
def moved(site: Site, dice: Random) -> str:
    """The number of workers changes every 20 s, in order or not."""
    first, second = dice.sample(ALWAYS, 2)
    third = site.worker("third")
    site.worker(second).stop()
    site.pass_time(EVERY)
    site.worker(second).start()
    third.start()
    third.wait_scoring()
    site.pass_time(EVERY)
    how = [dice.choice(("stop", "kill")) for _ in range(2)]
    for worker, end in zip((third, site.worker(second)), how, strict=True):
        getattr(worker, end)()
    site.pass_time(EVERY)
    site.wait_taken(200)
    return f"{first} stays, the others: {', '.join(how)}"


@fault(8, "local state damaged")
def damaged(site: Site, dice: Random) -> str:
    """A byte flipped, a file cut off or gone, yesterday's copy in its place: twice, between two lives of a worker."""
    done = []
    name, worker = _one(site, dice)
    state = State(worker.data / "state")
    state.keep_copy()
    for _ in range(2):
        site.pass_time(2)
        worker.kill()
        kinds, weights = zip(*(entry for entry in DAMAGES if entry[0] is not nothing), strict=True)
        done.append(dice.choices(kinds, weights)[0](state, dice))
        if dice.random() < 0.3:
            place = dice.choice(sorted(HEALING))
            worker.start("--fail-points", f"{place}:1")
            if not _died(worker, 5):
                worker.kill()
            done.append(f"killed at {place}")
        worker.start()
        worker.wait_scoring()
    return f"{name}: {', '.join(done)}"


@fault(7, "disk full")
def full(site: Site, dice: Random) -> str:
    """No room for the state of a third worker, then room again: it waits, says why, and goes on."""
    worker = site.worker("full")
    disk = _small_disk(worker.data)
    try:
        worker.start()
        worker.wait_scoring()
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        until(lambda: NO_ROOM in str(worker.health().get("reason")), worker.said)
        site.pass_time(6)
        assert worker.running, f"it ended for want of room: {worker.said()}"
        ballast.unlink()
        worker.wait_scoring()
        worker.stop()
    finally:
        worker.close()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    return "a third worker's"


def _small_disk(place: Path) -> Path:
    if os.geteuid() != 0:
        raise Skipped("mounting a small disk takes root")
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False)
    if mounted.returncode != 0:
        raise Skipped("a small disk cannot be mounted here")
    return place
