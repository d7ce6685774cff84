"""`scorestream access`: accounts, roles, tokens, the matrix, and what two states of it all differ in.

Whoever runs these commands can write the store anyway; what they do is in the audit log under their account here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import App, Parameter
from sqlalchemy import select

from agents.access import state
from agents.access.administration import SERVICE_SCOPES
from agents.access.identities import ACCOUNT_ROLES
from agents.access.matrix import CELLS, RELATIONS, ROLES, cell, entries
from agents.access.viewer import Look
from agents.cli.access_store import administration, store
from agents.cli.errors import UsageError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import now_ms
from agents.cli.output import FormatFlag, print_rows, time_text
from agents.records.access_tables import account_roles, accounts, tokens
from schemas.instants import parse_rfc3339

SHOWN: Final = 5  # people that a table names; NDJSON and CSV name all

app = App(name="access", help="Accounts, roles, tokens, and who may see what.")
account = App(name="account", help="People who may sign in.")
role = App(name="role", help="What an account is: " + ", ".join(ACCOUNT_ROLES) + ".")
token = App(name="token", help="What services and screens show instead of a sign-in.")
policy = App(name="policy", help="What the matrix leaves to the company.")
for one in (account, role, token, policy):
    app.command(one)

Employee = Annotated[str | None, Parameter(help="who it is in events; they see their own scores")]
Roles = Annotated[tuple[str, ...], Parameter(name="--role", help="a role; may be given several times")]
Scopes = Annotated[
    tuple[str, ...],
    Parameter(name="--scope", help=f"a right that it has: {', '.join(SERVICE_SCOPES)}; may be given several times"),
]
Screen = Annotated[str | None, Parameter(help="for a screen of this unit")]
Unit = Annotated[str | None, Parameter(help="nothing but this unit and those below it")]
Distance = Annotated[float | None, Parameter(help="of a screen: metres from which people look at it")]
Diagonal = Annotated[float | None, Parameter(help="of a screen: its size in inches")]
Days = Annotated[int, Parameter(help="how long it is good for")]
Until = Annotated[str | None, Parameter(help="when it ends, RFC 3339 (default: when it is revoked)")]


@account.command(name="add")
def add_account(name: str, /, *, employee: Employee = None, roles: Roles = (), flags: Flags = NO_FLAGS) -> int:
    """Add an account: NAME as the identity provider's claim says it (setting oidc_claim).

    For example

        scorestream access account add li.na --employee E0261 --role supervisor
        scorestream access account add root --role admin
    """
    with store(flags.settings()) as records:
        administration(records).add_account(name, employee, roles)
    return 0


@account.command(name="list")
def list_accounts(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Print all accounts with the roles that they have now."""
    with store(flags.settings()) as records, records.reading() as connection:
        at = now_ms()
        held: dict[str, list[str]] = {}
        for row in connection.execute(select(account_roles).order_by(account_roles.c.role)):
            if row.begins <= at and (row.ends is None or at < row.ends):
                held.setdefault(row.account, []).append(row.role)
        rows = [
            {
                "account": row.name,
                "employee": row.employee,
                "roles": " ".join(held.get(row.name, [])),
                "signed_in_before": row.subject is not None,
                "disabled_at": time_text(row.disabled_at),
            }
            for row in connection.execute(select(accounts).order_by(accounts.c.name))
        ]
    print_rows(rows, ("account", "employee", "roles", "signed_in_before", "disabled_at"), format)
    return 0


