"""A formula is arithmetic over named numbers; whatever it cannot compute has no value, never an error or a NaN.

sum := product (("+"|"-") product)*   product := factor (("*"|"/") factor)*
factor := "-" factor | number | name | "(" sum ")" | ("min"|"max"|"abs") "(" sum ("," sum)* ")" | target("name")
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_TOKEN = re.compile(
    r"\s*(?:([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)|([a-z][a-z0-9_]*)|(\"[^\"]*\"|'[^']*')|(\S))"
)
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
    """A parsed formula; `names` are the plain names it uses, in order of appearance."""

    def __init__(self, text: str) -> None:
        self.text = text
        parser = _Parser(text)
        self._root = parser.whole()
        self.names: tuple[str, ...] = tuple(dict.fromkeys(parser.names))

    def value(self, names: Mapping[str, float | None], targets: Mapping[str, float]) -> float | None:
        """The number; None for a division by zero, a name or target without a value, or a result that is not finite."""
        try:
            result = self._root(_Numbers(names, targets))
        except (_NoValue, ZeroDivisionError, OverflowError):
            return None
        return result if math.isfinite(result) else None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [next(group for group in match if group) for match in _TOKEN.findall(text)]
        self._next = 0
        self.names: list[str] = []

    def whole(self) -> _Node:
        node = self._sum()
        if self._next < len(self._tokens):
            raise FormulaError(f"formula {self._text!r}: unexpected {self._tokens[self._next]!r}")
        return node

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
        if token == "-":
            return _negative(self._factor())
        if token == "(":
            node = self._sum()
            self._take(")")
            return node
        if token[0].isdigit() or (token[0] == "." and len(token) > 1):
            return _constant(float(token))
        if not _NAME.fullmatch(token):
            raise FormulaError(f"formula {self._text!r}: unexpected {token!r}")
        return self._call(token) if self._peek() == "(" else self._name(token)

    def _name(self, name: str) -> _Node:
        if name in ("min", "max", "abs"):
            raise FormulaError(f"formula {self._text!r}: {name} needs arguments in parentheses")
        self.names.append(name)
        return _named(name)

    def _call(self, function: str) -> _Node:
        self._take("(")
        if function == "target":
            quoted = self._take()
            if quoted[0] not in "\"'":
                raise FormulaError(f"formula {self._text!r}: target needs a quoted name, found {quoted!r}")
            self._take(")")
            return _personal(quoted[1:-1])
        arguments = [self._sum()]
        while self._peek() == ",":
            self._take(",")
            arguments.append(self._sum())
        self._take(")")
        if function == "abs" and len(arguments) == 1:
            return _absolute(arguments[0])
        if function in ("min", "max"):
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
