"""Formulas are arithmetic in doubles; what cannot be computed has no value."""

import pytest

from agents.oracle.formula import Formula, FormulaError

NAMES = {"a": 6.0, "b": 4.0, "zero": 0.0, "missing": None}
TARGETS = {"daily_units": 120.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 6.0),
        ("2", 2.0),
        ("0.5", 0.5),
        ("a + b * 2", 14.0),
        ("(a + b) * 2", 20.0),
        ("a - b - 1", 1.0),
        ("a / b / 2", 0.75),
        ("a / (b / 2)", 3.0),
        ("-a + b", -2.0),
        ("a - -b", 10.0),
        ("a * -2", -12.0),
        ("--a", 6.0),
        ("-(a + b)", -10.0),
        ("min(a, b, 5)", 4.0),
        ("max(a, b, 5)", 6.0),
        ("abs(b - a)", 2.0),
        ("min(abs(-9), a) + max(1, 2)", 8.0),
        ('target("daily_units") / a', 20.0),
        ('100 * min(a / target("daily_units"), 1.2)', 5.0),
        ("100*min(a/b,1.2)", 120.0),
        ("  a\t+\n b ", 10.0),
    ],
)
def test_formula_has_the_value_of_school_arithmetic(text: str, value: float) -> None:
    """Products bind tighter than sums, both from left to right; the minus sign binds tightest."""
    assert value == Formula(text).value(NAMES, TARGETS)


@pytest.mark.parametrize(
    "text",
    [
        "a / zero",
        "a / (b - 4)",
        "zero / zero",
        "missing",
        "unknown + 1",
        'target("other")',
        'min(1, target("other"))',
        "1 / (1 / zero)",
        "*".join(["1000000000000"] * 30),
        "*".join(["1000000000000"] * 30) + " - " + "*".join(["1000000000000"] * 30),
    ],
)
def test_formula_without_an_answer_has_no_value(text: str) -> None:
    """A division by zero, a missing number and a result that is not finite are no value."""
    assert Formula(text).value(NAMES, TARGETS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a +",
        "a b",
        "2a",
        "(a",
        "a)",
        "a ** 2",
        "a % 2",
        "a // b",
        "A",
        "min",
        "min()",
        "abs(a, b)",
        "sqrt(a)",
        "target(a)",
        "target()",
        'target("a", "b")',
        'target("a)',
        "a; b",
        "__import__('os')",
        ".",
        "a.b",
    ],
)
def test_text_that_is_no_formula_is_an_error(text: str) -> None:
    """Nothing beyond the contract's arithmetic is accepted."""
    with pytest.raises(FormulaError):
        Formula(text)


def test_names_come_in_order_of_appearance() -> None:
    """The names of a formula are those of its sums, each once, functions and personal targets not among them."""
    assert Formula('b / max(a, b) * target("x")').names == ("b", "a")
