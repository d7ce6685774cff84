"""From a formula's text to its tokens; every refusal points at the character where reading stopped."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple
from unicodedata import east_asian_width

from schemas.measures import MEASURE_NAME, RESERVED

MAX_DIGITS: Final = 40  # characters of one number

FUNCTIONS = ("min", "max", "abs", "target")
NAME_RULE = "names start with a-z and go on with a-z 0-9 _, at most 32 characters"

# What people type instead of the plain character, and what is right.
LOOKALIKES = {
    "×": "write * to multiply",
    "÷": "write / to divide",
    "−": "write the plain minus -",
    "–": "write the plain minus -",
    "（": "write the plain parenthesis (",
    "）": "write the plain parenthesis )",
    "，": "write the plain comma ,",
    "“": 'write plain quotes: target("name")',
    "”": 'write plain quotes: target("name")',
    "'": 'write double quotes: target("name")',
    '"': 'quotes belong to target("name") only',
    "\u3000": "write a plain space",
    "%": "write / 100, or leave percent to `unit`",
    "^": "write a product, such as a * a",
    ".": "write a digit before and after the point, such as 0.5",
    "[": "write parentheses ( )",
    "]": "write parentheses ( )",
}


class FormulaError(ValueError):
    """A text that is not a formula; the template's author acts. `position` counts characters from 0."""

    def __init__(self, message: str, position: int, text: str, remedy: str = "") -> None:
        super().__init__(message, position, text, remedy)
        self.message = message
        self.position = position
        self.text = text
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} at character {self.position + 1}" + (f"; {self.remedy}" if self.remedy else "")

    def pointer(self) -> str:
        """Two lines: the text (a piece of it, when it is long) and a ^ under the character."""
        left = max(0, self.position - 60)
        shown = "".join(c if c.isprintable() else " " for c in self.text[left : self.position + 40])
        columns = sum(2 if east_asian_width(c) in "WF" else 1 for c in shown[: self.position - left])
        return f"{shown}\n{' ' * columns}^"


class MeasureNames(Container[str]):
    """Every name that a measure may have; what `value` and `rate` may name."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name not in RESERVED and MEASURE_NAME.fullmatch(name) is not None


MEASURES: Final = MeasureNames()


class Token(NamedTuple):
    kind: Literal["number", "name", "function", "target", "sign", "end"]
    text: str  # of a target: the name inside the quotes
    start: int
    end: int


_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TARGET = re.compile(r'target[ \t\r\n]*\([ \t\r\n]*"([^"]*)"[ \t\r\n]*\)')
_CALL = re.compile(r"[ \t\r\n]*\(")


def scan(text: str) -> Iterator[Token]:
    """The tokens of a text, an "end" last. Raises FormulaError at the first character that fits nothing."""
    at = _skip(text, 0)
    while at < len(text):
        token = _token(text, at)
        yield token
        at = _skip(text, token.end)
    yield Token("end", "", len(text), len(text))


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _token(text: str, at: int) -> Token:
    if text[at] in "+-*/(),":
        return Token("sign", text[at], at, at + 1)
    if match := _NUMBER.match(text, at):
        return _number(text, at, match)
    if match := _WORD.match(text, at):
        return _word(text, at, match)
    remedy = LOOKALIKES.get(text[at], 'use names, numbers, + - * / ( ) min max abs and target("name")')
    raise FormulaError(f"unexpected character {text[at]!r}", at, text, remedy)


def _number(text: str, at: int, match: re.Match[str]) -> Token:
    follower = text[match.end() : match.end() + 1]
    if follower in {"e", "E"}:
        raise FormulaError("exponents are not read", match.end(), text, "write the number out, such as 1000 or 0.001")
    if follower == "." or follower == "_" or follower.isalnum():
        remedy = "write plain decimals such as 100 or 0.95, and * between a number and a name"
        raise FormulaError(f"a number cannot go on with {follower!r}", match.end(), text, remedy)
    if match.end() - at > MAX_DIGITS:
        raise FormulaError(f"a number of more than {MAX_DIGITS} digits", at, text, "round it")
    return Token("number", match[0], at, match.end())


def _word(text: str, at: int, match: re.Match[str]) -> Token:
    word = match[0]
    if not _CALL.match(text, match.end()):
        return Token("name", word, at, match.end())
    if word not in FUNCTIONS:
        close = get_close_matches(word.lower(), FUNCTIONS, n=1)
        remedy = f"did you mean {close[0]}?" if close else "write * between a name and a parenthesis"
        raise FormulaError(f"unknown function {word!r}", at, text, f"{remedy} (functions: {', '.join(FUNCTIONS)})")
    if word != "target":
        return Token("function", word, at, match.end())
    target = _TARGET.match(text, at)
    if not target:
        raise FormulaError("target needs one name in double quotes", at, text, 'write target("name")')
    if target[1] not in MEASURES:
        raise FormulaError(f"{target[1]!r} is no name of a target", target.start(1), text, name_remedy(target[1]))
    return Token("target", target[1], at, target.end())


def name_remedy(name: str) -> str:
    if name in {"value", "target"}:
        return f'{name} belongs to `points` only; name a measure of the event, or a personal target("name")'
    if name.lower() in MEASURES:
        return f"write {name.lower()}"
    return NAME_RULE + ("; this name is taken by the formula language" if name in RESERVED else "")
