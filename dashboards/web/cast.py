"""The door of a demo with a company: its boards are open, and whoever chose to be somebody sees what that one sees.

Only who cannot sign in otherwise may be chosen: an account that belongs to somebody at an identity provider is theirs.
"""

from __future__ import annotations

from agents.access.secrets import new_secret
from agents.access.viewer import DEMO, Viewer
from dashboards.web.gate import Credentials, Store

_SEPARATOR = "."


def choice(who: str) -> str:
    """What the cookie of somebody holds who chose to be `who`; the tokens of their forms follow from it."""
    return f"{new_secret()}{_SEPARATOR}{who}"


class Cast(Store):
    """Accounts that anybody may be, and the audit log of what they see then. For this machine only (`--demo`)."""

    demo = True

    async def viewer(self, credentials: Credentials) -> Viewer | None:
        """Whom they chose to be, None where that one has gone; without a choice everything is open."""
        return self.still(credentials)

    def still(self, credentials: Credentials) -> Viewer | None:
        """The same; nothing here blocks."""
        if credentials.token is not None:
            return self.directory.of_token(credentials.token)
        if credentials.session is None:
            return DEMO
        _, _, who = credentials.session.partition(_SEPARATOR)
        return self.player(who)

    def player(self, who: str) -> Viewer | None:
        """`account:NAME`, or `token:ID` of a screen, as a viewer; None when nobody may be them here."""
        kind, _, name = who.partition(":")
        known, at = self.directory.identities, self._clock()
        if kind == "account":
            account = known.accounts.get(name)
            return known.of_account(name, at) if account is not None and account.subject is None else None
        viewer = known.of_token(name, at) if kind == "token" else None
        return viewer if viewer is not None and "screen" in viewer.roles else None

    def players(self) -> dict[str, Viewer]:
        """Everybody whom one may be."""
        known = self.directory.identities
        names = [*(f"account:{name}" for name in known.accounts), *(f"token:{name}" for name in known.tokens)]
        return {who: viewer for who in names if (viewer := self.player(who)) is not None}
