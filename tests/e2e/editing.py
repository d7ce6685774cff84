"""A web process that can be killed and come back, and somebody who signs in there and fills in its forms."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from tests.e2e.kafka_workers import until
from tests.e2e.processes import COMMAND, environment, free_port
from tests.web.editor import form_of
from tests.web.identity_provider import CLIENT, SECRET, IdentityProvider

PATIENCE: Final = 90.0  # s


class Web:
    """`scorestream web` as a process, which may be killed; it signs in at a provider and keeps its address."""

    def __init__(self, folder: Path, issuer: str, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        secret = folder / "secret"
        secret.write_text(SECRET)
        self._command = [
            *COMMAND, "web", "--port", str(self.port), "--public-url", self.url, "--oidc-issuer", issuer,
            "--oidc-client-id", CLIENT, "--oidc-client-secret-file", str(secret), *arguments,
        ]  # fmt: skip
        self._output = folder / "web.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=environment(), stdout=output, stderr=output, start_new_session=True
            )
        until(self._answers, lambda: self._output.read_text()[-2_000:], PATIENCE)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/sign-in", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


class Editor:
    """Somebody of HR in a browser: signs in at the provider, fills in forms, looks at what they would do, confirms."""

    def __init__(self, web: Web, provider: IdentityProvider, name: str) -> None:
        self._browser = httpx.Client(base_url=web.url, timeout=60)
        self._headers = {"origin": web.url}
        provider.now = time.time()
        start = self._browser.get("/sign-in/start?next=/organisation")
        back = provider.authorize(start.headers["location"], name)
        found = self._browser.get(back)
        assert (302, "/organisation") == (found.status_code, found.headers["location"]), found.text

    def open(self, address: str) -> str:
        """A page."""
        found = self._browser.get(address)
        assert found.status_code == 200, (address, found.status_code, found.text[-2_000:])
        return found.text

    def send(self, page: str, values: Mapping[str, str]) -> httpx.Response:
        """The form of a page, filled in."""
        action, fields = form_of(page)
        return self._browser.post(action, data={**fields, **values}, headers=self._headers)

    def check(self, address: str, values: Mapping[str, str]) -> httpx.Response:
        """What an edit would do, or why it is none."""
        return self.send(self.open(address), values)

    def upload(self, name: str, content: bytes) -> httpx.Response:
        """Imports a file, after a look at its report."""
        action, fields = form_of(self.open("/organisation/import"))
        fields.pop("files")
        files = [("files", (name, content))]
        report = self._browser.post(action, data=fields, files=files, headers=self._headers)
        assert report.status_code == 200, report.text[-3_000:]
        return self.send(report.text, {})

    def close(self) -> None:
        """Closes the browser."""
        self._browser.close()