@account.command(name="disable")
def disable_account(name: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """The account signs in no more, and whatever it has open ends within five seconds."""
    with store(flags.settings()) as records:
        administration(records).disable_account(name)
    return 0


@account.command(name="enable")
def enable_account(name: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """A disabled account may sign in again, within five seconds, with the roles that it has.

    For example

        scorestream access account enable li.na
    """
    with store(flags.settings()) as records:
        administration(records).enable_account(name)
    return 0


@role.command(name="grant")
def grant_role(name: str, role: str, /, *, until: Until = None, flags: Flags = NO_FLAGS) -> int:
    """Give an account a role, from now on.

    For example

        scorestream access role grant li.na hr
        scorestream access role grant visitor auditor --until 2026-12-31T23:59:59+08:00
    """
    ends = None if until is None else parse_rfc3339(until)
    if until is not None and ends is None:
        raise UsageError(f"--until {until!r}: write RFC 3339 with a zone, e.g. 2026-12-31T23:59:59+08:00")
    with store(flags.settings()) as records:
        administration(records).grant(name, role, ends=ends)
    return 0


@role.command(name="revoke")
def revoke_role(name: str, role: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """Take a role from an account; within five seconds nothing is open any more that it took."""
    with store(flags.settings()) as records:
        administration(records).revoke(name, role)
    return 0


@token.command(name="create")
def create_token(
    label: str = "",
    /,
    *,
    screen: Screen = None,
    unit: Unit = None,
    scopes: Scopes = (),
    days: Days = 90,
    distance: Distance = None,
    diagonal: Diagonal = None,
    flags: Flags = NO_FLAGS,
) -> int:
    """Make a token and print it, alone and once: nobody can see it again.

    With --distance a screen's digits are as large as that takes, and it shows as many people at once as have room.

    For example

        scorestream access token create hall-2 --screen L02 --days 365 --distance 8 --diagonal 55
        scorestream access token create line-3-aoi --scope send-events
    """
    if screen is not None and unit is not None:
        raise UsageError(f"--unit {unit!r}: a screen is bound to --screen {screen!r} already")
    with store(flags.settings()) as records:
        made = administration(records).create_token(
            label or (f"screen of {screen}" if screen else ""), screen or unit, scopes, days, screen is not None,
            Look(distance, diagonal),
        )  # fmt: skip
    sys.stdout.write(f"{made}\n")
    return 0


@token.command(name="list")
def list_tokens(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Print all tokens: what for, what they may do, when they were used last. Never the tokens themselves."""
    columns = (
        "token", "kind", "label", "unit", "scopes", "distance", "diagonal", "expires_at", "revoked_at", "used_at",
    )  # fmt: skip
    with store(flags.settings()) as records, records.reading() as connection:
        rows = [
            {
                "token": row.id,
                **{name: getattr(row, name) for name in columns[1:7]},
                **{name: time_text(getattr(row, name)) for name in columns[7:]},
            }
            for row in connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
        ]
    print_rows(rows, columns, format)
    return 0


@token.command(name="revoke")
def revoke_token(name: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """A token opens nothing any more, nor do screens that were signed in with it; NAME as the list has it."""
    with store(flags.settings()) as records:
        administration(records).revoke_token(name)
    return 0


@policy.command(name="set")
def set_policy(name: str, value: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """Turn a policy on or off: `subtree` lets supervisors see the people below their own team.

    For example

        scorestream access policy set subtree on
    """
    if value not in ("on", "off"):
        raise UsageError(f"value {value!r}: it must be on or off")
    with store(flags.settings()) as records:
        administration(records).set_policy(name, value == "on")
    return 0


@app.command
def matrix(*, format: FormatFlag = "table") -> int:
    """Print the permission matrix: a row for each right and role, a column for each relation.

    What is not yes, or yes under a condition, is refused.
    """
    rows = [
        {"right": right, "role": one, **{column: CELLS[cell(one, column, right)] for column in RELATIONS}}
        for right in dict.fromkeys(entry.right for entry in entries())
        for one in ROLES
        if any(entry.cell != "no" for entry in entries() if (entry.right, entry.role) == (right, one))
    ]
    print_rows(rows, ("right", "role", *RELATIONS), format)
    return 0


@app.command
def export(file: str, /, *, flags: Flags = NO_FLAGS) -> int:
    """Write tree, assignments, who is in charge, roles, policies and matrix to FILE, for `access diff`.

    For example

        scorestream access export before.json
    """
    with store(flags.settings()) as records, records.reading() as connection:
        made = state.export(connection, now_ms())
    Path(file).write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1))
    return 0


@app.command
def diff(before: str, after: str, /, *, format: FormatFlag = "table") -> int:
    """Print whose effective rights differ between two states; exit code 1 when any do.

    A row: what an account may do (or no longer) to people of a unit. In a table of many people only the first are
    named; NDJSON and CSV name all.

    For example

        scorestream access diff before.json after.json
    """
    found = list(state.differences(_state(before), _state(after)))
    print_rows(
        _rows(found, everybody=format != "table"), ("account", "change", "right", "unit", "count", "people"), format
    )
    return 1 if found else 0


def _rows(found: Iterable[state.Difference], everybody: bool) -> Iterator[dict[str, object]]:
    for one in found:
        named = one.people if everybody else one.people[:SHOWN]
        more = " ..." if len(named) < len(one.people) else ""
        yield {
            "account": one.viewer,
            "change": "gained" if one.gained else "lost",
            "right": one.right,
            "unit": one.unit,
            "count": len(one.people) if one.people != [""] else 0,
            "people": " ".join(named) + more,
        }


def _state(file: str) -> state.State:
    try:
        return state.read(Path(file).read_bytes())
    except ValueError as error:
        raise UsageError(f"{file}: it is no state that `scorestream access export` wrote: {error}") from None
