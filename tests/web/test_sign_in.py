"""Signing in: with the provider's word, checked to the last claim, and with nothing less; and signing out again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from joserfc.jwk import RSAKey
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select

from agents.access.provider import OpenId
from agents.access.signing_in import Client as OidcClient
from agents.records.access_tables import accounts, audit, sessions
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION, SIGN_IN
from dashboards.web.sign_in import own_path
from tests.web.factories import NOW, scores, template, tick, unit_scores
from tests.web.gates import Company
from tests.web.identity_provider import CLIENT, KEYS, SECRET, STRANGER, IdentityProvider, identity_provider
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
PUBLIC: Final = "http://testserver.local"


@pytest.fixture(scope="module")
def served() -> Iterator[IdentityProvider]:
    """The provider of all tests here."""
    with identity_provider() as made:
        yield made


@pytest.fixture
def provider(served: IdentityProvider) -> IdentityProvider:
    """As it should be, until a test changes it."""
    served.claims, served.alg, served.key, served.token, served.metadata = {}, "RS256", None, None, {}
    served.published, served.now = dict(KEYS), NOW / 1000
    return served


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A store of its own."""
    return Company(tmp_path / "company")


def application(company: Company, provider: IdentityProvider, folder: Path, public: str = PUBLIC) -> Litestar:
    """The application at that provider."""
    shelf = Shelf(folder / "views")
    shelf.apply([template(), scores("lea", unit="L1"), unit_scores("L1", ["lea"]), tick()])
    known = OidcClient(provider.issuer, CLIENT, SECRET, "preferred_username")
    oidc = OpenId(known, lambda: company.at)
    return create_app(shelf.reader(), clock=lambda: company.at, access=company.gate(), provider=oidc, public_url=public)


@pytest.fixture
def client(company: Company, provider: IdentityProvider, tmp_path: Path) -> Iterator[Client]:
    """A browser at it."""
    with TestClient(application(company, provider, tmp_path), base_url=PUBLIC) as made:
        made.follow_redirects = False
        yield made


def begun(client: Client, onward: str = "/board/L1") -> str:
    """The address to which a browser is sent."""
    answer = client.get("/sign-in/start", params={"next": onward})
    assert 302 == answer.status_code, answer.text
    return answer.headers["location"]


def test_somebody_signs_in_and_out(client: Client, company: Company, provider: IdentityProvider) -> None:
    """The way there and back; the session is new each time, and over at the end; so it stands in the log."""
    back = client.get(provider.authorize(begun(client)))
    assert (302, "/board/L1") == (back.status_code, back.headers["location"])
    said = [cookie.lower() for cookie in back.headers.get_list("set-cookie") if cookie.startswith(SESSION)]
    assert ["httponly", "samesite=lax", "path=/"] == [
        word for word in ("httponly", "samesite=lax", "path=/") if word in said[0]
    ]
    first = client.cookies[SESSION]
    assert 200 == client.get("/board/L1").status_code
    page = client.get("/sign-in").text
    assert "signed in as lead" in page
    client.get(provider.authorize(begun(client)))
    second = client.cookies[SESSION]
    assert first != second
    assert 401 == elsewhere(client, "/api/v1/units", first)
    csrf = client.get("/sign-in").text.split('name="csrf" value="')[1].split('"')[0]
    out = client.post("/sign-out", data={"csrf": csrf}, headers={"origin": PUBLIC})
    assert 303 == out.status_code
    assert out.headers["location"].startswith(f"{provider.issuer}/end?client_id=scorestream&post_logout_redirect_uri=")
    assert "id_token_hint=" in out.headers["location"]
    assert 401 == elsewhere(client, "/api/v1/units", second)
    with company.records.reading() as connection:
        assert [None] * 2 == list(connection.execute(select(sessions.c.id_token)).scalars())
        actions = list(connection.execute(select(audit.c.action).where(audit.c.actor == "account:lead")).scalars())
    assert ["account-linked", "signed-in", "signed-out", "signed-in", "signed-out"] == [
        action for action in actions if action != "read"
    ]


def elsewhere(client: Client, path: str, session: str) -> int:
    """The status for another browser with that cookie."""
    kept = dict(client.cookies)
    client.cookies.clear()
    status = client.get(path, headers={"cookie": f"{SESSION}={session}"}).status_code
    client.cookies.update(kept)
    return status


@pytest.mark.parametrize("alg", ["RS256", "ES256", "Ed25519"])
def test_signatures_that_only_the_provider_can_make_are_taken(
    client: Client, provider: IdentityProvider, alg: str
) -> None:
    """RSA, ECDSA, EdDSA."""
    provider.alg = alg
    assert 302 == client.get(provider.authorize(begun(client))).status_code


