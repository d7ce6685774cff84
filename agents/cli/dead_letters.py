"""`scorestream dead-letters`: what was rejected can be looked at, and sent again once its cause is gone."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.interrupts import interrupts_later
from agents.cli.opening import existing_log, now_ms
from agents.cli.output import FormatFlag, print_record, print_rows, time_text
from agents.cli.progress import Progress, say
from agents.cli.reading import whole_topic
from agents.dead_letters import DeadLetter, dead_letter, retried, retry, this_user
from agents.transport.log import Log
from schemas.instants import parse_rfc3339
from stream.topics import COMMANDS, DEAD_LETTERS

app = App(name="dead-letters", help="List, show and retry records that were rejected.", help_format="plaintext")

Reason = Literal[
    "not_json",
    "schema",
    "bad_id",
    "bad_time",
    "in_future",
    "bad_measure",
    "inconsistent",
    "key_mismatch",
    "unknown_type",
    "wrong_topic",
    "conflict",
    "too_large",
    "refused",
]
_ROW: Final = ("id", "reason", "detail", "timestamp", "key", "bytes", "retried_at")
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_AT_ONCE: Final = 2_000


@app.command(name="list")
def list_(
    *,
    reason: Reason | None = None,
    since: str | None = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """List rejected records, oldest first, with the reason and what exactly was wrong.

    For example

        scorestream dead-letters list --since 2h
        scorestream dead-letters list --reason bad_time --format csv

    Parameters
    ----------
    reason
        only those rejected for this reason
    since
        only those sent since then: RFC 3339, or an age such as 30m, 2h, 7d
    """
    begin = _since(since)
    with existing_log(flags.settings()) as log:
        again = _retried(log)
        rows = (_row(letter, again) for letter in _letters(log, reason) if letter.timestamp >= begin)
        print_rows(rows, _ROW, format)
    return 0


@app.command
def show(id: str, /, *, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Show one rejected record with the bytes it held.

    For example

        scorestream dead-letters show qc-events/3/1042

    Parameters
    ----------
    id
        id of the dead letter, as `list` prints it
    """
    with existing_log(flags.settings()) as log:
        letter = _find(log, [id])[0]
        print_record(_row(letter, _retried(log)) | {"value": _text(letter.value)}, format)
    return 0


@app.command(name="retry")
def retry_(
    *ids: str,
    all_: Annotated[Switch, Parameter(name="--all")] = False,
    reason: Reason | None = None,
    flags: Flags = NO_FLAGS,
) -> int:
    """Send rejected records again, byte for byte, with their original key and timestamp.

    They are decided anew, as if sent now with their old timestamp; what fails again
    becomes a dead letter of its own. With --all each record is sent once: those that
    were retried before stay out, and so do the dead letters that their retries left
    (same place, timestamp and bytes). Once the cause is gone, name those to retry
    them once more.

    For example

        scorestream dead-letters retry qc-events/3/1042
        scorestream dead-letters retry --all --reason key_mismatch

    Parameters
    ----------
    ids
        ids of dead letters, as `list` prints them
    all_
        all whose record was not retried yet
    reason
        with --all: only those rejected for this reason
    """
    if bool(ids) == all_:
        raise UsageError("name dead letters, or give --all (see `scorestream dead-letters list`)")
    if reason is not None and not all_:
        raise UsageError(f"--reason {reason}: it chooses among all; add --all")
    with existing_log(flags.settings()) as log:
        again = Counter[str]()
        letters = _find(log, ids) if ids else _not_retried(log, reason, again)
        _retry(log, letters)
    if failed := again.total():
        say(f"{failed:,} stay out: retries that failed again; name them to retry them once more")
    return 0


def _retry(log: Log, letters: Iterable[DeadLetter]) -> None:
    waiting = iter(letters)
    with Progress("retried") as progress:
        try:
            while part := list(islice(waiting, _AT_ONCE)):
                with interrupts_later():
                    retry(log, part, now_ms(), this_user())
                    progress.advance(len(part))
        finally:
            sys.stdout.write(f"retried {progress.done:,} records\n")


def _letters(log: Log, reason: str | None) -> Iterator[DeadLetter]:
    for _, record in whole_topic(log, DEAD_LETTERS):
        letter = dead_letter(record)
        if reason is None or letter.reason == reason:
            yield letter


def _not_retried(log: Log, reason: str | None, again: Counter[str]) -> Iterator[DeadLetter]:
    """Letters whose record was not sent again yet; counts by reason those that a retry of it has left."""
    retried_at = _retried(log)
    sent: set[bytes] = set()
    for letter in _letters(log, None):
        content = _content(letter)
        if letter.id in retried_at:
            sent.add(content)
        elif content in sent:
            again[letter.reason] += reason in (None, letter.reason)
        elif reason in (None, letter.reason):
            sent.add(content)
            yield letter


def _content(letter: DeadLetter) -> bytes:
    """What is the same of a record and its retries: place, timestamp, key and value."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (letter.topic.encode(), b"%d %d" % (letter.partition, letter.timestamp), letter.key, letter.value):
        digest.update(b"-" if part is None else b"%d:%b" % (len(part), part))
    return digest.digest()


def _retried(log: Log) -> dict[str, int]:
    return retried(record for _, record in whole_topic(log, COMMANDS))


def _find(log: Log, ids: Iterable[str]) -> list[DeadLetter]:
    """The letters with these ids, in this order, each once; CommandError when there is none with an id."""
    wanted = dict.fromkeys(ids)
    found = {letter.id: letter for letter in _letters(log, None) if letter.id in wanted}
    if missing := [id for id in wanted if id not in found]:
        raise CommandError(f"no dead letter {missing[0]!r}; `scorestream dead-letters list` has the ids")
    return [found[id] for id in wanted]


def _row(letter: DeadLetter, again: dict[str, int]) -> dict[str, object]:
    return {
        "id": letter.id,
        "reason": letter.reason,
        "detail": letter.detail,
        "timestamp": time_text(letter.timestamp),
        "key": _text(letter.key),
        "bytes": len(letter.value or b""),
        "retried_at": time_text(again.get(letter.id)),
    }


def _text(value: bytes | None) -> str | None:
    """Bytes as text; what is no UTF-8 as base64."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value or b"").decode("ascii")


def _since(text: str | None) -> int:
    if text is None:
        return -(2**63)
    if (age := re.fullmatch(r"([0-9]{1,9})([smhd])", text)) is not None:
        return now_ms() - int(age[1]) * _UNITS[age[2]]
    moment = parse_rfc3339(text)
    if moment is None:
        raise UsageError(f"--since {text!r}: it must be RFC 3339 with a zone, or an age such as 30m, 2h, 7d")
    return moment
