"""A row says what was measured, its template what that means: name, target, sample, zone. Nothing is guessed here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from stream.bilingual import Text
from stream.indicator import Indicator
from stream.template import TemplateError, load_published


class Facts(NamedTuple):
    """What a board needs to know of an indicator. `name` by language; `target` as the formula's number.

    `indicator`: all that the template says of it, for the page of a person.
    """

    name: Mapping[str, str]
    unit: str = ""
    target: float | None = None
    min_sample: float = 0
    is_rate: bool = False
    indicator: Indicator | None = None


class Guide(NamedTuple):
    """One version of a template, for reading. `digest`: of its text, which names it and nothing else."""

    template: str
    version: int
    title: Mapping[str, str]
    timezone: str
    indicators: Mapping[str, Facts]
    digest: str = ""


Reader = Callable[[str], Guide | None]


class Catalogue:
    """All template versions that were published, by name and number; the first of a number stays."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._guides: dict[tuple[str, int], Guide] = {}

    def publish(self, text: str) -> bool:
        """Takes a template's YAML text; whether it was new and readable."""
        guide = self._reader(text)
        if guide is None or (guide.template, guide.version) in self._guides:
            return False
        self._guides[guide.template, guide.version] = guide
        return True

    @property
    def size(self) -> int:
        """How many versions are known; it grows with each."""
        return len(self._guides)

    def guide(self, template: str, version: int) -> Guide | None:
        """The version, None while it has not been read."""
        return self._guides.get((template, version))

    def facts(self, template: str, version: int, indicator: str) -> Facts | None:
        """What the version says of the indicator, None when nothing."""
        guide = self.guide(template, version)
        return None if guide is None else guide.indicators.get(indicator)


def read_template(text: str) -> Guide | None:
    """The guide of a published YAML text, None when it is no valid template."""
    try:
        template = load_published(text)
    except TemplateError:
        return None
    indicators = {item.id: _facts(item) for item in template.indicators}
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    title = _by_language(template.title)
    return Guide(template.template, template.version, title, template.timezone, indicators, digest)


def _facts(item: Indicator) -> Facts:
    return Facts(_by_language(item.name), item.unit, item.target, item.min_sample, item.rate_of is not None, item)


def _by_language(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
