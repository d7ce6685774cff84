"""`scorestream demo` as a user starts it: an address at the end, a company at work behind it, Ctrl-C stops it."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import httpx

from tests.e2e.processes import free_port, started


def test_demo_shows_a_company_at_work_and_stops_cleanly(tmp_path: Path) -> None:
    """The address is printed when scores are there; the API has three lines and what they belong to; whoever is chosen
    has a page of their own; nobody is alerted about for being off duty. SIGINT ends it with 0, and its parts.

    The port of the environment is the board's alone: the worker beside it takes another one.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    settings = {"SCORESTREAM_PORT": str(port)}
    with started("demo", "--data", str(tmp_path / "plant"), until=f"{address}/\n", settings=settings) as (demo, _):
        with httpx.Client(base_url=address, timeout=10, headers={"origin": address, "accept": "text/html"}) as web:
            units = {unit["unit"]: unit["people"] for unit in web.get("/api/v1/units").json()["units"]}
            assert {"L01": 16, "L02-A": 7, "L02-B": 7, "lanjiang": 56}.items() <= units.items()
            assert "silent" not in {alert["rule"] for alert in web.get("/api/v1/alerts").json()["alerts"]}
            page = web.get("/choose").text
            operator = re.search(r'optgroup label="At work now">\s*<option value="(account:[a-z.]+)"', page)
            assert operator is not None
            chosen = web.post("/choose", data={"who": operator[1]})
            assert (303, "/me") == (chosen.status_code, chosen.headers["location"])
            mine = web.get("/me?lang=en").text
            assert "Semi-finished yield" in mine
            assert re.search("Unit Line [1-3], (day|night) crew", mine)
            assert 403 == web.get("/people/E0101").status_code
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
