"""A number is shown as people write it: shortest decimal that reads back as the same double, never an exponent."""

from decimal import Decimal


def plain(number: float) -> str:
    """`93.0` -> `93`, `0.1` -> `0.1`, `1e-06` -> `0.000001`; a finite number is assumed."""
    text = format(Decimal(repr(float(number))), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
