"""Who may sign in, as what, with what, and what they did: accounts, roles, tokens, sessions, and the audit log.

No secret is here that opens anything: of tokens and sessions there is the hash only. Triggers count up
`access_versions` when something changes that decides who may see what, whoever writes it, and refuse to change or
remove audit entries.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from agents.records.tables import metadata

accounts: Final = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True, comment="as the identity provider's claim says it"),
    Column("employee", Text, comment="who it is in events and in the organisation; null: nobody who is scored"),
    Column("issuer", Text, comment="of the identity provider; null until the first sign-in"),
    Column("subject", Text, comment="the provider's own name for them, which never changes"),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger, comment="null: they may sign in"),
    UniqueConstraint("issuer", "subject"),
    comment="people who may sign in",
)

account_roles: Final = Table(
    "account_roles",
    metadata,
    Column("account", Text, ForeignKey("accounts.name"), nullable=False),
    Column("role", Text, nullable=False, comment="a role of agents/access/matrix.py"),
    Column("begins", BigInteger, nullable=False),
    Column("ends", BigInteger, comment="null: still so"),
    PrimaryKeyConstraint("account", "role", "begins"),
    CheckConstraint("ends IS NULL OR ends >= begins", "span"),
    comment="what an account is, and when",
)

tokens: Final = Table(
    "access_tokens",
    metadata,
    Column("id", Text, primary_key=True, comment="to name it by; no secret"),
    Column("hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token, which has 256 random bits"),
    Column("kind", Text, CheckConstraint("kind IN ('screen', 'service')", "kind"), nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", Text, nullable=False, comment="rights, with a space between"),
    Column("unit", Text, comment="what it is bound to; null: nothing"),
    Column("distance", Double, comment="of a screen: metres from which it is looked at; null: not said"),
    Column("diagonal", Double, comment="of a screen: its size in inches; null: not said"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("used_at", BigInteger, comment="to the minute"),
    comment="what services and screens show instead of a sign-in",
)

sessions: Final = Table(
    "access_sessions",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256 of what the cookie holds"),
    Column("account", Text, ForeignKey("accounts.name")),
    Column("token", Text, ForeignKey("access_tokens.id"), comment="of a screen; the session ends with it"),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="to the minute"),
    Column("ends_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("id_token", Text, comment="the provider's, to sign out there too; null once the session is over"),
    CheckConstraint("(account IS NULL) <> (token IS NULL)", "whose"),
    comment="browsers that are signed in",
)

policies: Final = Table(
    "access_policies",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="what the matrix leaves to the company",
)

keys: Final = Table(
    "access_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    comment="keys of hashes that this installation alone can make",
)

versions: Final = Table(
    "access_versions",
    metadata,
    Column("part", Text, primary_key=True, comment="organisation or identity"),
    Column("number", BigInteger, nullable=False),
    comment="counted up by triggers: who holds a copy in memory sees here that it is old",
)

audit: Final = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3, ... without a gap"),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False, comment="account:NAME, token:ID, os:NAME or nobody"),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="employee:ID, unit:ID, account:NAME, ..."),
    Column("right", Text, nullable=False, comment="of agents/access/matrix.py, empty where none was asked for"),
    Column("relation", Text, nullable=False),
    Column("outcome", Text, nullable=False, comment="allowed, refused or done"),
    Column("detail", Text, nullable=False, comment="JSON"),
    Column("previous", LargeBinary, nullable=False, comment="hash of the entry before"),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 over the entry and `previous`"),
    comment="who saw, did and was refused what; a chain that nothing leaves unseen (agents/access/audit.py)",
)
Index(None, audit.c.actor)
Index(None, audit.c.subject)
