"""What people read exists in Chinese and in English, always both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LANGUAGES: Final = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages; both are empty when a template leaves an optional text out."""

    zh: str
    en: str

    def get(self, language: str) -> str:
        """The text for a language tag: Chinese for `zh...`, else English."""
        return self.zh if language.lower().startswith("zh") else self.en

    def keys(self) -> Iterator[str]:
        """With `[...]` this makes `dict(text)` the wire's `{"zh": ..., "en": ...}`."""
        return iter(LANGUAGES)

    def __getitem__(self, language: str) -> str:
        if language not in LANGUAGES:
            raise KeyError(language)
        return self.get(language)

    def __bool__(self) -> bool:
        return bool(self.zh or self.en)


NO_TEXT = Text("", "")
