"""Worlds for tests of the shell: a rig in a folder of its own, in memory where that is possible."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents.rig import Rig
from tests.oracle.logs import NOON, PARTITIONS


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of its own."""
    memory = Path("/dev/shm")
    found = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield found
    shutil.rmtree(found)


@pytest.fixture
def rig(folder: Path) -> Iterator[Rig]:
    """An empty log with the partitions of tests/oracle/logs.py, and its worker; it is noon."""
    found = Rig(folder, PARTITIONS, NOON)
    yield found
    found.close()
