"""What links carry on of an address, the language and the look; and the same page in the other language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from dashboards.web.languages import LANGUAGES, TAGS, Language, Words

KEPT: Final = ("lang", "theme")
LOOKS: Final = ("light", "dark", "wall")
_SAID_ONCE: Final = ("done",)  # what tells of something that was just done
_NAMES: Final[Mapping[Language, str]] = {"en": "English", "zh": "中文"}


class Tab(NamedTuple):
    """Something to choose: its words, where it leads, whether it is chosen, its language when it is another one."""

    label: str
    href: str
    current: bool
    lang: str | None = None


def kept_of(query: Mapping[str, str]) -> dict[str, str]:
    """What links of a page carry on of its own address."""
    return {name: query[name] for name in KEPT if name in query}


def asking(kept: Mapping[str, str]) -> str:
    """That as the end of an address; "" where it is nothing."""
    return f"?{urlencode(kept)}" if kept else ""


def languages_of(path: str, query: Mapping[str, str], current: Language) -> list[Tab]:
    """The same page in every language; with "" as the path wherever the page is by then."""
    own = {name: value for name, value in query.items() if name not in _SAID_ONCE}
    return [
        Tab(_NAMES[each], f"{path}?{urlencode({**own, 'lang': each})}", each == current, TAGS[each])
        for each in LANGUAGES
    ]


def looks_of(path: str, query: Mapping[str, str], current: str, said: Words) -> list[Tab]:
    """The same page in every look."""
    own = {name: value for name, value in query.items() if name not in _SAID_ONCE}
    return [
        Tab(said(f"me.theme.{look}"), f"{path}?{urlencode({**own, 'theme': look})}", look == current) for look in LOOKS
    ]
