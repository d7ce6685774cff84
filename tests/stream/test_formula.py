"""Formulas: what is read, what is refused and where, and that the compiled function computes the tree's number."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.formula import Formula, FormulaError, parse
from stream.formula_parser import MAX_LENGTH, Call, Chain, Name, Negated, Node, Number, Target

NAMES = ("accepted", "inspected", "hours")
TARGETS = ("quota", "plan")


def value(text: str, targets: Mapping[str, float] | None = None, **values: float) -> float | None:
    """The number of a formula over these values."""
    return parse(text).bind(tuple(values))(tuple(values.values()), targets or {})


def refusal(text: str, **options: tuple[str, ...]) -> FormulaError:
    """The error that a text is refused with."""
    with pytest.raises(FormulaError) as caught:
        parse(text, **options)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accepted / inspected", 0.93),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("10 - 4 - 3", 3),
        ("100 / 10 / 2", 5),
        ("-accepted + 100", 7),
        ("2 * -3", -6),
        ("1 - -1", 2),
        ("min(3, accepted, 2, 7)", 2),
        ("max(3, accepted, 2)", 93),
        ("abs(3 - 5) * 2", 4),
        ("min(max(1, 2), abs(-3))", 2),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("100 * min(accepted / inspected / 0.5, 1.2)", 120),
        ("accepted\n  / inspected", 0.93),
        ("007", 7),
    ],
)
def test_arithmetic(text: str, expected: float) -> None:
    """Products bind before sums, both run from left to right, and functions nest."""
    assert expected == value(text, accepted=93, inspected=100)


def test_personal_target() -> None:
    """target("name") is read from the targets by its name, however it is spaced."""
    assert value('collected / target ( "quota" )', {"quota": 200.0}, collected=100) == 0.5


@pytest.mark.parametrize(
    "text",
    [
        "accepted / (inspected - 100)",
        'accepted / target("quota")',
        "1 / 0",
        "-1 / (0 * accepted)",
        " * ".join(["1" + "0" * 39] * 9),
        f"({' * '.join(['1' + '0' * 39] * 9)}) * 0",
    ],
)
def test_no_value(text: str) -> None:
    """A division by zero, a missing target and a result that is not finite give None, never an error or NaN."""
    assert value(text, accepted=93, inspected=100) is None


def test_whole_numbers_that_no_double_holds() -> None:
    """Integers beyond doubles give None instead of an OverflowError."""
    assert value("a", a=10**400) is None


def test_negative_zero_is_zero() -> None:
    """No formula yields -0.0, which would print as -0."""
    assert math.copysign(1, value("-a", a=0.0) or 0.0) == 1


def test_names_and_targets_in_order_of_appearance() -> None:
    """A formula lists each name and target once, in the order of the text."""
    formula = parse('b / a + target("y") * b - target("x")')
    assert (formula.names, formula.targets) == (("b", "a"), ("y", "x"))


def test_bind_follows_the_order_given() -> None:
    """Values are read at the place that bind's order gives their names."""
    assert parse("a - b").bind(("c", "b", "a"))((100.0, 1.0, 5.0), {}) == 4.0


def test_bind_without_a_needed_name() -> None:
    """An order that lacks a name is refused at binding, by name."""
    with pytest.raises(ValueError, match="inspected"):
        parse("accepted / inspected").bind(("accepted",))


def test_equal_by_text() -> None:
    """Formulas are equal, and hash alike, exactly when their texts are."""
    assert {parse("a + b")} == {parse("a + b")}
    assert parse("a + b") != parse("a+b")


