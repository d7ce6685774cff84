"""The demo's drop of quality raises alerts: whoever tries the product sees one within minutes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from agents.plant.model import assigned, history
from agents.plant.quality import DROP_AFTER, FIRST_DROP_LINE
from agents.plant.run import outgoing
from agents.publishing import publish
from agents.settings import Settings
from agents.told import latest_alerts
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog, partition_for
from schemas.instants import MINUTE, parse_rfc3339
from tests.cli.scored import score
from tests.plant.records import START, live_minutes, plant

WITHIN = 5  # minutes from the start


def test_the_first_drop_raises_alerts_within_minutes(tmp_path: Path) -> None:
    """On the line that drops, by the template that the demo publishes."""
    with EmbeddedLog.open(tmp_path) as log:
        partitions = ensure_topics(log, Settings.load({}))
        text = (files("schemas.packs") / "production-operator.yaml").read_text(encoding="utf-8")
        publish(log, text, START - 90 * MINUTE)
        records = [*assigned(plant()), *history(plant(), START), *live_minutes(WITHIN)]
        log.append([outgoing(each, each.at, lambda key: partition_for(key, partitions)) for each in records])
    score(tmp_path)
    with EmbeddedLog.open(tmp_path) as log:
        rows = latest_alerts(log).values()
    raised = [row.unit for row in rows if (parse_rfc3339(row.raised_at) or 0) >= START + DROP_AFTER]
    assert FIRST_DROP_LINE in raised
