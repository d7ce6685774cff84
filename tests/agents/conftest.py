"""Worlds for tests of the shell: rigs in folders of their own, in memory where that is possible."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agents.rig import LIMITS, Rig
from tests.oracle.logs import NOON, PARTITIONS

World = Callable[..., Rig]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of its own."""
    memory = Path("/dev/shm")
    found = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield found
    shutil.rmtree(found)


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    """Makes an empty log with the partitions of tests/oracle/logs.py, and its worker; it is noon."""
    made: list[Rig] = []

    def make(**given: object) -> Rig:
        made.append(Rig(folder, PARTITIONS, NOON, **{"limits": LIMITS, **given}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for rig in made:
        rig.close()


@pytest.fixture
def rig(world: World) -> Rig:
    """The usual one."""
    return world()
