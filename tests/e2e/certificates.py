"""Certificates for one test: an authority of its own, and a server certificate for loopback, made with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAMES: Final = "subjectAltName=DNS:localhost,IP:127.0.0.1"


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: `authority` is what clients trust; `server` holds the server's private key and its certificate.

    `client` is the certificate of a client, `client_key` its key.
    """

    authority: Path
    server: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """A new authority and a server certificate for `localhost` and 127.0.0.1, valid for two days."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, key, server = folder / "authority.pem", folder / "authority.key", folder / "server.pem"
    _request(authority, key, "/CN=test authority", "keyUsage=critical,keyCertSign,cRLSign")
    certificate, server_key = folder / "server.crt", folder / "server.key"
    signed_by = ("-CA", str(authority), "-CAkey", str(key))
    _request(
        certificate, server_key, "/CN=localhost", _NAMES, "basicConstraints=critical,CA:FALSE", signed_by=signed_by
    )
    server.write_text(server_key.read_text() + certificate.read_text())
    client, client_key = folder / "client.pem", folder / "client.key"
    _request(client, client_key, "/CN=scorer", "basicConstraints=critical,CA:FALSE", signed_by=signed_by)
    return Certificates(authority, server, client, client_key)


def _request(certificate: Path, key: Path, subject: str, *extensions: str, signed_by: tuple[str, ...] = ()) -> None:
    added = [word for extension in extensions for word in ("-addext", extension)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject]
    command += ["-out", str(certificate), "-keyout", str(key), *added, *signed_by]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"openssl made no certificate: {done.stderr}"
