"""Topics are what the contract says, in every log."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.settings import SettingError, Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog
from stream.topics import INPUTS, TOPICS, topic_of


def test_all_topics_are_made(log: EmbeddedLog) -> None:
    """A log gets every topic with the same number of partitions."""
    found = log.topics()
    assert dict.fromkeys(found, 4) == {topic.name: found[topic.name].partitions for topic in TOPICS}
    assert {name for name, info in found.items() if info.compacted} == {
        "templates",
        "scores-changelog",
        "score-updates",
        "unit-updates",
        "unit-shares",
    }
    assert {name for name, info in found.items() if not info.ledger} == {*INPUTS, "templates", "commands", "ticks"}


def test_a_log_keeps_its_partitions(tmp_path: Path) -> None:
    """Later the log's own number of partitions holds, and asking for another one is an error that names it."""
    with EmbeddedLog.open(tmp_path / "log") as log:
        assert ensure_topics(log, Settings.load({}, {"partitions": 7})) == 7
        assert ensure_topics(log, Settings.load({})) == 7
        with pytest.raises(SettingError, match="partitions=8: this log was created with 7"):
            ensure_topics(log, Settings.load({}, {"partitions": 8}))


def test_retention_is_of_inputs_only(tmp_path: Path) -> None:
    """Retention holds for input topics; who does not set it leaves it, `off` takes it away."""
    with EmbeddedLog.open(tmp_path / "log") as log:
        ensure_topics(log, Settings.load({}, {"retention_days": 2, "retention_bytes": "1MB"}))
        limits = {(info.retention_ms, info.retention_bytes) for name, info in log.topics().items() if name in INPUTS}
        others = {
            (info.retention_ms, info.retention_bytes) for name, info in log.topics().items() if name not in INPUTS
        }
        assert (limits, others) == ({(172_800_000, 1_000_000)}, {(None, None)})
        ensure_topics(log, Settings.load({}))
        assert log.topics()["qc-events"].retention_ms == 172_800_000
        ensure_topics(log, Settings.load({}, {"retention_days": "off"}))
        assert (
            log.topics()["qc-events"].retention_ms,
            log.topics()["qc-events"].retention_bytes,
        ) == (None, 1_000_000)


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("qc.inspection", "qc-events"),
        ("business.sale", "business-events"),
        ("people.assignment", "people-events"),
        ("qc", None),
        ("other.x", None),
        ("", None),
    ],
)
def test_topic_of_a_type(kind: str, topic: str | None) -> None:
    """The topic follows from the prefix of the type."""
    assert topic_of(kind) == topic
