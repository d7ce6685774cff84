"""A broker, or the way to it, that stops, dies, forgets, or is slow (faults 3, 4, 5)."""

from __future__ import annotations

from random import Random
from typing import Final

from agents.transport.kafka.producing import COMMIT_S
from tests.e2e.kafka_topics import delete_topics
from tests.e2e.kafka_workers import KafkaWorker, until
from tests.soak.kafka.faults import fault
from tests.soak.kafka.site import ALWAYS, SESSION, Site

CUTS: Final = 6


@fault(3, "broker frozen")
def frozen(site: Site, dice: Random) -> str:
    """It answers nobody for a while and closes nothing."""
    seconds = dice.choice((2.0, 10.0, 20.0, 40.0))
    site.broker.pause()
    site.pass_time(seconds)
    site.broker.resume()
    return f"for {seconds:g} s"


@fault(3, "broker killed")
def killed(site: Site, dice: Random) -> str:
    """SIGKILL, and back at once or some time later."""
    seconds = dice.random() * 15
    site.broker.kill()
    site.pass_time(seconds)
    site.broker.start()
    return f"for {seconds:.1f} s"


@fault(3, "broker stopped")
def stopped(site: Site, dice: Random) -> str:
    """In order, as for an upgrade."""
    site.broker.stop()
    site.pass_time(dice.random() * 5)
    site.broker.start()
    return "and started"


@fault(4, "broker emptied", last=True)
def emptied(site: Site, dice: Random) -> str:
    """It comes back without its data, under workers that run or that are started then: they end and say why."""
    running = dice.random() < 0.5
    site.drain()
    if not running:
        for name in ALWAYS:
            site.worker(name).stop()
    site.broker.kill()
    site.broker.wipe()
    site.broker.start()
    for name in ALWAYS:
        worker = site.worker(name)
        if not running:
            worker.start()
        _ended(worker)
        assert "its data back" in worker.said(), worker.said()  # the broker, or the log: by what it noticed first
    made = site.world.opened()
    try:
        assert {} == made.topics(), f"made on the empty broker: {sorted(made.topics())}"
    finally:
        made.close()
    return "under workers that ran" if running else "before workers were started"


@fault(4, "topics made anew", last=True)
def anew(site: Site, dice: Random) -> str:
    """Empty ones under the old names: whoever has scores of the old ones ends and says why, now and at each start."""
    site.drain()
    delete_topics(site.broker.bootstrap)
    site.world.prepare()
    for name in ALWAYS:
        _ended(site.worker(name))
    for name in ALWAYS:
        worker = site.worker(name)
        worker.start()
        _ended(worker)
        assert "was made anew" in worker.said(), worker.said()
    return "under workers that ran, and before they were started"


def _ended(worker: KafkaWorker) -> None:
    until(lambda: not worker.running, lambda: f"it goes on: {worker.health()} {worker.said()}", 120)
    assert worker.code == 1, f"ended with {worker.code}: {worker.said()}"


@fault(5, "slow link")
def slow(site: Site, dice: Random) -> str:
    """Every frame comes later, both ways."""
    seconds = dice.choice((0.05, 0.2, 0.5))
    site.proxy.delay(seconds)
    site.pass_time(15)
    return f"{seconds:g} s later each way"


@fault(5, "link cut")
def cut(site: Site, dice: Random) -> str:
    """Connections are reset, some of them within a frame."""
    ways = [dice.choice(("all", "up", "down")) for _ in range(CUTS)]
    for way in ways:
        site.pass_time(0.5 + dice.random() * 2)
        if way == "all":
            site.proxy.cut()
        else:
            site.proxy.cut_mid_frame("up" if way == "up" else "down")
    return ", ".join(ways)


@fault(5, "link down")
def down(site: Site, dice: Random) -> str:
    """Nothing passes, and nothing is closed, or every connection is refused: beyond the session, or not."""
    seconds = dice.choice((SESSION / 2, SESSION + 4, 3 * SESSION))
    silent = dice.random() < 0.5
    (site.proxy.stall if silent else site.proxy.refuse)()
    site.pass_time(seconds)
    return f"{'silent' if silent else 'refusing'} for {seconds:g} s"


@fault(5, "acknowledgements held")
def held(site: Site, dice: Random) -> str:
    """What was written is there, and the answer is not: until a commit is given up, or not."""
    seconds = dice.choice((3.0, 12.0, COMMIT_S + 5))
    site.proxy.hold_acks()
    site.pass_time(seconds)
    if dice.random() < 0.5:
        site.proxy.cut()  # what was held is lost
    return f"for {seconds:g} s"
