"""What an indicator's formulas allow to say of its numbers, read off their trees: nothing is tried out or guessed."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from stream.formula import BoundFormula, Formula
from stream.formula_parser import Call, Chain, Name, Negated, Node, Number, Target
from stream.indicator import DEFAULT_POINTS, Indicator

FULL: Final = 100.0  # points of somebody who is on every target
_CAPPED: Final = "100*min(value/target,"


def goal_points(indicator: Indicator) -> float | None:
    """The points of somebody who is exactly on the target; None without a target, or without points for it."""
    if indicator.target is None or indicator.points is None:
        return None
    return points_at(indicator.points, indicator.target, indicator.target)


def rises(indicator: Indicator) -> bool | None:
    """Whether more of the value gives more points around the target; None where it makes no difference, or none is."""
    if indicator.target is None or indicator.points is None:
        return None
    less = indicator.target - 0.1 * max(abs(indicator.target), 1.0)
    here, there = goal_points(indicator), points_at(indicator.points, less, indicator.target)
    return None if here is None or there is None or here == there else here > there


def points_at(points: Formula, value: float, target: float) -> float | None:
    """What the rule gives for a value."""
    return _compiled(points)((value, target), {})


@lru_cache(maxsize=4096)
def _compiled(points: Formula) -> BoundFormula:
    return points.bind(("value", "target"))


@lru_cache(maxsize=4096)
def points_text(points: Formula) -> tuple[str | None, float | None]:
    """Of `default` and `capped` rules the name, and the most points that there can be; (None, None) of others."""
    text = points.text.replace(" ", "")
    if text == DEFAULT_POINTS.text.replace(" ", ""):
        return "default", None
    if text.startswith(_CAPPED) and text.endswith(")"):
        cap = text.removeprefix(_CAPPED).removesuffix(")")
        return ("capped", 100 * float(cap)) if cap.replace(".", "", 1).isdigit() else (None, None)
    return None, None


def points_rule(indicator: Indicator) -> tuple[str | None, float | None]:
    """How points are given, as the name of a sentence, and the most that there can be; None where no sentence fits."""
    if indicator.points is None:
        return "none", None
    rule, most = points_text(indicator.points)
    return (None, None) if rule == "capped" and goal_points(indicator) != FULL else (rule, most)


def is_plain_rate(indicator: Indicator) -> bool:
    """Whether the value is good / of and nothing else, both plain measures."""
    good, of = indicator.rate_good, indicator.rate_of
    if good is None or of is None:
        return False
    return indicator.value.tree == Chain(good.tree, (("/", of.tree),)) and isinstance(good.tree, Name)


def adds_up(value: Formula) -> bool:
    """Whether the value is a sum of measures: one more of it is one more."""
    tree = value.tree
    if isinstance(tree, Chain):
        return isinstance(tree.first, Name) and all(sign in "+-" and isinstance(x, Name) for sign, x in tree.rest)
    return isinstance(tree, Name)


def quotient(value: Formula) -> tuple[str, str] | None:
    """(measure, target) of `measure / target("name")`."""
    tree = value.tree
    if isinstance(tree, Chain) and isinstance(tree.first, Name) and len(tree.rest) == 1:
        sign, under = tree.rest[0]
        if sign == "/" and isinstance(under, Target):
            return tree.first.name, under.name
    return None


@lru_cache(maxsize=4096)
def is_mean(value: Formula) -> bool:
    """Whether twice of every measure gives the same value: then pooled sums give what the average person has."""
    return bool(value.names) and _degree(value.tree) == 0


def _degree(tree: Node) -> int | None:
    """By which power the value grows with the measures; None where there is none, or a personal target is in it."""
    if isinstance(tree, Number):
        return 0
    if isinstance(tree, Name):
        return 1
    if isinstance(tree, Negated):
        return _degree(tree.operand)
    if isinstance(tree, Call):
        return _same([_degree(argument) for argument in tree.arguments])
    if isinstance(tree, Chain):
        parts = [_degree(tree.first), *(_degree(operand) for _, operand in tree.rest)]
        if any(sign in "+-" for sign, _ in tree.rest):
            return _same(parts)
        return _together(parts, [1, *(1 if sign == "*" else -1 for sign, _ in tree.rest)])
    return None


def _together(parts: list[int | None], signs: list[int]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(sign * part for sign, part in zip(signs, known, strict=True)) if len(known) == len(parts) else None


def _same(parts: list[int | None]) -> int | None:
    return parts[0] if len(set(parts)) == 1 else None
