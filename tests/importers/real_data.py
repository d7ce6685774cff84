"""Where the tests find data that nobody made up, which a checkout need not have beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_path(name: str) -> Path:
    """The file or folder of that name in SCORESTREAM_TEST_DATA or in ../shared/data; skips where there is none."""
    given = os.environ.get("SCORESTREAM_TEST_DATA")
    path = (Path(given) if given else Path(__file__).parents[3] / "shared" / "data") / name
    if not path.exists():
        pytest.skip(f"there is no {path}: set SCORESTREAM_TEST_DATA to the folder that holds {name}")
    return path
