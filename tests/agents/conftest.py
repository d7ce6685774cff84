"""Worlds for tests of the shell: rigs in folders of their own, in memory where that is possible."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from agents.oracle import rulebook as oracle_rulebook
from tests.agents.rig import LIMITS, Rig, new_log
from tests.oracle.logs import NOON, PARTITIONS

World = Callable[..., Rig]


@pytest.fixture(autouse=True, scope="session")
def _read_once() -> Iterator[None]:
    """The oracle reads a text once: scripts have it recompute logs again and again, and a quarter of all was YAML."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("read_template", "read_calendar"):
            patch.setattr(oracle_rulebook, name, lru_cache(maxsize=256)(getattr(oracle_rulebook, name)))
        yield


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


@pytest.fixture(scope="module")
def logs() -> Iterator[Path]:
    """A folder per number of partitions with an empty log, to be copied; in memory where that is possible."""
    memory = Path("/dev/shm")
    base = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    for partitions in (1, 2):
        new_log(base / str(partitions) / "log", partitions).close()
    logging.getLogger("agents.rules").disabled = True  # it warns of every bad publication, every time
    yield base
    logging.getLogger("agents.rules").disabled = False
    shutil.rmtree(base)
