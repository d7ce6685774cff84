"""From a formula's text to a small tree; every refusal points at the character where reading stopped.

The grammar stands in `stream.formula`. Length and nesting are limited, so that no text can exhaust the
stack of the reader or of Python's compiler.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple
from unicodedata import east_asian_width

from schemas.measures import MEASURE_NAME, RESERVED

MAX_LENGTH = 1_000  # characters
MAX_DEPTH = 32  # parentheses, calls and minus signs inside each other
MAX_DIGITS = 40  # characters of one number

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


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    name: str


@dataclass(frozen=True, slots=True)
class Negated:
    operand: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """`first` followed by (sign, operand)s of one precedence, worked off from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node = Number | Name | Target | Negated | Chain | Call


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
        raise FormulaError(f"{target[1]!r} is no name of a target", target.start(1), text, _name_remedy(target[1]))
    return Token("target", target[1], at, target.end())


def _name_remedy(name: str) -> str:
    if name in {"value", "target"}:
        return f'{name} belongs to `points` only; name a measure of the event, or a personal target("name")'
    if name.lower() in MEASURES:
        return f"write {name.lower()}"
    return NAME_RULE + ("; this name is taken by the formula language" if name in RESERVED else "")


def parse_tree(text: str, names: Container[str]) -> tuple[Node, tuple[str, ...], tuple[str, ...]]:
    """The tree, the names and the targets in order of appearance. Raises FormulaError."""
    if len(text) > MAX_LENGTH:
        message = f"a formula of {len(text)} characters"
        raise FormulaError(message, MAX_LENGTH, text, f"write at most {MAX_LENGTH} characters")
    parser = _Parser(text, names)
    tree = parser.sum()
    parser.expect_end()
    return tree, tuple(parser.names), tuple(parser.targets)


class _Parser:
    def __init__(self, text: str, allowed: Container[str]) -> None:
        self.text = text
        self.allowed = allowed
        self.tokens = list(scan(text))
        self.at = 0
        self.depth = 0
        self.names: dict[str, None] = {}
        self.targets: dict[str, None] = {}

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self, signs: str) -> str:
        """The next token's sign if it is one of `signs`, which is then consumed; else the empty text."""
        if self.token.kind != "sign" or self.token.text not in signs:
            return ""
        self.at += 1
        return self.tokens[self.at - 1].text

    def fail(self, message: str, remedy: str, token: Token | None = None) -> FormulaError:
        return FormulaError(message, (token or self.token).start, self.text, remedy)

    def sum(self) -> Node:
        first = self.product()
        rest = []
        while sign := self.take("+-"):
            rest.append((sign, self.product()))
        return Chain(first, tuple(rest)) if rest else first

    def product(self) -> Node:
        first = self.factor()
        rest = []
        while sign := self.take("*/"):
            rest.append((sign, self.factor()))
        return Chain(first, tuple(rest)) if rest else first

    def factor(self) -> Node:
        token = self.token
        if token.kind == "number":
            self.at += 1
            return Number(float(token.text))
        if token.kind == "name":
            return self.name()
        if token.kind == "target":
            self.at += 1
            self.targets[token.text] = None
            return Target(token.text)
        return self.nested()

    def name(self) -> Node:
        token = self.token
        if token.text in {"min", "max", "abs"}:
            raise self.fail(f"{token.text} is a function", f"write {token.text}( ) with what it applies to")
        if token.text not in self.allowed:
            raise self.fail(f"unknown name {token.text!r}", self.suggest(token.text))
        self.at += 1
        self.names[token.text] = None
        return Name(token.text)

    def suggest(self, name: str) -> str:
        if not isinstance(self.allowed, Iterable):
            return _name_remedy(name)
        allowed = sorted(self.allowed)
        close = get_close_matches(name.lower(), allowed, n=1)
        return (f"did you mean {close[0]}? " if close else "") + f"allowed here: {', '.join(allowed) or 'none'}"

    def nested(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested more than {MAX_DEPTH} deep", "take parentheses away, or split the indicator")
        node = self.opened()
        self.depth -= 1
        return node

    def opened(self) -> Node:
        opening = self.token
        if opening.kind == "function":
            self.at += 2  # the scanner saw the parenthesis
            return self.call(opening)
        if self.take("-"):
            return Negated(self.factor())
        if self.take("("):
            node = self.sum()
            self.close(opening)
            return node
        raise self.fail(*self.misplaced(opening))

    def misplaced(self, token: Token) -> tuple[str, str]:
        wanted = 'write a name, a number, target("name") or ( here'
        if token.kind == "end":
            return ("the formula is empty" if not self.text.strip() else "the formula ends too early"), wanted
        if token.text == "+":
            return "a plus sign without a left side", "leave it out"
        return f"unexpected {token.text!r}", wanted

    def call(self, opening: Token) -> Node:
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.close(opening)
        if opening.text == "abs" and len(arguments) != 1:
            raise self.fail(f"abs of {len(arguments)} arguments", "give it exactly one: abs(a)", opening)
        if opening.text != "abs" and len(arguments) < 2:
            remedy = f"give it two or more: {opening.text}(a, b); in a YAML {{ }} put the formula in quotes"
            raise self.fail(f"{opening.text} of one argument", remedy, opening)
        return Call(opening.text, tuple(arguments))

    def close(self, opening: Token) -> None:
        if self.take(")"):
            return
        if self.token.kind == "end":
            remedy = "add ); in a YAML { } put the formula in quotes, since a comma ends it there"
            raise self.fail("a parenthesis is not closed", remedy, opening)
        if self.token.text == ",":
            raise self.fail("a comma outside min( ) and max( )", "write decimals with a point, such as 0.95")
        raise self.fail(f"unexpected {self.token.text!r}", "write + - * / or ) here")

    def expect_end(self) -> None:
        if self.token.kind == "end":
            return
        if self.token.text == ")":
            raise self.fail("a closing parenthesis without an opening one", "take it away")
        if self.token.text == ",":
            raise self.fail("a comma outside min( ) and max( )", "write decimals with a point, such as 0.95")
        raise self.fail(f"unexpected {self.token.text!r}", "write + - * / between two values")
