"""How a browser gets a session: at the identity provider, or with a screen's token; and how it gives it back.

A session is new at every sign-in; it ends after twelve hours or an idle one, with its account or token, or signed out.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import re
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from agents.access.administration import AccessError, Administration
from agents.access.audit import Entry
from agents.access.identities import SESSION as LASTS
from agents.access.secrets import digest, new_secret
from agents.access.signing_in import ProviderError, SignedIn, SignInRefused
from agents.access.viewer import NOBODY, Viewer
from dashboards.web.carried import asking, kept_of
from dashboards.web.cookies import SESSION, SIGN_IN, cookie, credentials_of, gone, read
from dashboards.web.csrf import token_of
from dashboards.web.forms import texts_of
from dashboards.web.gate import Credentials, Store
from dashboards.web.languages import Words, choose, words
from dashboards.web.problems import RequestProblem
from dashboards.web.security import with_forms
from dashboards.web.web import Web
from dashboards.web.whoami import role_of

AWAY: Final = 600  # seconds that somebody may be at the provider
BACK: Final = "/sign-in/back"
NO_STORE: Final = {"cache-control": "no-store"}
_OWN: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")
_OPEN: Final = {"right": "open"}
log: Final = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]


def own_path(text: str | None) -> str:
    """Where to go on: a path of ours, whatever was asked for."""
    return text if text is not None and _OWN.fullmatch(text) else "/"


@get("/sign-in", opt=_OPEN, include_in_schema=False)
async def sign_in(request: AnyRequest, web: NamedDependency[Web]) -> Response[str]:
    """What there is to sign in with; to those who are signed in, who they are."""
    viewer = await _viewer(request, web)
    return _page(request, web, "sign_in.html", 200, viewer=viewer, next=own_path(request.query_params.get("next")))


@get("/sign-in/start", opt=_OPEN, include_in_schema=False)
async def start_sign_in(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """Off to the identity provider."""
    if web.provider is None or web.public_url is None:
        raise RequestProblem(404, "no identity provider is set here (oidc_issuer)")
    seed = new_secret()
    try:
        address = await web.provider.address(seed, web.public_url + BACK)
    except ProviderError as error:
        return _provider_failed(request, web, error)
    onward = base64.urlsafe_b64encode(own_path(request.query_params.get("next")).encode()).decode()
    away = cookie(SIGN_IN, f"{seed}.{onward}", web.secure, AWAY)
    return Redirect(address, headers=NO_STORE, cookies=[away])


@get(BACK, opt=_OPEN, include_in_schema=False)
async def come_back(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """Back from the identity provider, with a code that is good once."""
    if web.provider is None or web.public_url is None or not isinstance(web.gate, Store):
        raise RequestProblem(404, "no identity provider is set here (oidc_issuer)")
    seed, onward = _away(read(request, SIGN_IN))
    try:
        if not seed:
            raise SignInRefused("this browser began no sign-in here, or too long ago")
        signed = await web.provider.finish(seed, web.public_url + BACK, dict(request.query_params))
        account = await asyncio.to_thread(_account, web.gate, signed)
    except ProviderError as error:
        return _provider_failed(request, web, error)
    except SignInRefused as error:
        return await _refused(request, web, str(error), "refused")
    except UnknownAccount as error:
        return await _refused(request, web, str(error), "unknown", error.name)
    await _end(web.gate, read(request, SESSION))
    session = await asyncio.to_thread(
        web.gate.administration(f"account:{account}").start_session, account, None, signed.id_token
    )
    cookies = [cookie(SESSION, session, web.secure, LASTS // 1000), gone(SIGN_IN, web.secure)]
    return Redirect(onward, headers=NO_STORE, cookies=cookies)


@post("/sign-out", opt=_OPEN, include_in_schema=False, status_code=303)
async def sign_out(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """The session is over here, and at the provider where that has a place for it."""
    secret = read(request, SESSION)
    onward = "/sign-in"
    if secret is not None and isinstance(web.gate, Store):
        session = await asyncio.to_thread(web.gate.directory.session, digest(secret), web.clock())
        await _end(web.gate, secret)
        if web.provider is not None and web.public_url is not None and session is not None and session.account:
            try:
                onward = await web.provider.farewell(session.id_token, f"{web.public_url}/sign-in") or onward
            except ProviderError as error:
                log.warning("signed out here only: %s", error)
    cookies = [gone(SESSION, web.secure)]
    return Redirect(onward, status_code=303, headers=NO_STORE, cookies=cookies)


@get("/screen", opt=_OPEN, include_in_schema=False)
async def screen(request: AnyRequest, web: NamedDependency[Web]) -> Response[str]:
    """Where a screen's token is entered, once."""
    return _page(request, web, "screen.html", 200, wrong=False)