BAD_CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "nonce of another sign-in": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "another client's": {"aud": "other", "azp": None},
    "several audiences, azp another's": {"aud": [CLIENT, "other"], "azp": "other"},
    "several audiences, no azp": {"aud": [CLIENT, "other"], "azp": None},
    "another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": NOW / 1000 - 61},
    "no exp": {"exp": None},
    "exp is a text": {"exp": "2099"},
    "made in the future": {"iat": NOW / 1000 + 61},
    "not yet": {"nbf": NOW / 1000 + 61},
    "no subject": {"sub": None},
    "subject is no text": {"sub": 5},
}


@pytest.mark.parametrize("wrong", BAD_CLAIMS)
def test_a_wrong_claim_signs_nobody_in(client: Client, provider: IdentityProvider, wrong: str) -> None:
    """Each of them by itself."""
    provider.claims = BAD_CLAIMS[wrong]
    refused(client, provider.authorize(begun(client)))


def refused(client: Client, address: str) -> None:
    """A page that says so, no session, nothing of the inside."""
    answer = client.get(address)
    assert 403 == answer.status_code
    assert "Not signed in" in answer.text
    assert SESSION not in client.cookies
    assert 401 == client.get("/api/v1/units").status_code


def test_clocks_may_differ_by_a_minute(client: Client, provider: IdentityProvider) -> None:
    """Sixty seconds are forgiven, both ways."""
    provider.claims = {"exp": NOW / 1000 - 59, "iat": NOW / 1000 + 59}
    assert 302 == client.get(provider.authorize(begun(client))).status_code


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512"])
def test_other_algorithms_sign_nobody_in(client: Client, provider: IdentityProvider, alg: str) -> None:
    """No signature, the public key as a secret, an algorithm that is not on the list."""
    provider.alg, provider.key = alg, KEYS["RS256"]
    refused(client, provider.authorize(begun(client)))


def test_a_strangers_key_signs_nobody_in(client: Client, provider: IdentityProvider) -> None:
    """Also under the name of the provider's."""
    provider.key = STRANGER
    refused(client, provider.authorize(begun(client)))


@pytest.mark.parametrize("token", ["", "a.b.c", "....", "x" * 5_000])
def test_what_is_no_token_signs_nobody_in(client: Client, provider: IdentityProvider, token: str) -> None:
    """Whatever the provider sends."""
    provider.token = token or "."
    refused(client, provider.authorize(begun(client)))


OTHER_ANSWERS: Final[list[dict[str, str]]] = [
    {"state": "x"},
    {"state": ""},
    {"code": ""},
    {"iss": "https://evil.example"},
    {"error": "access_denied"},
]


@pytest.mark.parametrize("answer", OTHER_ANSWERS)
def test_an_answer_that_does_not_fit_signs_nobody_in(
    client: Client, provider: IdentityProvider, answer: dict[str, str]
) -> None:
    """Of another sign-in, of another provider, or given up."""
    refused(client, provider.authorize(begun(client), **answer))


def test_an_answer_in_another_browser_signs_nobody_in(client: Client, provider: IdentityProvider) -> None:
    """A link with a stranger's code: the browser that opens it began nothing."""
    address = provider.authorize(begun(client))
    client.cookies.clear()
    refused(client, address)


def test_a_code_is_good_once(client: Client, provider: IdentityProvider) -> None:
    """Who replays the answer, with the cookie of that time, gets nothing."""
    address = provider.authorize(begun(client))
    away = client.cookies[SIGN_IN]
    assert 302 == client.get(address).status_code
    assert SIGN_IN not in client.cookies
    client.cookies.clear()
    client.cookies.set(SIGN_IN, away)
    refused(client, address)


def test_a_stolen_code_is_no_good_without_the_verifier(client: Client, provider: IdentityProvider) -> None:
    """PKCE: a code that was given for another browser's challenge."""
    stolen = provider.authorize(begun(client))
    code = stolen.split("code=")[1].split("&")[0]
    mine = provider.authorize(begun(client), code=code)
    refused(client, mine)


def test_the_providers_keys_may_change(client: Client, company: Company, provider: IdentityProvider) -> None:
    """A new key is looked for when a token names it, and not more often than every ten seconds."""
    assert 302 == client.get(provider.authorize(begun(client))).status_code
    client.cookies.clear()
    fresh = RSAKey.generate_key(2048, {"kid": "rsa-2", "use": "sig"})
    provider.published, provider.key = {"RS256": fresh}, fresh
    before = provider.reads_of_keys
    refused(client, provider.authorize(begun(client)))
    assert before == provider.reads_of_keys
    company.at += 11_000
    client.app.state.web.gate.refresh()
    assert 302 == client.get(provider.authorize(begun(client))).status_code
    assert before + 1 == provider.reads_of_keys


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"issuer": "https://evil.example"}, 502),
        ({"token_endpoint": "http://evil.example/token"}, 502),
        ({"jwks_uri": None}, 502),
        ({"code_challenge_methods_supported": ["plain"]}, 502),
    ],
)
def test_a_provider_that_is_not_as_it_should_be_is_not_used(
    client: Client, provider: IdentityProvider, metadata: dict[str, Any], status: int
) -> None:
    """Another issuer, addresses without TLS elsewhere, no PKCE."""
    provider.metadata = metadata
    answer = client.get("/sign-in/start")
    assert status == answer.status_code
    assert "identity provider does not answer" in answer.text


