"""Everything a page loads comes from this process, from a list fixed at start; the build id names its content.

uPlot is served from the files of the package `uplot-python`; nothing of it lies in this repository.
"""

from __future__ import annotations

import hashlib
import importlib.util
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from dashboards.web.languages import LANGUAGES, catalogue_bytes

TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_UPLOT: Final = ("uPlot.iife.js", "uPlot.min.css")


class Asset(NamedTuple):
    """A file as it is sent."""

    content: bytes
    content_type: str


class Assets:
    """The files by name, and the id of this build."""

    def __init__(self, files: dict[str, bytes], further: bytes = b"") -> None:
        self._files = {name: Asset(content, TYPES[Path(name).suffix]) for name, content in files.items()}
        digest = hashlib.sha256(further)
        for name in sorted(files):
            digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
        self.build = digest.hexdigest()[:12]

    def get(self, name: str) -> Asset | None:
        """The file of that name, None when there is none."""
        return self._files.get(name)

    def address(self, name: str) -> str:
        """Where the file is found; the address changes with the build, so that it may be kept for ever."""
        if name not in self._files:
            raise KeyError(f"asset {name!r} is not one of {sorted(self._files)}")
        return f"/assets/{self.build}/{name}"


def load_assets() -> Assets:
    """The files of this package, the catalogues and uPlot; FileNotFoundError when uPlot is not installed."""
    package = resources.files("dashboards.web")
    static, pages = package.joinpath("static"), package.joinpath("templates")
    files = {entry.name: entry.read_bytes() for entry in static.iterdir() if Path(entry.name).suffix in TYPES}
    files |= {f"words.{language}.json": catalogue_bytes(language) for language in LANGUAGES}
    files |= {name: (_uplot() / name).read_bytes() for name in _UPLOT}
    # A page that changed only in its HTML is a new build too.
    html = b"".join(entry.read_bytes() for entry in sorted(pages.iterdir(), key=lambda entry: entry.name))
    return Assets(files, html)


def _uplot() -> Path:
    # find_spec, because importing uplot would import numpy and IPython.
    spec = importlib.util.find_spec("uplot")
    if spec is None or spec.submodule_search_locations is None:
        raise FileNotFoundError("package uplot: it is not installed; `pip install uplot-python`")
    return Path(next(iter(spec.submodule_search_locations))) / "static"