@post("/screen", opt=_OPEN, include_in_schema=False, status_code=303)
async def enter_token(request: AnyRequest, web: NamedDependency[Web]) -> Response[Any]:
    """The token becomes a session that lives as long as it does."""
    if not isinstance(web.gate, Store):
        raise RequestProblem(404, "there are no tokens here")
    entered = (await texts_of(request)).get("token", "").strip()[:200]
    known = web.gate.directory.identities
    name = known.token_hashes.get(digest(entered))
    if name is None:
        await asyncio.to_thread(web.gate.refresh)  # made a moment ago
        known = web.gate.directory.identities
        name = known.token_hashes.get(digest(entered))
    viewer, at = known.of_token(name, web.clock()), web.clock()
    if name is None or viewer is None or "screen" not in viewer.roles:
        await web.gate.write(Entry(at, NOBODY.actor, "sign-in", "-", "refused", detail={"why": "no screen's token"}))
        return _page(request, web, "screen.html", 403, wrong=True)
    await _end(web.gate, read(request, SESSION))
    ends = known.tokens[name].expires_at
    session = await asyncio.to_thread(web.gate.administration(viewer.actor).start_session, None, name, None, ends)
    cookies = [cookie(SESSION, session, web.secure, (ends - at) // 1000)]
    onward = "/" + asking(kept_of(request.query_params))
    return Redirect(onward, status_code=303, headers=NO_STORE, cookies=cookies)


HANDLERS: Final = [sign_in, start_sign_in, come_back, sign_out, screen, enter_token]


class UnknownAccount(Exception):
    """The provider vouches for somebody who has no account here. `name`: as the claim says it."""

    def __init__(self, why: str, name: str) -> None:
        super().__init__(why)
        self.name = name


def _account(gate: Store, signed: SignedIn) -> str:
    """The account of whom the provider vouches for; the first time it is found by its name, and theirs from then on."""
    gate.refresh()
    known = gate.directory.identities.accounts
    name = signed.name or ""
    mine = [one for one in known.values() if (one.issuer, one.subject) == (signed.issuer, signed.subject)]
    account = mine[0] if mine else known.get(name)
    if account is None:
        raise UnknownAccount("there is no account of this name", name)
    if account.disabled_at is not None:
        raise UnknownAccount("the account is disabled", name)
    if not mine:
        if account.subject is not None:
            raise UnknownAccount("the account belongs to somebody else at the provider", name)
        try:
            _as(gate, account.name).link(account.name, signed.issuer, signed.subject)
        except AccessError as error:
            raise UnknownAccount(str(error), name) from None
    return account.name


def _as(gate: Store, account: str) -> Administration:
    return gate.administration(f"account:{account}")


async def _end(gate: Store, secret: str | None) -> None:
    """A session that a browser had before is not left open."""
    if secret is None:
        return
    viewer = await gate.viewer(Credentials(session=secret))
    if viewer is not None:
        await asyncio.to_thread(gate.administration(viewer.actor).end_session, digest(secret))
        await asyncio.to_thread(gate.refresh)


def _away(value: str | None) -> tuple[str, str]:
    """The secret of a sign-in that this browser began, and where it goes on; empty when it began none."""
    seed, _, onward = (value or "").partition(".")
    try:
        return seed, own_path(base64.urlsafe_b64decode(onward).decode())
    except (ValueError, binascii.Error):
        return "", "/"


async def _viewer(request: AnyRequest, web: Web) -> Viewer | None:
    viewer = await web.gate.viewer(credentials_of(request))
    return None if viewer is NOBODY else viewer


def _provider_failed(request: AnyRequest, web: Web, error: ProviderError) -> Response[str]:
    log.warning("signing in failed: %s", error)
    return _page(request, web, "sign_in.html", 502, viewer=None, next="/", trouble="sign_in.provider")


async def _refused(request: AnyRequest, web: Web, why: str, trouble: str, name: str = "") -> Response[str]:
    log.warning("a sign-in was refused: %s", why)
    entry = Entry(web.clock(), NOBODY.actor, "sign-in", f"account:{name}", "refused", detail={"why": why})
    await web.gate.write(entry)
    values = {"viewer": None, "next": "/", "trouble": f"sign_in.{trouble}", "name": name}
    answer = _page(request, web, "sign_in.html", 403, **values)
    answer.set_cookie(gone(SIGN_IN, web.secure))
    return answer


def _page(request: AnyRequest, web: Web, template: str, status: int, **values: Any) -> Response[str]:
    said = _said(request, web)
    shown = {"viewer": None, "next": "/", "trouble": "", "name": "", "wrong": False, **values}
    html = web.pages.get_template(template).render(
        asset=web.assets.address,
        csrf=token_of(read(request, SESSION)),
        demo=web.gate.demo,
        kept=asking(kept_of(request.query_params)),
        provider=web.provider is not None,
        role=role_of(request, web, said),
        theme="light",
        words=said,
        **shown,
    )
    further = [] if web.provider is None else ["{0.scheme}://{0.netloc}".format(urlsplit(web.provider.client.issuer))]
    headers = {
        **NO_STORE,
        "content-language": said.tag,
        "content-security-policy": with_forms(*further),
        "referrer-policy": "same-origin",  # without one a browser would not say where a form comes from
        "vary": "accept-language",
    }
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)


def _said(request: AnyRequest, web: Web) -> Words:
    asked = request.query_params.get("lang")
    return words(choose(asked, web.language, request.headers.get("accept-language", "")))
