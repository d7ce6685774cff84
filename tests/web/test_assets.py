"""Files of the pages: a fixed list, an id that changes with them, and uPlot from its own package."""

from __future__ import annotations

import sys

import pytest

from dashboards.web.assets import Assets, load_assets


def test_the_build_changes_with_any_file_and_only_then() -> None:
    """Old pages reload themselves when it does."""
    one = Assets({"a.js": b"1", "b.css": b"2"}, b"html")
    assert one.build == Assets({"b.css": b"2", "a.js": b"1"}, b"html").build
    others = [
        Assets({"a.js": b"1!", "b.css": b"2"}, b"html"),
        Assets({"a.js": b"1", "c.css": b"2"}, b"html"),
        Assets({"a.js": b"1", "b.css": b"2"}, b"html!"),
    ]
    assert len({assets.build for assets in [one, *others]}) == 4


def test_an_address_of_a_file_that_is_not_there_is_an_error() -> None:
    """A page with a misspelt file fails when it is made, not on the wall."""
    with pytest.raises(KeyError, match=r"nix\.js"):
        Assets({"a.js": b""}).address("nix.js")


def test_uplot_is_served_from_its_package_without_importing_it() -> None:
    """Importing it would load numpy and more into every web process."""
    before = set(sys.modules)
    script = load_assets().get("uPlot.iife.js")
    assert script is not None
    assert b"Leon Sorokin" in script.content
    assert "numpy" not in set(sys.modules) - before


def test_nothing_of_the_pages_comes_from_elsewhere() -> None:
    """Shop floors are offline."""
    assets = load_assets()
    for name in ("main.js", "board.css", "theme.css", "connection.js", "trend.js"):
        found = assets.get(name)
        assert found is not None
        assert b"://" not in found.content
