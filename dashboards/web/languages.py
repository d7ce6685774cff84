"""A page speaks one language: the one asked for, else the one that was set, else the reader's, else English.

The catalogues are JSON; `en.json` and `zh.json` are read by the server (with Babel) and by the browser (with Intl)
alike, those of PAGES by the server alone. A text that depends on a number has a form for each plural category.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final, Literal

from babel import Locale
from babel.numbers import format_decimal
from markupsafe import Markup

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
PAGES: Final = ("me", "hr", "organisation", "refused")
TAGS: Final[Mapping[Language, str]] = {"en": "en", "zh": "zh-Hans"}


def choose(asked: str | None, configured: str | None, accepted: str) -> Language:
    """The language of a page; `accepted` is the Accept-Language header."""
    for candidate in (asked, configured, *_preferred(accepted)):
        if (language := _known(candidate)) is not None:
            return language
    return "en"


def _preferred(header: str) -> list[str]:
    """The tags of an Accept-Language header, best first; a quality that is no number counts as 0."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, parameter = part.strip().partition(";")
        name, _, quality = parameter.strip().partition("=")
        try:
            weight = float(quality) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        if 0 < weight <= 1:
            weighed.append((-weight, place, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]


def _known(tag: str | None) -> Language | None:
    primary = (tag or "").replace("_", "-").split("-")[0].lower()
    return next((language for language in LANGUAGES if language == primary), None)


class Words:
    """The texts of one language. `words("waiting.title")`, `words("people", n=3)`."""

    def __init__(self, language: Language, texts: Mapping[str, Any]) -> None:
        self.language = language
        self.tag = TAGS[language]
        self._texts = texts
        self.plain = {key: Markup.escape(text) for key, text in texts.items() if isinstance(text, str)}  # for templates

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with values put in; `n` chooses the plural form. KeyError for a key that is not there."""
        text = self._texts[key]
        if not values and isinstance(text, str):
            return text
        if isinstance(text, dict):
            number = values.get("n")
            form = _plural(number, self.tag) if isinstance(number, int | float) else "other"
            text = text.get(form, text["other"])
        shown = {name: self._shown(value) for name, value in values.items()}
        return str(text).format_map(shown)

    def unit(self, unit: str) -> str:
        """What an indicator's values are counted in, as a template writes it: in this language where it is known."""
        return str(self._texts.get(f"unit.{unit}", unit))

    def role(self, role: str | None) -> str:
        """The role of somebody in the organisation: in this language where it is known, else as it was entered."""
        return str(self._texts.get(f"work.{role}", role or ""))

    def _shown(self, value: object) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _decimal(value, self.tag)
        return str(value)


@lru_cache(maxsize=16_384)
def _plural(number: float, tag: str) -> str:
    return Locale.parse(tag.replace("-", "_")).plural_form(number)


@lru_cache(maxsize=16_384)
def _decimal(value: float, tag: str) -> str:
    return str(format_decimal(value, locale=Locale.parse(tag.replace("-", "_"))))


@cache
def words(language: Language) -> Words:
    """The catalogue of a language, read once."""
    texts = json.loads(catalogue_bytes(language))
    for name in PAGES:
        texts |= json.loads(resources.files("dashboards.web").joinpath("words", f"{name}.{language}.json").read_bytes())
    return Words(language, texts)


def catalogue_bytes(language: Language) -> bytes:
    """The catalogue's file, as the browser gets it."""
    return resources.files("dashboards.web").joinpath("words", f"{language}.json").read_bytes()