@pytest.mark.parametrize(
    ("text", "values", "targets", "expected"),
    [
        ("accepted / inspected", {"accepted": 93.0, "inspected": 100.0}, {}, "93 / 100"),
        ('a / target("quota")', {"a": 0.1}, {"quota": 250.0}, "0.1 / 250"),
        ('a / target("quota")', {"a": 0.1}, {}, '0.1 / target("quota")'),
        ("a - b", {"a": 1e-06, "b": -3.0}, {}, "0.000001 - (-3)"),
        ("100 * min(value / target, 1.2)", {"value": 0.93, "target": 0.95}, {}, "100 * min(0.93 / 0.95, 1.2)"),
        ("a", {"a": math.inf}, {}, "a"),
        ("a", {"a": 1e22}, {}, "10000000000000000000000"),
        ("a", {"a": -0.0}, {}, "0"),
    ],
)
def test_substitute(text: str, values: dict[str, float], targets: dict[str, float], expected: str) -> None:
    """Numbers are put in as people write them; what has no number stays as written."""
    names = tuple(dict.fromkeys([*values, "a"]))
    assert expected == parse(text, names=names).substitute(values, targets)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "empty"),
        ("   ", 3, "empty"),
        ("a +", 3, "ends too early"),
        ("a b", 2, "unexpected 'b'"),
        ("a + + b", 4, "plus sign"),
        ("(a + b", 0, "not closed"),
        ("a)", 1, "without an opening"),
        ("a, b", 1, "comma outside"),
        ("(a, b)", 2, "comma outside"),
        ("min(a)", 0, "min of one argument"),
        ("abs(a, b)", 0, "abs of 2 arguments"),
        ("min()", 4, "unexpected ')'"),
        ("min", 0, "is a function"),
        ("sqrt(a)", 0, "unknown function"),
        ("a * target(quota)", 4, "double quotes"),
        ("target('quota')", 0, "double quotes"),
        ('target("Quota")', 8, "no name of a target"),
        ("target / a", 0, "unknown name"),
        ("Accepted", 0, "unknown name"),
        ("a" * 33, 0, "unknown name"),
        ("1e3", 1, "exponents"),
        ("1.", 1, "cannot go on"),
        (".5", 0, "unexpected character"),
        ("1.2.3", 3, "cannot go on"),
        ("2a", 1, "cannot go on"),
        ("9" * 41, 0, "more than 40 digits"),
        ("a × b", 2, "unexpected character"),
        ("a ** b", 3, "unexpected '*'"),
        ("a % b", 2, "unexpected character"),
        ("半成品 / a", 0, "unexpected character"),
        ("a; import os", 1, "unexpected character"),
        ("a.real", 1, "unexpected character"),
        ("__import__", 0, "unknown name"),
    ],
)
def test_errors_point_at_the_character(text: str, position: int, message: str) -> None:
    """A refusal names the character where reading stopped and says what is wrong and what to do."""
    error = refusal(text)
    assert position == error.position
    assert message in error.message
    assert error.remedy


def test_every_refusal_of_a_lookalike_names_the_plain_character() -> None:
    """Characters that a Chinese keyboard gives are refused with the plain one as the remedy."""
    for sign, plain in zip("×÷−（），", "*/-(),", strict=True):
        assert plain in refusal(f"a {sign} b").remedy


def test_restricted_names() -> None:
    """An unknown name is answered with the closest and with all that are allowed."""
    error = refusal("100 * vlaue / target", names=("value", "target"))
    assert error.position == 6
    assert error.remedy == "did you mean value? allowed here: target, value"


def test_names_of_points_are_no_measures() -> None:
    """Without a list of names, value and target are refused with where they belong."""
    assert "`points` only" in refusal("value * 2").remedy


def test_pointer() -> None:
    """The pointer's ^ stands under the character, also after wide characters and in a long text."""
    assert refusal("a + ) b").pointer() == "a + ) b\n    ^"
    assert refusal("a + " * 100 + ") b").pointer()[-62:] == "\n" + " " * 60 + "^"
    assert refusal("a × b").pointer() == "a × b\n  ^"
    assert FormulaError("x", 2, "品质+").pointer() == "品质+\n    ^"


@pytest.mark.parametrize("text", ["(" * 10_000, "-" * 10_000 + "a", "min(1," * 10_000, "abs(" * 200 + "a" + ")" * 200])
def test_depth_is_limited(text: str) -> None:
    """A formula nested without end is a clear error, not a RecursionError."""
    error = refusal(text)
    assert "nested" in error.message or f"{len(text)} characters" in error.message


def test_depth_is_that_of_the_deepest_place() -> None:
    """32 parentheses inside each other are read, 33 are not; beside each other any number may stand."""
    assert value("(" * 32 + "7" + ")" * 32, a=0) == 7
    assert refusal("(" * 33 + "7" + ")" * 33).position == 32
    assert value("+".join(["(-abs(1))"] * 90), a=0) == -90


