"""What the pages of a person have in common: language, look, the way back; and pages that only say one thing."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote_plus

from litestar import MediaType, Request, Response

from dashboards.web.carried import LOOKS, kept_of, languages_of, looks_of
from dashboards.web.languages import Words, choose, words
from dashboards.web.security import with_forms
from dashboards.web.stencil import GAPS
from dashboards.web.viewer import csrf_field, viewer_of
from dashboards.web.web import Web
from dashboards.web.whoami import role_of

_POLICY: Final = with_forms()

AnyRequest = Request[Any, Any, Any]


class Frame:
    """One page for one request. `here` is its address without what was asked for."""

    def __init__(self, request: AnyRequest, web: Web) -> None:
        viewer = viewer_of(request)
        own = viewer.language if viewer else None
        asked = request.query_params.get("lang")
        accepted = request.headers.get("accept-language", "")
        self.request = request
        self.web = web
        self.viewer = viewer
        self.words: Words = words(choose(asked, own or web.language, accepted))
        theme = request.query_params.get("theme", "")
        self.theme = theme if theme in LOOKS else LOOKS[0]
        self.query = {name: value for name, value in request.query_params.items() if isinstance(value, str)}
        self.kept = kept_of(self.query)
        self.role = role_of(request, web, self.words)

    def link(self, path: str, **query: object) -> str:
        """An address of ours that keeps language and look; None among the values is left out."""
        given = [(name, value) for name, value in (*query.items(), *self.kept.items()) if value is not None]
        return f"{path}?{'&'.join(f'{name}={quoted(str(value))}' for name, value in given)}" if given else path

    def page(
        self, name: str, values: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] = {}
    ) -> Response[str]:
        """The page, kept by nobody: a tablet on the shop floor is many people's."""
        given = self._common(self.request.url.path) | {"csrf": lambda: csrf_field(self.request)}
        html = self.web.pages.get_template(name).render(**given, **values)
        return self._answer(html, status, headers)

    def filled(
        self, name: str, key: Hashable, values: Mapping[str, Any], own: Mapping[str, str], headers: Mapping[str, str]
    ) -> Response[str]:
        """As `page`, of a template that is the same for all pages of a key but for its gaps.

        `own` fills them; `path` among it is the page's own address. Who looks is no part of it: the next one may not be
        they.
        """
        looks = (self.words.language, self.theme, self.role, *sorted(self.query.items()))
        stencil = self.web.stencils.get(name, (looks, key), lambda: {**self._common(GAPS.path), **values})
        return self._answer(stencil.fill(own), 200, headers)

    def _common(self, path: str) -> dict[str, Any]:
        return {
            "asset": self.web.assets.address,
            "build": self.web.assets.build,
            "frame": self,
            "languages": languages_of(path, self.query, self.words.language),
            "link": self.link,
            "looks": looks_of(path, self.query, self.theme, self.words),
            "role": self.role,
            "stale_seconds": self.web.stale_seconds,
            "theme": self.theme,
            "words": self.words,
        }

    def _answer(self, html: str, status: int, headers: Mapping[str, str]) -> Response[str]:
        sent = {
            "cache-control": "no-store",
            "content-language": self.words.tag,
            "content-security-policy": _POLICY,
            "vary": "accept-language",
        }
        return Response(html, status_code=status, media_type=MediaType.HTML, headers={**sent, **headers})

    def notice(self, what: str, status: int, *, retry: int | None = None, **values: str) -> Response[str]:
        """A page that says one thing; with `retry` (s) it asks again by itself."""
        texts = {name: self.words(f"me.{what}.{name}", **values) for name in ("title", "text")}
        return self.said(texts["title"], texts["text"], status, retry=retry)

    def said(self, title: str, text: str, status: int, *, retry: int | None = None, back: str = "") -> Response[str]:
        """As `notice`, in words that are given."""
        headers = {} if retry is None else {"retry-after": str(retry)}
        values = {"title": title, "text": text, "retry": retry, "back": back}
        return self.page("saying.html", values, status=status, headers=headers)

    def tag(self, parts: Iterable[bytes | None]) -> str:
        """An ETag of what a page is made of: the same bytes in the same language and look are the same page."""
        own = (self.web.assets.build, self.words.tag, self.theme, *(f"{k}={v}" for k, v in sorted(self.query.items())))
        digest = hashlib.blake2b(digest_size=12)
        for part in (*(text.encode() for text in own), *parts):
            digest.update(b"-" if part is None else b"%d:" % len(part) + part)
        return f'W/"{digest.hexdigest()}"'


@lru_cache(maxsize=4096)
def quoted(value: str) -> str:
    """A value as it stands in an address."""
    return quote_plus(value)
