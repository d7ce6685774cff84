"""One folder under fire: every round sends, kills and damages by its dice; checks in between find nothing."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from agents.cli.status import lags
from agents.publishing import publish, publish_calendar
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from schemas.instants import DAY, HOUR
from stream.topics import QC_EVENTS
from tests.soak import damage
from tests.soak.calendars import SITES, calendar
from tests.soak.evidence import Evidence, settings_of
from tests.soak.invariants import told, violations
from tests.soak.outputs import score_updates, unit_updates
from tests.soak.processes import STARTS_WITHIN, Violation, Worker
from tests.soak.senders import SenderProcess
from tests.soak.stores import stores
from tests.soak.templates import case_mix, template
from tests.soak.workload import STEP, first_assignments

DRAINED_WITHIN: Final = 300.0  # s, I5
SHOWN_WITHIN: Final = 20.0  # s from then until screens show it
MOST_MEMORY: Final = 400 << 20  # bytes resident, I5
LONGEST_WAIT: Final = 6.0  # s for a fail point to be reached
FAIL_POINTS: Final = {  # place: which time it is reached, at most
    "after-people": 1, "after-chunk": 12, "rules-adopted": 1, "after-ticks": 3, "before-transaction": 5,
    "inside-transaction": 5, "after-transaction": 5, "before-store": 16, "after-store": 4,
}  # fmt: skip
HEALING: Final = {"set-aside": 1, "restoring": 4}  # the same, while damaged state is built anew
SETTINGS: Final = (
    ("--cached-employees", "4"), ("--chunk-records", "40"), ("--commit-interval", "0.03"), ("--decoder", "always"),
)  # fmt: skip
SIZES: Final = ((50, 400, 1_000, 2_000, 6_000), (3, 3, 3, 2, 1))  # records of a sender, how often


@dataclass
class Round:
    """What was done in a round, for people to read."""

    done: list[str] = field(default_factory=list)
    fault: str = ""
    damage: str = ""
    records: int = 0
    restart: float | None = None  # s until a worker was scoring, where that was waited for
    seconds: float = 0.0


class World:
    """A fresh log and everything that happens to it, decided by `seed`."""

    def __init__(self, base: Path, seed: str) -> None:
        self.seed = seed
        self.rounds = 0
        self.base = base / seed
        self.folder = self.base / "log"
        self.base.mkdir(parents=True)
        self.output = self.base / "worker.txt"
        self.state = damage.State(self.folder / "state")
        self.senders: list[SenderProcess] = []
        self.published = {"line": 1, "sales": 0, "training": 0, "east": 1, "west": 0}
        self.peak = 0
        self.damaged = False
        self.log = EmbeddedLog.open(self.folder)
        ensure_topics(self.log, settings_of(self.folder))
        start = _now()
        self.log.append(first_assignments(start))
        publish(self.log, template("line", 1, start - 60 * DAY), start)
        publish_calendar(self.log, calendar("east", 1, start - 30 * DAY), start)

    # A round

    def round(self) -> Round:
        """Worker and senders at work, until the worker dies and its state is damaged."""
        began, now = time.monotonic(), Round()
        self.rounds += 1
        self.dice = Random(f"{self.seed}/{self.rounds}")  # what one round drew does not change the next
        senders = list(self._new_senders(now))
        for sender in senders:
            sender.begin()
        if self.dice.random() < 0.1:
            now.fault = "no worker there"
        else:
            self._worked(now)
        if self.dice.random() < 0.4:
            self.dice.choice(senders).kill()
            now.done.append("sender killed")
        for sender in senders:
            sender.finish()
        self._hurt(now)
        now.seconds = time.monotonic() - began
        return now

    def _worked(self, now: Round) -> None:
        worker = Worker(self.folder, self._fail_point(now), self._settings(now), self.output)
        try:
            self._publish(worker, now)
            self._let_die(worker, now)
        finally:
            worker.kill()
            self._remember(worker)

    def _new_senders(self, now: Round) -> Iterator[SenderProcess]:
        for number in range(self.dice.choice((1, 2, 2, 3))):
            seed = f"{self.seed}.{len(self.senders)}"
            (total,) = self.dice.choices(*SIZES)
            stamped = self.dice.random() < 0.15
            start = _now() - total * STEP - (self.dice.randrange(40 * DAY) if stamped else self.dice.randrange(HOUR))
            topic = QC_EVENTS if number == 2 else None
            sender = SenderProcess(self.folder, seed, start, total, stamped, topic)
            self.senders.append(sender)
            now.records += total
            yield sender

    def _fail_point(self, now: Round) -> str:
        if self.dice.random() < 0.5:
            return ""
        places = HEALING if self.damaged and self.dice.random() < 0.5 else FAIL_POINTS
        place = self.dice.choice(sorted(places))
        now.fault = f"at {place}"
        return f"{place}:{self.dice.randint(1, places[place])}"

    def _settings(self, now: Round) -> tuple[str, ...]:
        """Now and then a worker that remembers next to nobody, or takes small bites, or commits all the time."""
        chosen = [arguments for arguments in SETTINGS if self.dice.random() < 0.2]
        now.done.extend(" ".join(arguments).removeprefix("--") for arguments in chosen)
        return tuple(word for arguments in chosen for word in arguments)

    def _publish(self, worker: Worker, now: Round) -> None:
        """Now and then a version of a template or a calendar: its first from long ago, others begin any moment."""
        wanted = now.fault == "at rules-adopted"
        if not wanted and self.dice.random() < 0.6:
            return
        if wanted or (not now.fault and self.dice.random() < 0.5):
            worker.wait_scoring()  # else it is there when the worker starts
        name = self.dice.choice(sorted(self.published))
        at, version = _now(), self.published[name] + 1
        self.published[name] = version
        effective = at - self.dice.randrange(60 * DAY) if version == 1 else at + self.dice.randint(1, 4_000)
        if name in SITES:
            publish_calendar(self.log, calendar(name, version, effective), at)
        else:
            publish(self.log, template(name, version, effective), at)
            self.log.append(case_mix(self.log, at))
        now.done.append(f"{name}@{version} published")

    def _let_die(self, worker: Worker, now: Round) -> None:
        if now.fault:
            if not worker.wait_dead(LONGEST_WAIT):
                now.fault += " (not reached)"
            return
        how = self.dice.choice(("early", "early", "any", "any", "any", "any", "term", "term", "frozen"))
        now.fault = {"early": "killed at its start", "any": "killed", "term": "stopped", "frozen": "frozen"}[how]
        if how == "early":
            self._still_alive(worker, self.dice.random() * 1.2)
            return
        worker.wait_scoring()
        now.restart = worker.seconds
        if self.dice.random() < 0.2:
            self._still_alive(worker, self.dice.random())
            self.state.keep_copy()
            now.done.append("state copied from under it")
        elif self.dice.random() < 0.1:
            shutil.rmtree(self.state.folder, ignore_errors=True)
            now.done.append("state deleted from under it")
        self._still_alive(worker, self.dice.random() * 2)
        if how == "term":
            worker.stop()
        elif how == "frozen":
            self._freeze(worker)

    def _freeze(self, worker: Worker) -> None:
        """A worker that does nothing for a while is still the worker; then it goes on and does no harm."""
        worker.process.send_signal(signal.SIGSTOP)
        second = Worker(self.folder, output=self.output)
        if not second.wait_dead(STARTS_WITHIN) or second.process.returncode != 1:
            second.kill()
            raise Violation(f"a second worker beside a frozen one: {second.process.returncode}: {second.told()}")
        worker.process.send_signal(signal.SIGCONT)
        self._still_alive(worker, self.dice.random())

    def _still_alive(self, worker: Worker, seconds: float) -> None:
        if worker.wait_dead(seconds):
            raise Violation(f"the worker ended by itself with {worker.process.returncode}: {worker.told()}")

    def _hurt(self, now: Round) -> None:
        if self.dice.random() < 0.3:
            self.state.keep_copy()
            now.done.append("state copied")
        kinds, weights = zip(*damage.DAMAGES, strict=True)
        now.damage = self.dice.choices(kinds, weights)[0](self.state, self.dice) if self.state.files() else ""
        self.damaged = bool(now.damage)

    def _remember(self, worker: Worker) -> None:
        self.peak = max(self.peak, worker.peak)
        if worker.peak > MOST_MEMORY:
            raise Violation(f"I5: {worker.peak >> 20} MB resident")

    # A check

    def check(self) -> tuple[Evidence, list[str]]:
        """Heals, drains, looks at everything; the evidence and what does not hold."""
        self.damaged = False
        worker = Worker(self.folder, output=self.output)
        try:
            worker.wait_scoring()
            self._drained(worker)
            evidence = Evidence(self.log, settings_of(self.folder))
            self._shown(evidence)
            worker.stop()
        finally:
            worker.kill()
            self._remember(worker)
        evidence.look_again()
        found = violations(evidence, self.senders, Random(f"{self.seed}/check"))
        return evidence, [*found, *told("store", stores(evidence, self.state.folder))]

    def _drained(self, worker: Worker) -> None:
        bounds = self.log.bounds()
        self._until(
            lambda: not any(lag.lag for lag in lags(self.log, bounds)),
            DRAINED_WITHIN,
            lambda: f"I5: not drained: {worker.health()} {worker.told()}",
        )

    def _shown(self, evidence: Evidence) -> None:
        """Screens follow within moments; what they show at the end is looked at again."""

        def shown() -> list[object]:
            evidence.look_again()
            return [*score_updates(evidence), *unit_updates(evidence)]

        self._until(lambda: not shown(), SHOWN_WITHIN, lambda: f"I4: {shown()[:5]}")

    def _until(self, condition: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Violation(f"{why()} (after {seconds:g} s)")
            time.sleep(0.05)

    def heard(self) -> dict[str, int]:
        """How often its workers said what only damage makes them say."""
        told = self.output.read_text(errors="replace") if self.output.exists() else ""
        return {
            "store built anew at a start": told.count("is set aside and built anew"),
            "life ended by damage, begun again": told.count("local state is damaged") - told.count("is set aside and"),
        }

    def close(self, *, keep: bool) -> None:
        """Nothing of it is left, unless somebody has to look at it."""
        for sender in self.senders:
            sender.kill()
        self.log.close()
        if not keep:
            shutil.rmtree(self.base)


def _now() -> int:
    return time.time_ns() // 1_000_000
