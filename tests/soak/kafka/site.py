"""An installation on a real broker under fire: what belongs to it, how it is made whole again, what must hold then."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import Final

from agents.transport.access import Access
from agents.transport.errors import RecoverableError
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.log import KafkaLog
from stream.meta import KEY, decode_meta
from stream.topics import CHANGELOG, TOPICS
from tests.e2e import webs
from tests.e2e.kafka_broker import KafkaBroker
from tests.e2e.kafka_workers import KafkaWorker, KafkaWorld, until
from tests.e2e.redis_server import RedisServer
from tests.e2e.tcp_proxy import TcpProxy
from tests.soak.evidence import Evidence, whole
from tests.soak.invariants import told, violations
from tests.soak.kafka.feed import Witness, witnessed
from tests.soak.kafka.watch import Watch
from tests.soak.outputs import score_updates, unit_updates

SESSION: Final = 6.0  # s, the least that brokers take by default
RATE: Final = 250  # records a second, of each of two senders
MOST_MEMORY: Final = 600 << 20  # bytes resident of a worker, I5
DRAINED_WITHIN: Final = 300  # s, I5
SHOWN_WITHIN: Final = 30.0  # s from then until screens show it
ALWAYS: Final = ("near", "far")  # the workers that are there unless a fault takes them
NAMES: Final = frozenset(topic.name for topic in TOPICS)


class Site:
    """Broker, Redis, web process, two workers and two senders; `far` ones sit behind a link that can be broken."""

    def __init__(self, folder: Path, seed: str, quick: bool = False) -> None:
        self.seed = seed
        self.folder = folder
        self.quick = quick  # everything shorter
        self.phase = 0
        self.version = 1
        self._stack = ExitStack()
        try:
            self._make()
        except BaseException:
            self._stack.close()
            raise

    def _make(self) -> None:
        self.proxy = self._stack.enter_context(TcpProxy())
        self.broker = KafkaBroker(self.folder / "kafka", proxy_port=self.proxy.port)
        self._stack.callback(self.broker.stop)
        self.broker.start()
        self.proxy.target = self.broker.proxied
        self.redis = RedisServer(self.folder / "redis")
        self._stack.callback(self.redis.stop)
        self.redis.start()
        self.world = KafkaWorld(self.broker.bootstrap, self.folder, session=SESSION)
        self._stack.callback(self.world.close)
        self.world.prepare()
        self.feeds: list[Witness] = []
        self._stack.callback(self._stop_feeds)
        self._links: dict[str, KafkaLog] = {"near": self.world.log}
        self.watch = Watch(self.world, lambda: list(self.feeds))
        self._stack.callback(self.watch.close)
        for name in ALWAYS:
            self.worker(name).start()
        broker = f"kafka://{self.broker.bootstrap}"
        self.web = webs.web(self._stack, "--broker", broker, "--redis", self.redis.url, "--log-level", "error")
        for name in ALWAYS:
            self.worker(name).wait_scoring()
        self._links["far"] = KafkaLog(Cluster(self.proxy.address, Access()), NAMES)
        self._stack.callback(self._links["far"].close)

    def worker(self, name: str, *arguments: str) -> KafkaWorker:
        """A worker of this name, made on first use; all but "near" reach the broker through the link."""
        workers = self.world.workers
        if name not in workers:
            address = self.broker.bootstrap if name == "near" else self.proxy.address
            flags = ("--redis", self.redis.url, *arguments)
            workers[name] = KafkaWorker(address, self.folder / name, *flags, session=SESSION)
        return workers[name]

    # Load

    def send(self) -> None:
        """Both senders begin; the log is being read when it returns."""
        self.phase += 1
        for name, log in self._links.items():
            self.feeds.append(Witness(log, f"{self.seed}.{self.phase}.{name}", RATE))
        self.wait_sent(RATE)
        self.watch.begin()

    @property
    def sending(self) -> list[Witness]:
        """The senders of now."""
        return self.feeds[-len(self._links) :]

    def wait_sent(self, records: int) -> None:
        """Until the near sender got rid of so many more."""
        feed = self.sending[0]
        wanted = feed.sent + records
        until(lambda: feed.sent >= wanted, lambda: f"the sender stands: {feed.failures} failures; {self.said()}", 120)

    def pass_time(self, seconds: float) -> None:
        """Waits, whatever happens meanwhile; less when all is to be quick."""
        time.sleep(self.shorter(seconds))

    def shorter(self, much: float) -> float:
        """A third of it when all is to be quick."""
        return much / 3 if self.quick else much

    def wait_taken(self, records: int) -> None:
        """Until workers have committed so many more records of the inputs."""
        wanted = 0

        def taken() -> bool:
            nonlocal wanted
            try:
                done = self.committed()
            except RecoverableError:  # asked again, while there is patience
                return False
            wanted = wanted or done + records
            return done >= wanted

        until(taken, lambda: f"nobody goes on: {self.said()}", 120)

    def committed(self) -> int:
        """Records of the inputs that are processed and durable."""
        return sum(offset for (topic, _), offset in self.world.log.committed().items() if topic.endswith("-events"))

    def publish(self) -> None:
        """Rules change under load."""
        self.version += 1
        self.world.publish_later(self.version)

    # After a fault

    def heal(self) -> None:
        """All is there again and works within a minute; whoever was not meant to stay is gone."""
        self.proxy.heal()
        if not self.broker.running:
            self.broker.start()
        if not self.redis.running:
            self.redis.start()
        for name, worker in self.world.workers.items():
            if name in ALWAYS and not worker.running:
                worker.start()
        for name, worker in self.world.workers.items():
            if name not in ALWAYS and worker.running:
                worker.stop()
        for name in ALWAYS:
            self.worker(name).wait_scoring()
        self.wait_sent(RATE)

    def _stop_feeds(self) -> None:
        for feed in self.feeds:
            feed.stop()

    def drain(self) -> None:
        """Nothing more is sent, and everything is processed and durable."""
        self._stop_feeds()
        done = self.world.command("status", "--wait-idle", "--timeout", str(DRAINED_WITHIN))
        assert done.returncode == 0, f"I5: not drained: {done.stdout} {done.stderr} {self.said()}"

    def check(self) -> tuple[Evidence, list[str]]:
        """The evidence, and all that does not hold."""
        evidence = Evidence(self.world.log, self.world.settings)

        def shown() -> list[object]:
            evidence.look_again()
            return [*score_updates(evidence), *unit_updates(evidence)]

        self._soon(lambda: not shown())  # what is not is found again below
        found = violations(evidence, (), Random(f"{self.seed}/{self.phase}/check"))
        found += told("acknowledged", witnessed(evidence.records, self.feeds))
        found += told("I2 one owner", owners(evidence))
        if not self._soon(lambda: webs.served(self.web) == webs.published(self.world.log)):
            found.append("I4: the API does not serve what the log has")
        if self.watch.peak > MOST_MEMORY:
            found.append(f"I5: {self.watch.peak >> 20} MB resident")
        return evidence, found

    def _soon(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + SHOWN_WITHIN
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def said(self) -> str:
        """The end of what its workers said."""
        return "\n".join(f"{name}: {worker.said()[-1_500:]}" for name, worker in self.world.workers.items())

    def close(self, *, keep: bool) -> None:
        """All processes end; the folder goes unless somebody has to look at it."""
        with suppress(Exception):
            self.proxy.heal()
        self._stack.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def owners(evidence: Evidence) -> Iterator[object]:
    """Along a changelog nothing that was applied is taken back: nobody wrote who did not own the partition."""
    for number in range(evidence.partitions):
        applied: dict[str, int] = {}
        counted: Counter[str] = Counter()
        for offset, _, key, value, _ in whole(evidence.log, CHANGELOG, number):
            if key != KEY or value is None:
                continue
            meta = decode_meta(value)
            back = {topic: (end, meta.applied.get(topic, 0)) for topic, end in applied.items()}
            for topic, (before, after) in back.items():
                if after < before:
                    yield f"partition {number} at {offset}: {topic} goes back from {before} to {after}"
            if sum(meta.outcomes.values()) < counted.total():
                yield f"partition {number} at {offset}: {counted.total()} counted, then {sum(meta.outcomes.values())}"
            applied, counted = dict(meta.applied), Counter(meta.outcomes)
