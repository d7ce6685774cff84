"""Secrets that are made here have 256 random bits, are shown once, and are kept as their SHA-256 only.

A slow hash protects passwords, which people choose and others guess; nobody guesses 256 bits.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

PREFIX: Final = "sst_"  # so that scanners find a token where it does not belong


def new_secret() -> str:
    """A secret that fits in a header, a cookie and a form."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """An API token."""
    return PREFIX + new_secret()


def new_id() -> str:
    """A name for a token, to be said aloud; no secret."""
    return secrets.token_hex(6)


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def derived(secret: str, purpose: str) -> str:
    """Another secret for one purpose, which does not betray the first."""
    made = hmac.digest(secret.encode("utf-8", "replace"), purpose.encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def pseudonym(key: bytes, unit: str, day: int, employee: str) -> str:
    """What a screen calls somebody: the same in one unit on one day, another elsewhere and tomorrow."""
    said = "\0".join((unit, str(day), employee)).encode("utf-8", "replace")
    return "P-" + base64.b32encode(hmac.digest(key, said, "sha256"))[:8].decode()
