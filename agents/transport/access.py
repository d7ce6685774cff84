"""How to get in at a broker: transport security and who one is. The password is held, never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Access:
    """`protocol`: plaintext, ssl, sasl_plaintext or sasl_ssl; ssl needs the files, sasl mechanism, name and password.

    `ca`: who signed the broker's certificate (None: those that the system trusts). `certificate`, `key`: one's own.
    `group`: the group of workers. `session`: seconds until a silent worker is taken for dead. `replication`: copies of
    each topic that is made (None: as the broker does it).
    """

    protocol: str = "plaintext"
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    group: str = "scorestream"
    session: float = 10.0
    replication: int | None = None

    @property
    def encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.protocol.endswith("ssl")

    @property
    def named(self) -> bool:
        """Whether one says who one is."""
        return self.protocol.startswith("sasl")


PLAIN: Final = Access()
