"""What somebody does to an alert is a record of `commands`; the tick that follows it has it obeyed, or refused."""

from typing import NamedTuple

from agents.oracle.event import read_json
from agents.oracle.log import LogRecord

ACK, SHELVE, UNSHELVE, CLEAR = "ack", "shelve", "unshelve", "clear"


class Command(NamedTuple):
    """`by` does `action` to an alert; `until` (ms) is for `shelve`. `unit`: whose own alert it is, "" for a person's.

    `whose` is the key of the record.
    """

    partition: int
    offset: int
    whose: str
    alert_id: str
    action: str
    by: str
    until: int | None
    unit: str


def read_command(record: LogRecord) -> Command | None:
    """The command about an alert in a record of `commands`; None where it is none."""
    try:
        raw = read_json(record.value or b"")
    except ValueError:
        return None
    if not isinstance(raw, dict) or raw.get("command") != "alert":
        return None
    texts = [raw.get(name) for name in ("alert_id", "action", "by")] + [raw.get("reason", ""), raw.get("into", "")]
    until, unit = raw.get("until"), raw.get("unit", "")
    if not all(isinstance(text, str) for text in (*texts, unit)):
        return None
    if until is not None and (isinstance(until, bool) or not isinstance(until, int)):
        return None
    whose = (record.key or b"").decode("utf-8", "replace")
    return Command(
        record.partition, record.offset, whose, str(texts[0]), str(texts[1]), str(texts[2]), until, str(unit)
    )
