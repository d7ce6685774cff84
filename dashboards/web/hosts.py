"""A request is answered under the names that this process has, so that no other site's name leads a browser to it.

A foreign page may have its own name point at this machine (DNS rebinding) and then read what is open here. A browser
says the name that it asked for; what is asked with a token is no browser's doing.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

LOCAL: Final = "localhost"


@dataclass(frozen=True, slots=True)
class Hosts:
    """`local`: names of this machine only, as in a demo; else that of `public_url` besides, or any where it is None."""

    public_url: str | None = None
    local: bool = False

    def refuses(self, host: str | None, token: bool) -> str | None:
        """Why a request is not answered that was sent to this Host (with its port); None when it is.

        `token`: whether it shows one.
        """
        if self.public_url is None and not self.local:
            return None
        if token and not self.local:
            return None
        name = _name(host or "")
        if name is not None and (_is_local(name) or (self.public_url is not None and name == _of(self.public_url))):
            return None
        here = f"{LOCAL}, 127.0.0.1 or [::1]" if self.public_url is None else self.public_url
        return f"a demo is reached from its own machine only: {here}" if self.local else f"this service is at {here}"


ANY: Final = Hosts()


def _name(host: str) -> str | None:
    """The name or address in a Host, without port, brackets and case; None where there is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != host or "@" in host or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")


def _of(address: str) -> str | None:
    return _name(urlsplit(address).netloc)


def _is_local(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == LOCAL