def test_the_longest_chain_computes() -> None:
    """A sum as long as a formula may be is compiled and computed."""
    assert value("1" + "+1" * (MAX_LENGTH // 2 - 1), a=0) == MAX_LENGTH / 2


def trees(signs: tuple[str, ...], leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Random trees whose chains use these signs, "+-" or "*/" or parts of them."""

    def grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        chains = [
            st.builds(
                Chain, inner, st.lists(st.tuples(st.sampled_from(group), inner), min_size=1, max_size=3).map(tuple)
            )
            for group in signs
        ]
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        calls = [st.builds(Call, st.sampled_from(["min", "max"]), several)]
        return st.one_of(*chains, *calls, *([st.builds(Negated, inner)] if "+-" in signs else []))

    return st.recursive(leaves, grown, max_leaves=10)


decimals = st.decimals(-1000, 1000, places=3).map(float)
leaves: st.SearchStrategy[Node] = st.one_of(
    decimals.map(abs).map(Number), st.sampled_from(NAMES).map(Name), st.sampled_from(TARGETS).map(Target)
)
any_tree = trees(("+-", "*/"), leaves)
values_of_names = st.fixed_dictionaries(dict.fromkeys(NAMES, decimals))
some_targets = st.dictionaries(st.sampled_from(TARGETS), decimals)
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "min": min,
    "max": max,
}


def written(node: Node) -> str:
    """A tree as text, with every parenthesis written."""
    match node:
        case Number(value):
            return f"{value:.3f}"
        case Name(name):
            return name
        case Target(name):
            return f'target("{name}")'
        case Negated(operand):
            return f"(-{written(operand)})"
        case Chain(first, rest):
            return f"({written(first)}{''.join(f' {sign} {written(operand)}' for sign, operand in rest)})"
        case Call(function, arguments):
            return f"{function}({', '.join(written(argument) for argument in arguments)})"


def walked(node: Node, values: Mapping[str, Any], targets: Mapping[str, Any], kind: Callable[[float], Any]) -> Any:
    """The tree's number by walking it, with numbers of the given kind."""
    match node:
        case Number(value):
            return kind(value)
        case Name(name):
            return values[name]
        case Target(name):
            return targets[name]
        case Negated(operand):
            return -walked(operand, values, targets, kind)
        case Chain(first, rest):
            result = walked(first, values, targets, kind)
            for sign, operand in rest:
                result = OPERATORS[sign](result, walked(operand, values, targets, kind))
            return result
        case Call(function, arguments):
            return functools.reduce(OPERATORS[function], [walked(one, values, targets, kind) for one in arguments])


def expected_number(tree: Node, values: Mapping[str, float], targets: Mapping[str, float]) -> float | None:
    """What a walk in doubles gives; None where it fails or is not finite."""
    try:
        result = float(walked(tree, values, targets, float))
    except (ZeroDivisionError, KeyError, OverflowError):
        return None
    return result if math.isfinite(result) else None


@settings(deadline=None)
@given(any_tree, values_of_names, some_targets)
def test_compiled_equals_walked(tree: Node, values: dict[str, float], targets: dict[str, float]) -> None:
    """The compiled function gives, to the last bit, what walking the tree in doubles gives."""
    formula = read_back(written(tree))
    if formula is not None:
        result = formula.bind(NAMES)([values[name] for name in NAMES], targets)
        assert expected_number(tree, values, targets) == result


@settings(deadline=None)
@given(any_tree, values_of_names, some_targets)
def test_substituted_equals_bound(tree: Node, values: dict[str, float], targets: dict[str, float]) -> None:
    """The formula with numbers put in is a formula of the same value."""
    formula = read_back(written(tree))
    substituted = read_back(formula.substitute(values, targets)) if formula else None
    if formula is not None and substituted is not None:
        result = formula.bind(NAMES)([values[name] for name in NAMES], targets)
        assert substituted.names == ()
        assert result == substituted.bind(())((), targets)


positive = st.decimals("0.001", 1000, places=3)
positive_leaves: st.SearchStrategy[Node] = st.one_of(
    positive.map(float).map(Number), st.sampled_from(NAMES).map(Name), st.sampled_from(TARGETS).map(Target)
)


@settings(deadline=None)
@given(
    trees(("+", "*/"), positive_leaves),
    st.fixed_dictionaries(dict.fromkeys(NAMES, positive)),
    st.fixed_dictionaries(dict.fromkeys(TARGETS, positive)),
)
def test_agrees_with_exact_fractions(tree: Node, values: dict[str, Decimal], targets: dict[str, Decimal]) -> None:
    """Where nothing cancels, the result is the exact fraction's within 1e-12."""
    formula = read_back(written(tree))
    if formula is not None:
        exact = walked(tree, fractions(values), fractions(targets), thousandths)
        result = formula.bind(NAMES)([float(values[n]) for n in NAMES], {n: float(x) for n, x in targets.items()})
        assert result == pytest.approx(float(exact), rel=1e-12)


def fractions(numbers: Mapping[str, Decimal]) -> dict[str, Fraction]:
    """The same numbers, exact."""
    return {name: Fraction(number) for name, number in numbers.items()}


def thousandths(number: float) -> Fraction:
    """The decimal of three places that a double stands for."""
    return Fraction(round(number * 1000), 1000)


def read_back(text: str) -> Formula | None:
    """The formula of a text, None when it is longer than a formula may be."""
    return parse(text) if len(text) <= MAX_LENGTH else None


pieces = st.sampled_from(
    [*"+-*/(),.\"' \n", "min(", "abs(", 'target("', '")', "a", "1", "0.5", "value", "e", "×", "半"]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(pieces).map("".join), st.text(alphabet="()+-1a,", min_size=30, max_size=1100)))
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    """No text makes parse raise anything but a FormulaError that points into the text."""
    error = None
    try:
        formula = parse(text)
        formula.bind(formula.names)([1.0] * len(formula.names), dict.fromkeys(formula.targets, 2.0))
    except FormulaError as refused:
        error = refused
    assert error is None or 0 <= error.position <= len(text)
    assert error is None or error.pointer().splitlines()[-1].endswith("^")
