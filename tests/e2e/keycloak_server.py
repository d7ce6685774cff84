"""A real Keycloak on loopback, with a realm, a client and a user, for the time of a test."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from tests.e2e.processes import ROOT, free_port

HOME: Final = ROOT / ".cache" / "keycloak" / "keycloak"
PATIENCE: Final = 240.0  # s: it compiles itself at its first start
ADMIN, PASSWORD = "admin", "admin-for-this-test"
REALM, CLIENT, SECRET = "plant", "scorestream", "a-secret-of-this-test"


def missing() -> str | None:
    """Why there is none; None when there is."""
    if shutil.which("java") is None:
        return "no java: `make keycloak` installs it on Debian"
    return None if (HOME / "bin" / "kc.sh").is_file() else "no Keycloak: `make keycloak` brings it"


class Keycloak:
    """One, in development mode, with its data in memory of the folder."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._folder = folder
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        """As it calls itself."""
        return f"{self.url}/realms/{REALM}"

    def start(self, back: str) -> None:
        """With a client that may come back to this address."""
        shutil.copytree(HOME, self._folder / "keycloak")
        port = self.url.rsplit(":", 1)[1]
        program = str(self._folder / "keycloak" / "bin" / "kc.sh")
        command = [program, "start-dev", "--http-host=127.0.0.1", f"--http-port={port}"]
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(self._folder), "JAVA_OPTS_APPEND": "-Xmx512m",
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        }  # fmt: skip
        with (self._folder / "keycloak.txt").open("wb") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self._sign_in()
        self._admin("POST", "realms", {"realm": REALM, "enabled": True})
        client = {
            "clientId": CLIENT, "secret": SECRET, "publicClient": False, "standardFlowEnabled": True,
            "redirectUris": [f"{back}/sign-in/back"],
            "attributes": {"pkce.code.challenge.method": "S256", "post.logout.redirect.uris": f"{back}/sign-in"},
        }  # fmt: skip
        self._admin("POST", f"realms/{REALM}/clients", client)

    def add_user(self, name: str, password: str) -> None:
        """Somebody who may sign in."""
        user = {
            "username": name, "enabled": True, "email": f"{name}@example.org", "firstName": name, "lastName": name,
            "emailVerified": True, "credentials": [{"type": "password", "value": password, "temporary": False}],
        }  # fmt: skip
        self._admin("POST", f"realms/{REALM}/users", user)

    def rotate_keys(self) -> None:
        """A new key of higher priority signs from now on."""
        realm = json.loads(self._admin("GET", f"realms/{REALM}"))["id"]
        component = {
            "name": "rsa-new", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm, "config": {"priority": ["1000"], "algorithm": ["RS256"]},
        }  # fmt: skip
        self._admin("POST", f"realms/{REALM}/components", component)

    def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def _sign_in(self) -> None:
        form = {"client_id": "admin-cli", "username": ADMIN, "password": PASSWORD, "grant_type": "password"}
        address = f"{self.url}/realms/master/protocol/openid-connect/token"
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(address, urlencode(form).encode(), timeout=30) as answer:
                    self._token = json.load(answer)["access_token"]
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self._process is not None
                assert self._process.poll() is None, (self._folder / "keycloak.txt").read_text()[-3000:]
                assert time.monotonic() < deadline, (self._folder / "keycloak.txt").read_text()[-3000:]
                time.sleep(0.5)

    def _admin(self, method: str, path: str, value: Any = None) -> bytes:
        body = None if value is None else json.dumps(value).encode()
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/admin/{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())
