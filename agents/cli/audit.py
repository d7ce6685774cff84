"""`scorestream audit`: who saw, did and was refused what, and whether the log of it holds."""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
from cyclopts import App, Parameter

from agents.access import audit as chain
from agents.cli.access_store import store
from agents.cli.errors import UsageError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.output import FormatFlag, print_rows, time_text
from schemas.instants import parse_rfc3339

COLUMNS = ("number", "at", "actor", "action", "subject", "right", "relation", "outcome", "detail")

app = App(name="audit", help="The audit log: list it, verify its chain.")

Noted = Annotated[str | None, Parameter(name="--head", help="HASH@COUNT, noted earlier: it must still be in the chain")]
Actor = Annotated[str | None, Parameter(help="only entries of this one: account:NAME, token:ID, os:NAME, nobody")]
About = Annotated[str | None, Parameter(name="--subject", help="only entries about this: employee:ID, unit:ID, ...")]
Since = Annotated[str | None, Parameter(help="only entries from this instant on, RFC 3339")]


@app.command
def verify(*, noted: Noted = None, flags: Flags = NO_FLAGS) -> int:
    """Compute the whole chain anew; print its head, or name the first broken entry (exit code 1).

    Note the head elsewhere: who can write to the database could make a whole new chain, which --head finds.

    For example

        scorestream audit verify
        scorestream audit verify --head 9f2b...@1204
    """
    try:
        expected = None if noted is None else chain.parse_head(noted)
    except ValueError as right:
        raise UsageError(f"--head {noted!r}: write {right}") from None
    with store(flags.settings()) as records, records.reading() as connection:
        found = chain.verify(connection, expected)
    if found.broken is not None:
        sys.stderr.write(f"scorestream: the audit log is broken: {found.broken}\n")
        return 1
    sys.stdout.write(f"{found.head}\n")
    sys.stderr.write(f"{found.head.entries} entries, each follows from the one before it\n")
    return 0


@app.command(name="list")
def list_entries(
    *,
    actor: Actor = None,
    subject: About = None,
    since: Since = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Print entries in their order.

    For example

        scorestream audit list --subject employee:E0261 --since 2026-11-01T00:00:00+08:00
        scorestream audit list --actor account:li.na --format ndjson
    """
    begin = None if since is None else parse_rfc3339(since)
    if since is not None and begin is None:
        raise UsageError(f"--since {since!r}: write RFC 3339 with a zone, e.g. 2026-11-01T00:00:00+08:00")
    with store(flags.settings()) as records, records.reading() as connection:
        rows = (
            {**row._mapping, "at": time_text(row.at), "detail": orjson.loads(row.detail)}
            for row in chain.entries(connection, actor, subject, begin)
        )
        print_rows(rows, COLUMNS, format)
    return 0
