"""What takes long to load is loaded by who uses it: each process, and each that a test starts, begins with that."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.e2e.processes import ROOT


@pytest.mark.parametrize(
    ("begun", "not_loaded"),
    [
        ("agents.app", ["sqlalchemy", "alembic", "joserfc", "litestar"]),
        ("dashboards.web.server", ["alembic", "joserfc", "aiohttp"]),
    ],
)
def test_a_process_begins_without(begun: str, not_loaded: list[str]) -> None:
    """The relational store where none is opened, Alembic where it is up to date, the protocol of a sign-in."""
    code = f"import sys, {begun}; print([name for name in {not_loaded} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "[]" == told.stdout.strip()


def test_what_make_starts_keeps_its_bytecode() -> None:
    """Whatever the environment says: locked packages come without any, and each process would make all of it again."""
    told = subprocess.run(
        ["make", "-s", "--eval", "environment: ; @env", "environment"],
        cwd=ROOT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "PATH=" in told.stdout
    assert "PYTHONDONTWRITEBYTECODE" not in told.stdout
