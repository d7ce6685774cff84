"""From a tree to a function: the code is written from the tree alone, so no text of a user is ever executed.

`min` and `max` become comparisons in place, with the same result as the built-in functions: a call would
cost more than the rest of a usual formula. The final `+ 0.0` makes a whole number a double and -0.0 plain 0.0;
`r - r` is 0.0 for finite numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

from stream.formula_parser import Call, Chain, Name, Negated, Node, Number, Target

SOURCE = """\
def formula(values, targets):
    try:
        r = {expression} + 0.0
    except (ZeroDivisionError, KeyError, OverflowError):
        return None
    return r if r - r == 0.0 else None
"""


def compile_tree(
    tree: Node, places: Mapping[str, int]
) -> Callable[[Sequence[float], Mapping[str, float]], float | None]:
    """A function of (values, targets); a name is read from `values` at its place. See `Formula.bind`."""
    source = SOURCE.format(expression=_Writer(places).write(tree))
    namespace: dict[str, Callable[[Sequence[float], Mapping[str, float]], float | None]] = {}
    exec(compile(source, "<formula>", "exec"), {"__builtins__": {}, "abs": abs, **_ERRORS}, namespace)
    return namespace["formula"]


_ERRORS = {error.__name__: error for error in (ZeroDivisionError, KeyError, OverflowError)}


class _Writer:
    def __init__(self, places: Mapping[str, int]) -> None:
        self.places = places
        self.temporaries = count()

    def write(self, node: Node) -> str:
        match node:
            case Number(value):
                return repr(value)
            case Name(name):
                return f"values[{self.places[name]}]"
            case Target(name):
                return f"targets[{name!r}]"
            case Negated(operand):
                return f"(-{self.write(operand)})"
            case Chain(first, rest):
                return f"({self.write(first)}{''.join(f' {sign} {self.write(operand)}' for sign, operand in rest)})"
            case Call("abs", arguments):
                return f"abs({self.write(arguments[0])})"
            case Call(function, arguments):
                return self.extreme(">" if function == "min" else "<", [self.write(node) for node in arguments])

    def extreme(self, comparison: str, arguments: list[str]) -> str:
        best = arguments[0]
        for challenger in arguments[1:]:
            old, new = f"t{next(self.temporaries)}", f"t{next(self.temporaries)}"
            best = f"({new} if ({old} := {best}) {comparison} ({new} := {challenger}) else {old})"
        return best
