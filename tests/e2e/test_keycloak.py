"""Signing in at a real Keycloak, by the forms that a person fills in; its keys change, and one signs out there too."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agents.access.provider import OpenId
from agents.access.signing_in import Client
from agents.records.database import open_records
from dashboards.web.app import wall_ms
from dashboards.web.gate import Store
from tests.e2e import keycloak_server
from tests.e2e.keycloak_server import CLIENT, SECRET, Keycloak
from tests.web.factories import scores, template, tick, unit_scores
from tests.web.gates import Company
from tests.web.serving import Serving

pytestmark = pytest.mark.long
PASSWORD = "correct horse battery"


@pytest.fixture
def keycloak(tmp_path: Path) -> Iterator[Keycloak]:
    """One of this test alone, not started yet."""
    if reason := keycloak_server.missing():
        pytest.skip(reason)
    made = Keycloak(tmp_path)
    yield made
    made.stop()


def test_somebody_signs_in_at_a_real_keycloak(keycloak: Keycloak, tmp_path: Path) -> None:
    """To the board and back out; a stranger gets no further than the page that says whom to ask."""
    company = Company(tmp_path / "company", wall_ms())
    later = [0]
    known = Client(keycloak.issuer, CLIENT, SECRET, "preferred_username")
    provider = OpenId(known, lambda: wall_ms() + later[0])
    gate = Store(open_records(company.url), wall_ms)
    process = Serving(clock=wall_ms, provider=provider, access=gate)
    process.options["public_url"] = process.url
    process.feed(template(), scores("lea", unit="L1"), unit_scores("L1", ["lea"]), tick())
    keycloak.start(process.url)
    for name in ("lead", "stranger"):
        keycloak.add_user(name, PASSWORD)
    process.start()
    try:
        with _browser(process.url) as browser:
            assert "/board/L1" == _signed_in(browser, "lead").headers["location"]
            assert 200 == browser.get("/board/L1").status_code
            csrf = browser.get("/sign-in").text.split('name="csrf" value="')[1].split('"')[0]
            out = browser.post("/sign-out", data={"csrf": csrf}, headers={"origin": process.url})
            left = browser.get(out.headers["location"])
            assert f"{process.url}/sign-in" == left.headers["location"]  # no question asked: it knew our ID token
            assert 401 == browser.get("/api/v1/units").status_code
        with _browser(process.url) as browser:
            refused = _signed_in(browser, "stranger")
            assert 403 == refused.status_code
            assert "no account for “stranger”" in refused.text
        keycloak.rotate_keys()
        later[0] = 11_000  # keys are looked for no more often
        with _browser(process.url) as browser:
            assert 302 == _signed_in(browser, "lead").status_code
    finally:
        process.stop()
        process.close()


def _browser(url: str) -> httpx.Client:
    """One that takes this machine for safe, as browsers do: Keycloak's cookies are for TLS."""
    made = httpx.Client(base_url=url, timeout=60)

    def loosen(_: httpx.Response) -> None:
        for cookie in made.cookies.jar:
            cookie.secure = False

    made.event_hooks = {"response": [loosen]}
    return made


def _signed_in(browser: httpx.Client, name: str) -> httpx.Response:
    """What we answer when somebody comes back from Keycloak's form."""
    start = browser.get("/sign-in/start?next=/board/L1")
    form = browser.get(start.headers["location"])
    while form.is_redirect:
        form = browser.get(form.headers["location"])
    found = re.search(r'action="([^"]*/login-actions/authenticate[^"]*)"', form.text)
    assert found is not None, form.text[:2000]
    sent = browser.post(html.unescape(found[1]), data={"username": name, "password": PASSWORD})
    assert 302 == sent.status_code, sent.text[:2000]
    return browser.get(sent.headers["location"])
