"""From tokens to a small tree, by the grammar that stands in `stream.formula`.

Length and nesting are limited, so that no text can exhaust the stack of the reader or of Python's compiler.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from stream.formula_scanner import FormulaError, Token, name_remedy, scan

MAX_LENGTH: Final = 1_000  # characters
MAX_DEPTH: Final = 32  # parentheses, calls and minus signs inside each other


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
            return name_remedy(name)
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
