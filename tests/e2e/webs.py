"""Web processes, and what they serve compared with what the log has."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

from agents.transport.log import Log
from stream.topics import SCORE_UPDATES, UNIT_UPDATES
from tests.e2e.processes import started
from tests.soak.evidence import whole

PATIENCE = 120.0  # s


def web(stack: ExitStack, *arguments: str) -> str:
    """The address of one more `scorestream web` with these arguments, which ends with the stack."""
    _, line = stack.enter_context(started("web", "--demo", *arguments, until="http://"))
    return line.strip()


def get(url: str) -> Any:
    """The JSON at an address."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def health(address: str) -> tuple[int, dict[str, Any]]:
    """Status and answer of a web process's /healthz."""
    try:
        with urllib.request.urlopen(f"{address}healthz", timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def served(address: str) -> dict[str, Any]:
    """The rows of everybody and of each unit, as a web process tells them; nothing while it cannot."""
    found: dict[str, Any] = {}
    try:
        for row in get(f"{address}api/v1/scores?limit=10000")["rows"]:
            found.setdefault(f"{SCORE_UPDATES}/{row['employee_id']}", []).append(row)
        for entry in get(f"{address}api/v1/units")["units"]:
            unit = get(f"{address}api/v1/units/{quote(entry['unit'], safe='')}")
            found[f"{UNIT_UPDATES}/{entry['unit']}"] = unit["rows"]
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return {}
    return found


def published(log: Log) -> dict[str, Any]:
    """The latest rows of everybody and of each unit, as the log has them; people without rows are left out."""
    found: dict[str, Any] = {}
    for topic in (SCORE_UPDATES, UNIT_UPDATES):
        for number in range(log.topics()[topic].partitions):
            for record in whole(log, topic, number):
                found[f"{topic}/{(record[2] or b'').decode()}"] = json.loads(record[3] or b"")["rows"]
    return {key: rows for key, rows in found.items() if rows or key.startswith(UNIT_UPDATES)}


def until(condition: Callable[[], object], why: Callable[[], object] = str) -> None:
    """Waits for a condition; AssertionError with the reason when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.2)  # who is asked has to answer, with all rows or all metrics


def until_right(log: Log, *addresses: str, why: Callable[[], object] = str) -> None:
    """Until all of them serve what the log has: everybody, every unit, the latest values."""

    def right() -> bool:
        expected = published(log)
        return bool(expected) and all(served(address) == expected for address in addresses)

    until(right, why)
