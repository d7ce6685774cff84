"""`scorestream demo` as a user starts it: an address at the end, live scores behind it, Ctrl-C stops everything."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from pathlib import Path

from tests.e2e.processes import free_port, started


def test_demo_shows_three_lines_and_stops_cleanly(tmp_path: Path) -> None:
    """The address is printed when scores are there; the API has three lines; SIGINT ends it with 0, and its parts.

    The port of the environment is the board's alone: the worker beside it takes another one.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    settings = {"SCORESTREAM_PORT": str(port)}
    with started("demo", "--data", str(tmp_path / "plant"), until=address, settings=settings) as (demo, _):
        with urllib.request.urlopen(f"{address}api/v1/units", timeout=10) as answer:
            units = json.load(answer)["units"]
        assert ["L01", "L02", "L03"] == [unit["unit"] for unit in units]
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    assert not _in_folder(tmp_path)


def _in_folder(folder: Path) -> list[str]:
    """Processes that were started on this folder and still run."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in command:
                found.append(command)
    return found
