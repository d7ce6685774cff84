"""A measure is an integer of a millionth of a unit: sums are exact, whatever their order."""

import re

from agents.oracle.log import MICRO

LARGEST = 1_000_000_000
MOST = 32

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_RESERVED = frozenset({"min", "max", "abs", "target", "value"})


def is_measure(name: str) -> bool:
    """Whether a measure may have this name."""
    return name not in _RESERVED and _NAME.fullmatch(name) is not None


def read_measures(raw: dict[str, object]) -> dict[str, int] | None:
    """The measures in millionths; None when a name or a number is none, the wrong JSON type of a number included."""
    if len(raw) > MOST or not all(map(is_measure, raw)):
        return None
    measures: dict[str, int] = {}
    for name, number in raw.items():
        amount = millionths(number)
        if amount is None:
            return None
        measures[name] = amount
    return measures


def millionths(number: object) -> int | None:
    """A number as JSON has it, in millionths; None when it is none, too large or not its own rounding."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    if not abs(number) <= LARGEST:  # so written, NaN would not pass either
        return None
    if isinstance(number, int):
        return number * MICRO
    rounded = f"{number:.6f}"
    return int(rounded.replace(".", "")) if float(rounded) == number else None


def is_consistent(measures: dict[str, int]) -> bool:
    """The rules of qc.inspection, over its four counts; further measures are free."""
    if "inspected" not in measures or "accepted" not in measures:
        return False
    inspected, accepted = measures["inspected"], measures["accepted"]
    reworked, scrapped = measures.get("reworked", 0), measures.get("scrapped", 0)
    counts = (inspected, accepted, reworked, scrapped)
    whole = all(count >= 0 and count % MICRO == 0 for count in counts)
    return whole and accepted <= inspected and reworked <= accepted and scrapped <= inspected - accepted
