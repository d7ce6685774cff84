"""What the pages of a person have in common: language, look, the way back; and pages that only say one thing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from jinja2 import Environment, Template
from litestar import MediaType, Request, Response
from markupsafe import Markup

from dashboards.web.languages import LANGUAGES, TAGS, Words, choose, words
from dashboards.web.my_words import Tab
from dashboards.web.security import with_forms
from dashboards.web.viewer import csrf_field, viewer_of
from dashboards.web.web import Web
from dashboards.web.whoami import KEPT, role_of

LOOKS: Final = ("light", "dark", "wall")
_FIXED: Final = re.compile(r'\{\{ text\["([\w.@]+)"\] \}\}')
_NAMES: Final = {"en": "English", "zh": "中文"}

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
        self.kept = {name: self.query[name] for name in KEPT if name in self.query}

    def link(self, path: str, **query: object) -> str:
        """An address of ours that keeps language and look; None among the values is left out."""
        given = [(name, value) for name, value in (*query.items(), *self.kept.items()) if value is not None]
        return f"{path}?{'&'.join(f'{name}={_quoted(str(value))}' for name, value in given)}" if given else path

    def part(self, name: str, values: Mapping[str, Any]) -> Markup:
        """A part of a page, drawn on its own; its fixed texts are in the template already, in this language."""
        drawn = _spoken(self.web.pages, name, self.words)
        return Markup(drawn.render(link=self.link, text=self.words.plain, words=self.words, **values))

    def page(
        self, name: str, values: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] = {}
    ) -> Response[str]:
        """The page, kept by nobody: a tablet on the shop floor is many people's."""
        html = self.web.pages.get_template(name).render(
            asset=self.web.assets.address,
            build=self.web.assets.build,
            csrf=lambda: csrf_field(self.request),
            frame=self,
            languages=self._languages(),
            link=self.link,
            looks=self._looks(),
            role=role_of(self.request, self.web, self.words),
            stale_seconds=self.web.stale_seconds,
            theme=self.theme,
            viewer=self.viewer,
            words=self.words,
            **values,
        )
        sent = {
            "cache-control": "no-store",
            "content-language": self.words.tag,
            "content-security-policy": with_forms(),
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

    def _languages(self) -> list[Tab]:
        return [Tab(_NAMES[each], self._with(lang=each), each == self.words.language, TAGS[each]) for each in LANGUAGES]

    def _looks(self) -> list[Tab]:
        return [Tab(self.words(f"me.theme.{look}"), self._with(theme=look), look == self.theme) for look in LOOKS]

    def _with(self, **changes: str) -> str:
        return f"{self.request.url.path}?{urlencode({**self.query, **changes})}"


@lru_cache
def _spoken(pages: Environment, name: str, said: Words) -> Template:
    """The template with its fixed texts put in once: a third of what a page would look up each time."""
    assert pages.loader is not None
    source, _, _ = pages.loader.get_source(pages, name)
    return pages.from_string(_FIXED.sub(lambda found: said.plain[found[1]], source))


@lru_cache(maxsize=4096)
def _quoted(value: str) -> str:
    return quote_plus(value)
