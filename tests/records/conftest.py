"""A store for each test, of each kind: SQLite in a file, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.records.database import Records, open_records


@pytest.fixture(params=["sqlite", "postgresql"])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store of this kind is."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite'}"
    url: str = request.getfixturevalue("postgresql").database()
    return url


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    """An open store with all tables, empty."""
    opened = open_records(records_url)
    yield opened
    opened.close()
