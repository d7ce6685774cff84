"""A formula's text is read by our own grammar; only the tree it yields is ever compiled, never the text.

    sum     = product { ("+" | "-") product }
    product = factor { ("*" | "/") factor }
    factor  = "-" factor | number | name | "(" sum ")" | call
    call    = ("min" | "max") "(" sum "," sum { "," sum } ")" | "abs" "(" sum ")" | "target" "(" '"' name '"' ")"

Numbers are plain decimals (`100`, `0.95`; no sign, no exponent, digits on both sides of the point) and are
read as the nearest double. All arithmetic is that of doubles, from left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite

from stream.formula_code import compile_tree
from stream.formula_parser import Node, parse_tree
from stream.formula_scanner import MEASURES, FormulaError, Token, scan
from stream.plain_number import plain

__all__ = ["BoundFormula", "Formula", "FormulaError", "parse"]

BoundFormula = Callable[[Sequence[float], Mapping[str, float]], float | None]


@dataclass(frozen=True, slots=True)
class Formula:
    """One parsed formula; two formulas are equal when their texts are."""

    text: str
    names: tuple[str, ...] = field(compare=False)
    targets: tuple[str, ...] = field(compare=False)
    tree: Node = field(compare=False, repr=False)

    def bind(self, order: Sequence[str]) -> BoundFormula:
        """Compile to `f(values, targets)`, where `values[i]` belongs to the name `order[i]`.

        The function gives None for a division by zero, a target missing from `targets` and a result that is
        not finite. Raises ValueError when `order` lacks one of the formula's names.
        """
        places = {name: place for place, name in enumerate(order)}
        missing = [name for name in self.names if name not in places]
        if missing:
            raise ValueError(f"order {list(order)!r} lacks {missing!r}, used by the formula {self.text!r}; add it")
        return compile_tree(self.tree, places)

    def substitute(self, values: Mapping[str, float], targets: Mapping[str, float]) -> str:
        """The formula as written, with numbers put in: `accepted / inspected` becomes `93 / 100`.

        Negative numbers come in parentheses. A name or target without a finite number stays as it is written.
        The result is a formula again, of the same value.
        """
        parts = []
        end = 0
        for token in _tokens(self.text):
            known = targets if token.kind == "target" else values if token.kind == "name" else {}
            number = known.get(token.text)
            if number is not None and isfinite(number):
                parts += [self.text[end : token.start], f"({plain(number)})" if number < 0 else plain(number)]
                end = token.end
        return "".join(parts) + self.text[end:]

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[Token, ...]:
    return tuple(scan(text))


def parse(text: str, *, names: Container[str] | None = None) -> Formula:
    """Read a formula; `names` restricts what may be named (default: whatever can be the name of a measure).

    Raises FormulaError, which points at the character, on anything that is not a formula.
    """
    tree, used, targets = parse_tree(text, MEASURES if names is None else names)
    return Formula(text=text, names=used, targets=targets, tree=tree)
