"""An alert from the worker to whoever is told (I3): once per episode, whatever is killed on its way.

On an embedded log and on a broker: a worker, a Prometheus that scrapes it under the rules of deploy/prometheus, an
Alertmanager with the routing of deploy/alertmanager, and a receiver that writes down what it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.alert_world import FIRING, RESOLVED, AlertWorld, alert_world, missing
from tests.e2e.alertmanager import REPEATS
from tests.e2e.kafka_broker import KafkaBroker
from tests.grafana.prometheus_server import until

Begin = Callable[..., AlertWorld]


# What comes behind the worker knows nothing of the log: there one kind is enough. All seven passed on both.
on_each_log = pytest.mark.parametrize(
    "begin", ["embedded", pytest.param("kafka", marks=pytest.mark.long)], indirect=True
)
on_a_broker = pytest.mark.parametrize("begin", ["kafka"], indirect=True)


@pytest.fixture
def begin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Begin]:
    """Starts everything, on an embedded log or on a broker."""
    if reason := missing():
        pytest.skip(reason)
    broker = f"embedded://{tmp_path / 'log'}"
    if getattr(request, "param", "embedded") == "kafka":
        kafka: KafkaBroker = request.getfixturevalue("empty_kafka")
        broker = f"kafka://{kafka.bootstrap}"
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(alert_world(broker, tmp_path, *arguments))


@on_each_log
def test_each_episode_is_told_once(begin: Begin) -> None:
    """Three people drop, one of them twice: four notifications. Nobody is named, what is imported is not told.

    Shelved and back again it is the same episode.
    """
    world = begin("8s")
    world.drop_long_ago("ursula-imported")
    world.drop("ada-l", "grace-ho", "katherine-j")
    shelved, ended, first = (world.until_told(person) for person in ("ada-l", "grace-ho", "katherine-j"))
    world.answer(shelved, "shelve", "--for", "1h")
    until(lambda: world.alertmanager.states("ScoreAlert").get(shelved) == "suppressed", world.alertmanager.said)
    world.answer(shelved, "unshelve")
    world.answer(ended, "clear")
    world.recover("katherine-j")
    world.drop("katherine-j")  # before Prometheus has let go of the first time
    second = world.until_told("katherine-j", 2)
    until(lambda: world.told()[ended, RESOLVED] > 0, world.told)
    world.settled("mary-so")
    assert "active" == world.alertmanager.states("ScoreAlert")[shelved]
    assert second != first
    assert world.until_raised("ursula-imported").notify is False
    assert 5 == sum(number for (_, state), number in world.told().items() if state == FIRING)
    assert second in world.metrics()
    assert [] == world.violations()


@pytest.mark.long
def test_what_is_acknowledged_is_told_no_more(begin: Begin) -> None:
    """It stays open, and silent, where one that nobody sees to is told again each second."""
    world = begin("8s", REPEATS)
    world.drop("ada-l", "grace-ho")
    seen_to, other = world.until_told("ada-l"), world.until_told("grace-ho")

    def until_told_again(times: int) -> None:
        wanted = world.told()[other, FIRING] + times
        until(lambda: world.told()[other, FIRING] >= wanted, world.told)

    world.answer(seen_to, "ack")
    until(lambda: world.alertmanager.states("ScoreAlert")[seen_to] == "suppressed", world.alertmanager.said)
    until_told_again(2)  # what was on its way has arrived
    before = world.told()[seen_to, FIRING]
    until_told_again(3)
    assert world.fires(seen_to)
    for alert in (seen_to, other):
        world.answer(alert, "clear")
    until(lambda: world.told()[other, RESOLVED] > 0, world.told)
    until(lambda: seen_to not in world.alertmanager.states("ScoreAlert"), world.alertmanager.said)
    assert before == world.told()[seen_to, FIRING]
    assert world.told()[seen_to, RESOLVED] <= 1


@on_a_broker
def test_a_worker_that_is_killed(begin: Begin) -> None:
    """While an alert is open, and as soon as another is raised: each is told once, and none as over."""
    world = begin()
    world.drop("ada-l")
    opened = world.until_told("ada-l")
    world.worker.kill()
    world.drop("grace-ho")  # while nobody scores
    until(lambda: not world.shown(opened), world.prometheus.said)
    world.until_evaluated()
    assert world.fires(opened)
    world.worker.start()
    until(lambda: bool(world.alerts("grace-ho")), world.worker.said)
    world.worker.kill()
    world.worker.start()
    until(lambda: world.shown(opened), world.worker.said)
    world.until_told("grace-ho")
    world.settled("katherine-j")
    assert [] == world.violations()


def test_a_prometheus_that_is_killed(begin: Begin) -> None:
    """Of what is open, raised, or raised and over while it is away, it tells each once when it is back on its data."""
    world = begin()
    world.drop("ada-l")
    opened = world.until_told("ada-l")
    world.prometheus.kill()
    world.drop("grace-ho", "katherine-j")
    world.until_raised("katherine-j")
    world.recover("katherine-j")
    until(lambda: world.alerts("katherine-j")[0].cleared_at is not None, world.worker.said)
    world.prometheus.start()
    for person in ("grace-ho", "katherine-j"):
        world.until_told(person)
    assert world.fires(opened)
    world.settled("mary-so")
    assert [] == world.violations()


def test_a_receiver_that_is_killed(begin: Begin) -> None:
    """It dies while it is told and stays away; back again, it hears once of what it missed, and of nothing else."""
    world = begin()
    world.drop("ada-l")
    world.until_told("ada-l")
    world.receiver.breaks = True
    world.drop("grace-ho")
    until(lambda: world.receiver.broken > 0, world.alertmanager.said)
    world.receiver.close()
    world.drop("katherine-j")
    missed = world.until_raised("katherine-j").alert_id
    until(lambda: world.alertmanager.states("ScoreAlert").get(missed) == "active", world.alertmanager.said)
    world.receiver.breaks = False
    world.receiver.open()
    for person in ("grace-ho", "katherine-j"):
        world.until_told(person)
    world.settled("mary-so")
    assert [] == world.violations()


@pytest.mark.long
def test_an_alertmanager_that_is_stopped(begin: Begin) -> None:
    """It knows from its data what it has told; what was raised while it was away is told once it hears of it."""
    world = begin()
    world.drop("ada-l")
    opened = world.until_told("ada-l")
    world.alertmanager.stop()
    world.drop("grace-ho")
    missed = world.until_raised("grace-ho").alert_id
    until(lambda: world.fires(missed), world.prometheus.said)
    world.alertmanager.start()
    until(lambda: opened in world.alertmanager.states("ScoreAlert"), world.alertmanager.said)
    world.until_told("grace-ho")
    world.settled("katherine-j")
    assert [] == world.violations()


@pytest.mark.long
def test_a_host_that_loses_its_power(begin: Begin) -> None:
    """Worker, Prometheus and Alertmanager die at once and come back on their data: they tell nothing again."""
    world = begin()
    world.drop("ada-l")
    opened = world.until_told("ada-l")
    until(lambda: world.alertmanager.wrote_down(opened), world.alertmanager.said)
    for process in (world.worker, world.prometheus, world.alertmanager):
        process.kill()
    world.worker.start()
    world.alertmanager.start()
    world.prometheus.start()
    until(lambda: opened in world.alertmanager.states("ScoreAlert"), world.alertmanager.said)
    world.settled("grace-ho")
    assert [] == world.violations()
