"""Signing in at an identity provider, for who need not know how: that takes long to load (provider.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class ProviderError(Exception):
    """The provider does not answer, or not as it should; the text is for the log of the web process."""


class SignInRefused(Exception):
    """This sign-in is not to be believed, or was given up; the text is for the log of the web process."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whom the provider vouches for. `name`: the claim by which accounts are found."""

    issuer: str
    subject: str
    name: str | None
    id_token: str


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the provider. `claim` names the account; `secret` None for a public client."""

    issuer: str
    client_id: str
    secret: str | None
    claim: str


class Provider(Protocol):
    """An identity provider. Each of these raises ProviderError."""

    client: Client

    async def address(self, seed: str, back: str) -> str:
        """Where to send a browser that wants to sign in; it comes back to `back`."""

    async def finish(self, seed: str, back: str, answer: Mapping[str, str]) -> SignedIn:
        """Whom the provider vouches for, by what a browser brought back. Raises SignInRefused."""

    async def farewell(self, id_token: str | None, back: str) -> str | None:
        """Where to send a browser so that it is signed out at the provider too; None when there is no such place."""
