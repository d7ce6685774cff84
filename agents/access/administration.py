"""Accounts, roles, tokens, sessions and policies are changed here, each in one transaction with its audit entry."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from agents.access.audit import Entry, append, in_turn
from agents.access.identities import ACCOUNT_ROLES, HOUR, PSEUDONYMS, SESSION
from agents.access.matrix import MATRIX, RIGHTS, Role
from agents.access.secrets import digest, new_id, new_secret, new_token
from agents.access.viewer import SUBTREE, Look
from agents.records.access_tables import account_roles, accounts, keys, policies, sessions, tokens
from agents.records.database import Records

DAY: Final = 24 * HOUR
LONGEST: Final = 400  # days that a token may be good for
DISTANCES: Final = (0.3, 100.0)  # m from which screens are looked at
DIAGONALS: Final = (3.0, 400.0)  # inches that screens have
SCREEN_SCOPES: Final = tuple(right for right in RIGHTS if "screen" in MATRIX[right])
SERVICE_SCOPES: Final = tuple(right for right in RIGHTS if "service" in MATRIX[right])
UNBOUND: Final = tuple(right for right in SERVICE_SCOPES if MATRIX[right]["service"].get("team") == "no")
POLICIES: Final = (SUBTREE,)
_NAME: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,128}")
_EMPLOYEE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class AccessError(Exception):
    """What was asked for cannot be; the text names the field, its value and what would be right."""


@dataclass(frozen=True, slots=True)
class Administration:
    """Changes in the name of `actor`, at `at` (ms since 1970 UTC)."""

    records: Records
    actor: str
    at: int

    def add_account(self, name: str, employee: str | None, roles: Collection[str]) -> None:
        """A new account; one with an employee is an `employee` too, who sees their own scores."""
        if not _NAME.fullmatch(name):
            raise AccessError(f"account {name!r}: a name is 1 to 128 characters without spaces")
        if employee is not None and not _EMPLOYEE.fullmatch(employee):
            raise AccessError(f"employee {employee!r}: an id is [A-Za-z0-9_.:-]{{1,64}}")
        given = sorted({*map(_account_role, roles), *(["employee"] if employee is not None else [])})

        def work(connection: Connection) -> None:
            if connection.execute(select(accounts.c.name).where(accounts.c.name == name)).first():
                raise AccessError(f"account {name!r}: there is one of this name already")
            values = {"name": name, "employee": employee, "created_at": self.at}
            connection.execute(insert(accounts), [values])
            for role in given:
                connection.execute(insert(account_roles), [{"account": name, "role": role, "begins": self.at}])

        self._audited("account-added", f"account:{name}", {"employee": employee, "roles": given}, work)

    def disable_account(self, name: str) -> None:
        """It signs in no more; its sessions are over."""

        def work(connection: Connection) -> None:
            _known_account(connection, name)
            connection.execute(update(accounts).where(accounts.c.name == name).values(disabled_at=self.at))
            _end(connection, sessions.c.account == name, self.at)

        self._audited("account-disabled", f"account:{name}", {}, work)

    def enable_account(self, name: str) -> None:
        """One that was disabled signs in again, with the roles that it has; sessions that were ended stay so."""

        def work(connection: Connection) -> None:
            _known_account(connection, name)
            was = (accounts.c.name == name) & accounts.c.disabled_at.is_not(None)
            if not connection.execute(update(accounts).where(was).values(disabled_at=None)).rowcount:
                raise AccessError(f"account {name!r}: it is not disabled")

        self._audited("account-enabled", f"account:{name}", {}, work)

    def grant(self, name: str, role: str, begins: int | None = None, ends: int | None = None) -> None:
        """The account has the role from `begins` (now) until `ends` (None: until it is revoked)."""
        role = _account_role(role)
        start = self.at if begins is None else begins
        if ends is not None and ends <= start:
            raise AccessError(f"role {role!r}: it must end after it begins")

        def work(connection: Connection) -> None:
            _known_account(connection, name)
            if any(span.ends is None or span.ends > start for span in _roles(connection, name, role)):
                raise AccessError(f"account {name!r} has role {role!r} already; revoke it first")
            values = {"account": name, "role": role, "begins": start, "ends": ends}
            connection.execute(insert(account_roles), [values])

        self._audited("role-granted", f"account:{name}", {"role": role, "begins": start, "ends": ends}, work)

    def revoke(self, name: str, role: str) -> None:
        """The account has the role no more, from now on."""
        role = _account_role(role)

        def work(connection: Connection) -> None:
            _known_account(connection, name)
            spans = [span for span in _roles(connection, name, role) if span.ends is None or span.ends > self.at]
            if not spans:
                raise AccessError(f"account {name!r} does not have role {role!r}")
            for span in spans:
                of_it = (account_roles.c.account == name) & (account_roles.c.role == role)
                of_it &= account_roles.c.begins == span.begins
                ends = max(self.at, span.begins)  # one that has not begun never will
                connection.execute(update(account_roles).where(of_it).values(ends=ends))

        self._audited("role-revoked", f"account:{name}", {"role": role}, work)

    def create_token(
        self,
        label: str,
        unit: str | None,
        scopes: Collection[str],
        days: int,
        screen: bool,
        look: Look = Look(),  # noqa: B008 - it is a tuple
    ) -> str:
        """A new token: the only time that anybody sees it. `look`: from how far away a screen is looked at."""
        if not label or len(label) > 128 or not label.isprintable():
            raise AccessError(f"label {label!r}: write 1 to 128 printable characters")
        if not 1 <= days <= LONGEST:
            raise AccessError(f"days {days}: a token is good for 1 to {LONGEST} days")
        if screen and unit is None:
            raise AccessError("a screen's token needs a unit")
        _check_look(look, screen)
        allowed = SCREEN_SCOPES if screen else SERVICE_SCOPES
        given = sorted(scopes) or (list(SCREEN_SCOPES) if screen else [])
        if strange := [scope for scope in given if scope not in allowed]:
            raise AccessError(f"scope {strange[0]!r}: it must be one of {', '.join(allowed)}")
        if unit is not None and (everywhere := [scope for scope in given if scope in UNBOUND]):
            raise AccessError(f"unit {unit!r}: a token that is bound to one cannot have scope {everywhere[0]!r}")
        if not given:
            raise AccessError(f"a service's token needs a scope: one of {', '.join(allowed)}")
        token, name = new_token(), new_id()
        values = {
            "id": name, "hash": digest(token), "kind": "screen" if screen else "service", "label": label,
            "scopes": " ".join(given), "unit": unit, "created_at": self.at, "expires_at": self.at + days * DAY,
            **look._asdict(),
        }  # fmt: skip
        detail = {"label": label, "kind": values["kind"], "scopes": given, "unit": unit, "days": days}
        detail |= {name: value for name, value in look._asdict().items() if value is not None}

        def work(connection: Connection) -> None:
            connection.execute(insert(tokens), [values])

        self._audited("token-created", f"token:{name}", detail, work)
        return token

    def revoke_token(self, name: str) -> None:
        """It opens nothing any more, nor do screens that were signed in with it."""

        def work(connection: Connection) -> None:
            done = connection.execute(
                update(tokens).where(tokens.c.id == name, tokens.c.revoked_at.is_(None)).values(revoked_at=self.at)
            )
            if not done.rowcount:
                raise AccessError(f"token {name!r}: there is none of this id that is not revoked")
            _end(connection, sessions.c.token == name, self.at)

        self._audited("token-revoked", f"token:{name}", {}, work)

    def set_policy(self, name: str, on: bool) -> None:
        """Turns on or off what the matrix leaves to the company."""
        if name not in POLICIES:
            raise AccessError(f"policy {name!r}: it must be one of {', '.join(POLICIES)}")
        value = "on" if on else "off"

        def work(connection: Connection) -> None:
            done = connection.execute(update(policies).where(policies.c.name == name).values(value=value))
            if not done.rowcount:
                connection.execute(insert(policies), [{"name": name, "value": value}])

        self._audited("policy-set", f"policy:{name}", {"value": value}, work)

    def start_session(
        self, account: str | None = None, token: str | None = None, id_token: str | None = None, ends: int | None = None
    ) -> str:
        """A new session, for an account or for a screen's token: what its cookie holds."""
        secret = new_secret()
        values = {
            "hash": digest(secret), "account": account, "token": token, "created_at": self.at, "seen_at": self.at,
            "ends_at": ends or self.at + SESSION, "id_token": id_token,
        }  # fmt: skip

        def work(connection: Connection) -> None:
            connection.execute(insert(sessions), [values])

        self._audited("signed-in", f"account:{account}" if account else f"token:{token}", {}, work)
        return secret

    def end_session(self, hashed: bytes) -> None:
        """Signed out; the cookie opens nothing any more."""

        def work(connection: Connection) -> None:
            _end(connection, sessions.c.hash == hashed, self.at)

        self._audited("signed-out", self.actor, {}, work)

    def link(self, name: str, issuer: str, subject: str) -> None:
        """From the first sign-in on the account belongs to this subject of the identity provider, and to no other."""

        def work(connection: Connection) -> None:
            free = (accounts.c.name == name) & accounts.c.subject.is_(None)
            done = connection.execute(update(accounts).where(free).values(issuer=issuer, subject=subject))
            if not done.rowcount:
                raise AccessError(f"account {name!r} belongs to somebody else at the identity provider")

        self._audited("account-linked", f"account:{name}", {"issuer": issuer, "subject": subject}, work)

    def _audited(
        self, action: str, subject: str, detail: Mapping[str, object], work: Callable[[Connection], object]
    ) -> None:
        entry = Entry(self.at, self.actor, action, subject, "done", "manage-access", "none", detail)

        def whole(connection: Connection) -> None:
            in_turn(connection)
            work(connection)
            append(connection, [entry])

        self.records.write(whole)


