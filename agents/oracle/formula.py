"""A formula is arithmetic over named numbers; whatever it cannot compute has no value, never an error or a NaN.

sum := product (("+"|"-") product)*   product := factor (("*"|"/") factor)*
factor := "-" factor | number | name | "(" sum ")" | ("min"|"max") "(" sum ("," sum)+ ")" | "abs" "(" sum ")"
    | target("name")
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from agents.oracle.measures import is_measure

LONGEST = 1_000  # characters
DEEPEST = 32  # parentheses, calls and minus signs inside each other

_LONGEST_NUMBER = 40
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'[0-9]+(?:\.[0-9]+)?|[a-z][a-z0-9_]*|"[^"]*"|[-+*/(),]')
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class FormulaError(ValueError):
    """The text is no formula."""


class _NoValue(Exception):
    pass


class _Numbers(NamedTuple):
    names: Mapping[str, float | None]
    targets: Mapping[str, float]


_Node = Callable[[_Numbers], float]


class Formula:
    """A parsed formula; `names` are the plain names it uses, in order of appearance.

    `alone` is the one name that is all of it, parentheses aside, None where it is more.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        parser = _Parser(text)
        self._root = parser.whole()
        self.names: tuple[str, ...] = tuple(dict.fromkeys(parser.names))
        self.alone = self.names[0] if self.names and parser.is_only(self.names[0]) else None

    def value(self, names: Mapping[str, float | None], targets: Mapping[str, float]) -> float | None:
        """The number; None for a division by zero, a name or target without a value, or a result that is not finite."""
        try:
            result = self._root(_Numbers(names, targets))
        except (_NoValue, ZeroDivisionError, OverflowError):
            return None
        return result if math.isfinite(result) else None


def _tokens(text: str) -> Iterator[str]:
    if len(text) > LONGEST:
        raise FormulaError(f"formula: {len(text)} characters are more than {LONGEST}")
    at = _end_of(_SPACE.match(text))
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise FormulaError(f"formula {text!r}: unexpected {text[at]!r}")
        after = text[token.end() : token.end() + 1]
        if token[0][0].isdigit() and (len(token[0]) > _LONGEST_NUMBER or after in (".", "_") or after.isalnum()):
            raise FormulaError(f"formula {text!r}: {token[0]}{after} is no number")
        yield token[0]
        at = _end_of(_SPACE.match(text, token.end()))


def _end_of(space: re.Match[str] | None) -> int:
    assert space is not None  # it may be empty
    return space.end()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._inside = 0
        self.names: list[str] = []

    def whole(self) -> _Node:
        node = self._sum()
        if self._next < len(self._tokens):
            raise FormulaError(f"formula {self._text!r}: unexpected {self._tokens[self._next]!r}")
        return node

    def is_only(self, name: str) -> bool:
        """Whether there is nothing but a name, and parentheses around it."""
        return set(self._tokens) <= {name, "(", ")"}

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self, expected: str | None = None) -> str:
        token = self._peek()
        if not token or (expected is not None and token != expected):
            raise FormulaError(f"formula {self._text!r}: expected {expected or 'more'}, found {token or 'its end'!r}")
        self._next += 1
        return token

    def _sum(self) -> _Node:
        node = self._product()
        while self._peek() in ("+", "-"):
            node = _plus(node, self._product()) if self._take() == "+" else _minus(node, self._product())
        return node

    def _product(self) -> _Node:
        node = self._factor()
        while self._peek() in ("*", "/"):
            node = _times(node, self._factor()) if self._take() == "*" else _over(node, self._factor())
        return node

    def _factor(self) -> _Node:
        token = self._take()
        if token[0].isdigit():
            return _constant(float(token))
        if not _NAME.fullmatch(token):
            return self._within(lambda: self._signed(token))
        if self._peek() != "(":
            return self._name(token)
        return self._target() if token == "target" else self._within(lambda: self._call(token))

    def _within(self, read: Callable[[], _Node]) -> _Node:
        self._inside += 1
        if self._inside > DEEPEST:
            raise FormulaError(f"formula {self._text!r}: more than {DEEPEST} deep")
        node = read()
        self._inside -= 1
        return node

    def _signed(self, token: str) -> _Node:
        if token == "-":
            return _negative(self._factor())
        if token == "(":
            node = self._sum()
            self._take(")")
            return node
        raise FormulaError(f"formula {self._text!r}: unexpected {token!r}")

    def _name(self, name: str) -> _Node:
        if name in ("min", "max", "abs"):
            raise FormulaError(f"formula {self._text!r}: {name} needs arguments in parentheses")
        self.names.append(name)
        return _named(name)

    def _target(self) -> _Node:
        self._take("(")
        name = self._take()
        if name[0] != '"' or not is_measure(name[1:-1]):
            raise FormulaError(f"formula {self._text!r}: target needs a name in double quotes, found {name}")
        self._take(")")
        return _personal(name[1:-1])

    def _call(self, function: str) -> _Node:
        self._take("(")
        arguments = [self._sum()]
        while self._peek() == ",":
            self._take(",")
            arguments.append(self._sum())
        self._take(")")
        if function == "abs" and len(arguments) == 1:
            return _absolute(arguments[0])
        if function in ("min", "max") and len(arguments) > 1:
            return _extreme(function, arguments)
        raise FormulaError(f"formula {self._text!r}: no function {function} of {len(arguments)} arguments")


def _plus(left: _Node, right: _Node) -> _Node:
    return lambda numbers: left(numbers) + right(numbers)


def _minus(left: _Node, right: _Node) -> _Node:
    return lambda numbers: left(numbers) - right(numbers)


def _times(left: _Node, right: _Node) -> _Node:
    return lambda numbers: left(numbers) * right(numbers)


def _over(left: _Node, right: _Node) -> _Node:
    return lambda numbers: left(numbers) / right(numbers)


def _negative(node: _Node) -> _Node:
    return lambda numbers: -node(numbers)


def _absolute(node: _Node) -> _Node:
    return lambda numbers: abs(node(numbers))


def _extreme(function: str, nodes: list[_Node]) -> _Node:
    choose = min if function == "min" else max
    return lambda numbers: choose([node(numbers) for node in nodes])


def _constant(number: float) -> _Node:
    return lambda _: number


def _named(name: str) -> _Node:
    def look_up(numbers: _Numbers) -> float:
        number = numbers.names.get(name)
        if number is None:
            raise _NoValue
        return number

    return look_up


def _personal(name: str) -> _Node:
    def look_up(numbers: _Numbers) -> float:
        if name not in numbers.targets:
            raise _NoValue
        return numbers.targets[name]

    return look_up
