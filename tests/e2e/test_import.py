"""AdventureWorks through the whole product: the yields are the known table, and a second import changes nothing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.e2e.processes import call, started
from tests.importers.real_data import data_path

# Received and accepted units per buyer, from the data's own README.
KNOWN = {
    250: (83_462, 64_078), 251: (245_467, 245_440), 252: (105_547, 104_748), 253: (239_557, 239_329),
    254: (202_553, 199_891), 255: (211_219, 211_138), 256: (208_701, 202_806), 257: (232_381, 232_300),
    258: (184_177, 184_147), 259: (175_206, 174_966), 260: (202_810, 189_707), 261: (236_219, 206_049),
}  # fmt: skip


def test_the_yields_are_the_known_table(tmp_path: Path) -> None:
    """Import, score, import again: every buyer's sums are the table's, exactly 250 and 261 are below 90 %."""
    company = str(data_path("adventureworks"))
    broker = ("--broker", f"embedded://{tmp_path / 'log'}")
    call("import", "adventureworks", company, *broker)
    with started("worker", *broker, until="healthz"):
        call("status", "--wait-idle", "--timeout", "100", *broker)
        first = _yields(broker)
        call("import", "adventureworks", company, *broker)
        call("status", "--wait-idle", "--timeout", "100", *broker)
        again = _yields(broker)
    assert {f"AW-{buyer}": units for buyer, units in KNOWN.items()} == first
    assert first == again
    assert ["AW-250", "AW-261"] == sorted(
        name for name, (received, accepted) in first.items() if accepted < 0.9 * received
    )
    call("verify", *broker)
    assert ["AW-250", "AW-261"] == sorted(str(row["employee_id"]) for row in _rows("alerts", "list", *broker))
    why = {str(row["employee_id"]): row for row in _rows("alerts", "rules", *broker)}
    assert {f"AW-{buyer}" for buyer in KNOWN} <= why.keys()
    assert {"AW-250", "AW-261"} == {name for name, row in why.items() if row["state"] == "firing"}
    assert {
        str(row["why"]).endswith("is not below 0.9")
        for name, row in why.items()
        if name.startswith("AW-") and row["state"] == "ok" and row["n"]
    } == {True}
    assert {False} == {row["notify"] for row in _rows("alerts", "list", *broker)}  # of years ago: nobody is called


def _rows(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in call(*arguments, "--format", "ndjson").splitlines()]


def _yields(broker: tuple[str, str]) -> dict[str, tuple[int, int]]:
    text = call("scores", "--indicator", "receiving_yield", "--window", "all", "--format", "csv", *broker)
    rows = csv.DictReader(io.StringIO(text))
    return {row["employee_id"]: (int(row["n"]), int(row["good"])) for row in rows if row["n"] != "0"}
