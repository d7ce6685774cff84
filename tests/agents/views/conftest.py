"""Fixtures of the views: one set of views in Redis, and one in a folder, for the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.views.port import ViewsReader, ViewsWriter
from tests.agents.views.sites import RedisSite, Site, TwinSite


@pytest.fixture(params=["redis", "twin"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """Empty views: in a real Redis, then in a folder."""
    if request.param == "redis":
        return RedisSite(request.getfixturevalue("redis_server"))
    return TwinSite(tmp_path)


@pytest.fixture
async def writer(site: Site) -> AsyncIterator[ViewsWriter]:
    """A worker's side."""
    writer = site.writer()
    yield writer
    await writer.close()


@pytest.fixture
async def reader(site: Site) -> AsyncIterator[ViewsReader]:
    """A web process's side."""
    reader = site.reader()
    yield reader
    await reader.close()
