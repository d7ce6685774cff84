"""Accounts, tokens and sessions as read from the store, and which viewer each of them is at an instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from agents.access.matrix import ROLES, Role
from agents.access.relations import Span
from agents.access.viewer import Look, Viewer
from agents.records.access_tables import account_roles, accounts, keys, policies, sessions, tokens

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
SESSION: Final = 12 * HOUR  # from the sign-in
IDLE: Final = HOUR
TOKEN_ROLES: Final[tuple[Role, ...]] = ("screen", "service")
ACCOUNT_ROLES: Final[tuple[Role, ...]] = tuple(role for role in ROLES if role not in TOKEN_ROLES)
PSEUDONYMS: Final = "pseudonyms"


class Account(NamedTuple):
    """Somebody who may sign in. `disabled_at` None: still."""

    name: str
    employee: str | None
    issuer: str | None
    subject: str | None
    disabled_at: int | None


class Token(NamedTuple):
    """What a service or a screen shows."""

    id: str
    kind: Role
    label: str
    scopes: frozenset[str]
    unit: str | None
    expires_at: int
    revoked_at: int | None
    distance: float | None = None
    diagonal: float | None = None

    def good(self, at: int) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and at < self.expires_at


class Session(NamedTuple):
    """A browser that is signed in, for an account or for a screen's token."""

    hash: bytes
    account: str | None
    token: str | None
    seen_at: int
    ends_at: int
    revoked_at: int | None
    id_token: str | None

    def good(self, at: int) -> bool:
        """Whether it still stands. A screen that nobody touches is not idle: its session lives as its token does."""
        idle = self.token is None and at - self.seen_at >= IDLE
        return self.revoked_at is None and at < self.ends_at and not idle


@dataclass(frozen=True, slots=True)
class Identities:
    """Everybody who may sign in, by the names and hashes that they come with."""

    accounts: Mapping[str, Account] = field(default_factory=dict)
    roles: Mapping[str, list[Span]] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)
    token_hashes: Mapping[bytes, str] = field(default_factory=dict)
    policies: frozenset[str] = frozenset()
    keys: Mapping[str, bytes] = field(default_factory=dict)
    leading: Mapping[str, str | None] = field(default_factory=dict)  # accounts that are more than employees, and who

    def of_account(self, name: str | None, at: int) -> Viewer | None:
        """The viewer that an account is now; None when it is disabled or gone."""
        account = self.accounts.get(name or "")
        if account is None or account.disabled_at is not None:
            return None
        held = {span.value for span in self.roles.get(account.name, ()) if span.holds(at)}
        roles = frozenset(role for role in ACCOUNT_ROLES if role in held)
        return Viewer(f"account:{account.name}", roles, account.employee)

    def of_token(self, name: str | None, at: int) -> Viewer | None:
        """The viewer that a token stands for; None when it is over."""
        token = self.tokens.get(name or "")
        if token is None or not token.good(at) or token.kind not in TOKEN_ROLES:
            return None
        look = Look(token.distance, token.diagonal) if token.kind == "screen" else None
        return Viewer(f"token:{token.id}", frozenset((token.kind,)), None, token.unit, token.scopes, look=look)

    def of_session(self, session: Session | None, at: int) -> Viewer | None:
        """The viewer behind a session; None when it is over."""
        if session is None or not session.good(at):
            return None
        return self.of_account(session.account, at) if session.token is None else self.of_token(session.token, at)


def read_identities(connection: Connection) -> Identities:
    """The tables as they are."""
    found = [Account(*row) for row in connection.execute(select(*(accounts.c[name] for name in Account._fields)))]
    roles: dict[str, list[Span]] = {}
    for row in connection.execute(select(account_roles)):
        roles.setdefault(row.account, []).append(Span(row.begins, row.ends, row.role))
    known = {bytes(row.hash): _token(row) for row in connection.execute(select(tokens))}
    by_name = {account.name: account for account in found}
    more = [name for name, held in roles.items() if any(span.value != "employee" for span in held)]
    return Identities(
        by_name,
        roles,
        {token.id: token for token in known.values()},
        {digest: token.id for digest, token in known.items()},
        frozenset(row.name for row in connection.execute(select(policies)) if row.value == "on"),
        {row.name: bytes(row.key) for row in connection.execute(select(keys))},
        {name: by_name[name].employee for name in more},
    )


def read_session(connection: Connection, digest: bytes) -> Session | None:
    """The session of this hash."""
    row = connection.execute(select(sessions).where(sessions.c.hash == digest)).first()
    if row is None:
        return None
    return Session(bytes(row.hash), row.account, row.token, row.seen_at, row.ends_at, row.revoked_at, row.id_token)


def _token(row: object) -> Token:
    values = {name: getattr(row, name) for name in Token._fields}
    return Token(**{**values, "scopes": frozenset(values["scopes"].split())})