def ensure_keys(records: Records) -> None:
    """Makes the key of pseudonyms, the first time."""

    def work(connection: Connection) -> None:
        if connection.execute(select(keys.c.name).where(keys.c.name == PSEUDONYMS)).first() is None:
            connection.execute(insert(keys), [{"name": PSEUDONYMS, "key": secrets.token_bytes(32)}])

    records.write(work)


def _check_look(look: Look, screen: bool) -> None:
    for name, value, (least, most) in (
        ("distance", look.distance, DISTANCES),
        ("diagonal", look.diagonal, DIAGONALS),
    ):
        if value is not None and not screen:
            raise AccessError(f"{name} {value:g}: only a screen's token has one")
        if value is not None and not least <= value <= most:
            raise AccessError(f"{name} {value:g}: it is from {least:g} to {most:g}")


def _account_role(role: str) -> Role:
    for known in ACCOUNT_ROLES:
        if role == known:
            return known
    raise AccessError(f"role {role!r}: it must be one of {', '.join(ACCOUNT_ROLES)}")


def _known_account(connection: Connection, name: str) -> None:
    if connection.execute(select(accounts.c.name).where(accounts.c.name == name)).first() is None:
        raise AccessError(f"account {name!r}: there is none; `scorestream access account list` lists them")


def _roles(connection: Connection, name: str, role: Role) -> list[Row[Any]]:
    found = select(account_roles).where(account_roles.c.account == name, account_roles.c.role == role)
    return list(connection.execute(found))


def _end(connection: Connection, whose: ColumnElement[bool], at: int) -> None:
    """Sessions that are over; the provider's token is kept no longer than it is of use."""
    live = update(sessions).where(whose, sessions.c.revoked_at.is_(None))
    connection.execute(live.values(revoked_at=at, id_token=None))