@pytest.mark.parametrize("name", ["stranger", "", "nobody@example.org"])
def test_who_has_no_account_is_told_whom_to_ask(client: Client, provider: IdentityProvider, name: str) -> None:
    """Signed in there is not signed in here."""
    answer = client.get(provider.authorize(begun(client), name))
    assert 403 == answer.status_code
    assert "Ask those who manage access" in answer.text
    assert SESSION not in client.cookies


def test_an_account_belongs_to_who_signed_in_first(
    client: Client, company: Company, provider: IdentityProvider
) -> None:
    """The provider's subject, not the name, which may change hands there."""
    assert 302 == client.get(provider.authorize(begun(client))).status_code
    client.cookies.clear()
    provider.claims = {"sub": "somebody-else"}
    assert 403 == client.get(provider.authorize(begun(client))).status_code
    provider.claims = {"preferred_username": "renamed"}
    assert 302 == client.get(provider.authorize(begun(client))).status_code
    with company.records.reading() as connection:
        linked = connection.execute(select(accounts.c.subject).where(accounts.c.name == "lead")).scalar_one()
    assert "id-of-lead" == linked


def test_a_disabled_account_signs_in_no_more(client: Client, company: Company, provider: IdentityProvider) -> None:
    """Whatever the provider says."""
    company.admin.disable_account("lead")
    assert 403 == client.get(provider.authorize(begun(client))).status_code


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "/a\nb",
        "javascript:x",
        "",
        "/ x",
        "/a b",
    ],
)
def test_one_goes_on_within_this_site_only(client: Client, provider: IdentityProvider, onward: str) -> None:
    """No open redirect, before or after."""
    assert "/" == own_path(onward)
    assert "/" == client.get(provider.authorize(begun(client, onward))).headers["location"]


def test_a_path_is_kept() -> None:
    """With its query."""
    assert "/board/%E4%B8%80?theme=light" == own_path("/board/%E4%B8%80?theme=light")


def test_over_tls_cookies_are_this_hosts_alone(company: Company, provider: IdentityProvider, tmp_path: Path) -> None:
    """`__Host-`, Secure, and the browser stays with TLS; a cookie of the plain name is not looked at."""
    public = "https://scores.example"
    with TestClient(application(company, provider, tmp_path, public), base_url=public) as client:
        client.follow_redirects = False
        client.get(provider.authorize(begun(client)))
        assert f"__Host-{SESSION}" in client.cookies
        answer = client.get("/board/L1")
        assert (200, "max-age=31536000") == (answer.status_code, answer.headers["strict-transport-security"])
        secret = client.cookies[f"__Host-{SESSION}"]
        client.cookies.clear()
        assert 401 == client.get("/api/v1/units", headers={"cookie": f"{SESSION}={secret}"}).status_code


def test_a_form_may_be_sent_here_only(client: Client, provider: IdentityProvider) -> None:
    """The policy of a page with a form; of other pages: nowhere."""
    assert f"form-action 'self' {provider.issuer}" in client.get("/sign-in").headers["content-security-policy"]
    assert "form-action 'none'" in client.get("/healthz").headers["content-security-policy"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_wrong_token_opens_no_screen(client: Client, company: Company, language: str) -> None:
    """A service's neither; the page says so in the reader's language."""
    service = company.token("L1", "read-scores")
    for token in ("", "sst_wrong", service):
        answer = client.post(f"/screen?lang={language}", data={"token": token}, headers={"origin": PUBLIC})
        assert 403 == answer.status_code
        assert ("opens nothing" if language == "en" else "此令牌无效") in answer.text
    assert SESSION not in client.cookies


def test_a_screen_keeps_the_language_that_it_was_set_up_in(client: Client, company: Company) -> None:
    """And the look: its board is opened with both."""
    (action,) = re.findall(r'action="([^"]+)"', client.get("/screen?lang=zh&theme=dark&token=x").text)
    token = company.token("L1", screen=True)
    answer = client.post(html.unescape(action), data={"token": token}, headers={"origin": PUBLIC})
    assert (303, "/?lang=zh&theme=dark") == (answer.status_code, answer.headers["location"])


def test_another_sites_form_signs_no_screen_in(client: Client, company: Company) -> None:
    """Nobody is signed in as somebody else without knowing."""
    token = company.token("L1", screen=True)
    answer = client.post("/screen", data={"token": token}, headers={"origin": "https://evil.example"})
    assert 403 == answer.status_code
