"""The embedded log keeps what any log promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.transport.embedded.log import EmbeddedLog
from tests.transport.log_suite import LogSuite, Names


class TestEmbeddedLog(LogSuite):
    """Over a folder."""

    @pytest.fixture
    def names(self) -> Names:
        """Nobody else has topics there."""
        return Names("events", "state")

    @pytest.fixture
    def log(self, tmp_path: Path, names: Names) -> Iterator[EmbeddedLog]:
        """A new folder."""
        with EmbeddedLog.open(tmp_path / "log") as opened:
            opened.create_topic(names.events, 2)
            opened.create_topic(names.state, 2, compacted=True, ledger=True)
            yield opened
