"""Two sets of rows agree when counts and sums are equal and derived numbers lie within 1e-9 of each other."""

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from agents.oracle.alerts import UNSAID, Alert
from agents.oracle.behind import ENDED
from agents.oracle.instants import parse_instant
from agents.oracle.log import MICRO
from agents.oracle.units import UnitAlerts

RELATIVE = 1e-9
NEAR_ZERO = 1e-12  # absolute: what is left of 1 - 1 in doubles

_EXACT = ("version", "status", "n", "good")
_INSTANTS = ("window_start", "as_of")
_DERIVED = ("value", "points", "low", "high")

Key = tuple[object, object, object, object]


class Difference(NamedTuple):
    """One field of one row that differs; of field "row" actual None is a missing row, expected None an extra one."""

    employee: object
    template: object
    indicator: object
    window: object
    field: str
    expected: object
    actual: object


def differences(expected: Iterable[Mapping[str, object]], actual: Iterable[Mapping[str, object]]) -> list[Difference]:
    """Every difference between the oracle's rows and another's, by key and field.

    Times may be ms or RFC 3339 text on either side; numbers int, float or Decimal. Where a row has `sums_micro` or
    `allowance_micro` (exact millionths) it stands for `sums` or `allowance`. A row with a case mix has `allowance` and
    `adjusted`, on both sides; another has neither.
    """
    found: list[Difference] = []
    wanted, given = _by_key(expected, found), _by_key(actual, found)
    for key in sorted(wanted.keys() | given.keys(), key=repr):
        left, right = wanted.get(key), given.get(key)
        if left is None or right is None:
            found.append(Difference(*key, "row", left, right))
        else:
            found += (Difference(*key, *difference) for difference in _of_row(left, right))
    return found


def alert_differences(expected: Iterable[Alert], actual: Iterable[Mapping[str, object]]) -> list[Difference]:
    """Every difference between the oracle's alerts and another's rows, of the last word on each: by id and field.

    What people cleared was cleared when they did, which is looked at of a unit's own alerts only.
    """
    found: list[Difference] = []
    wanted = {alert.alert_id: alert._asdict() for alert in expected}
    given = {str(row["alert_id"]): row for row in actual}
    for alert_id in sorted(wanted.keys() | given.keys()):
        left, right = wanted.get(alert_id), given.get(alert_id)
        named = left or right or {}
        key = (named.get("employee", named.get("employee_id")), named["template"], named["indicator"], named["window"])
        if left is None or right is None:
            found.append(Difference(*key, f"alert {alert_id}", left, right))
            continue
        by_hand = right["cleared_at"] is not None and bool(right["by"] or right["reason"] not in _decided(left))
        if left["state"] and left["state"] != right["state"]:
            found.append(Difference(*key, f"alert {alert_id} state", left["state"], right["state"]))
        if right["cleared_at"] is not None and not by_hand and left["reason"] != right["reason"]:
            found.append(Difference(*key, f"alert {alert_id} reason", left["reason"], right["reason"]))
        if left["escalated_at"] != UNSAID and not _same_or_none(left["escalated_at"], right["escalated_at"]):
            found.append(
                Difference(*key, f"alert {alert_id} escalated_at", left["escalated_at"], right["escalated_at"])
            )
        for fields, agree in _OF_ALERTS:
            found += (
                Difference(*key, f"alert {alert_id} {field}", left[field], right[_THEIRS.get(field, field)])
                for field in fields
                if not agree(left[field], right[_THEIRS.get(field, field)])
                and not (field == "cleared_at" and by_hand and not left["state"])
            )
    return found


def fold_differences(expected: UnitAlerts, actual: Iterable[Mapping[str, object]]) -> list[Difference]:
    """Every row that says of another unit's alert that it stands for it than the oracle does.

    How soon a member's alert hears of it is nobody's to say: of one that is over any that ever stood for it is right.
    """
    found: list[Difference] = []
    for row in actual:
        name = str(row["alert_id"])
        stands, given = expected.stands.get(name), row["folded_into"]
        if row["cleared_at"] is None and given != stands:
            wrong: object = stands
        elif row["cleared_at"] is not None and given is not None and given not in expected.stood.get(name, ()):
            wrong = sorted(expected.stood.get(name, ()))
        else:
            continue
        key = (row["employee_id"], row["template"], row["indicator"], row["window"])
        found.append(Difference(*key, f"alert {name} folded_into", wrong, given))
    return found


def _decided(alert: Mapping[str, object]) -> tuple[object, ...]:
    """The reasons with which the log itself ends an alert: others are people's, or follow from what they have done."""
    of_a_unit = alert["first_event"] == "" and alert["value"] is not None
    return ("", ENDED) if of_a_unit else ("", "shift-over")


def _by_key(rows: Iterable[Mapping[str, object]], found: list[Difference]) -> dict[Key, Mapping[str, object]]:
    keyed: dict[Key, Mapping[str, object]] = {}
    for row in rows:
        key = (row["employee_id"], row["template"], row["indicator"], row["window"])
        if key in keyed:
            found.append(Difference(*key, "row", "one row", "the row occurs twice"))
        keyed[key] = row
    return keyed


def _of_row(expected: Mapping[str, object], actual: Mapping[str, object]) -> list[tuple[str, object, object]]:
    rules: list[tuple[tuple[str, ...], Callable[[object, object], bool]]] = [
        (_EXACT, _same), (_INSTANTS, _same_instant), (_DERIVED, _close),
    ]  # fmt: skip
    found = [
        (field, expected.get(field), actual.get(field))
        for fields, agree in rules
        for field in fields
        if field not in expected or field not in actual or not agree(expected[field], actual[field])
    ]
    left, right = _sums(expected), _sums(actual)
    found += (
        (f"sums.{measure}", _shown(left.get(measure)), _shown(right.get(measure)))
        for measure in sorted(left.keys() | right.keys())
        if not _same(left.get(measure), right.get(measure))
    )
    return found + _of_case_mix(expected, actual)


def _of_case_mix(expected: Mapping[str, object], actual: Mapping[str, object]) -> list[tuple[str, object, object]]:
    found: list[tuple[str, object, object]] = []
    for field, agree in (("allowance", _same), ("adjusted", _close)):
        left, right = _exact(expected, field), _exact(actual, field)
        if (field in expected) != (field in actual) or (field in expected and not agree(left, right)):
            found.append((field, _shown(left), _shown(right)))
    return found


def _exact(row: Mapping[str, object], field: str) -> object:
    micro = row.get(f"{field}_micro")
    return Fraction(micro, MICRO) if isinstance(micro, int) else row.get(field)


def _sums(row: Mapping[str, object]) -> dict[str, object]:
    micro, sums = row.get("sums_micro"), row.get("sums")
    if isinstance(micro, Mapping):
        return {measure: Fraction(amount, MICRO) for measure, amount in micro.items()}
    return dict(sums) if isinstance(sums, Mapping) else {}


def _shown(amount: object) -> object:
    return float(amount) if isinstance(amount, Fraction) else amount


def _number(value: object) -> int | float | Fraction | None:
    """A number as one that compares exactly; None for anything else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        return None
    if isinstance(value, Decimal):
        return Fraction(value) if value.is_finite() else float(value)
    return value


def _same(expected: object, actual: object) -> bool:
    """Equal by value; where one side is a double, the double nearest to the other side."""
    left, right = _number(expected), _number(actual)
    if left is None or right is None:
        return left is right and type(expected) is type(actual) and expected == actual
    if isinstance(left, float) or isinstance(right, float):
        return float(left) == float(right)
    return left == right


def _same_instant(expected: object, actual: object) -> bool:
    left, right = (parse_instant(side) if isinstance(side, str) else side for side in (expected, actual))
    return left is not None and _same(left, right)


def _close(expected: object, actual: object) -> bool:
    left, right = _number(expected), _number(actual)
    if left is None or right is None:
        return expected is None and actual is None
    # isclose is false for a NaN on either side, which is a difference.
    return math.isclose(left, right, rel_tol=RELATIVE, abs_tol=NEAR_ZERO)


def _same_or_none(expected: object, actual: object) -> bool:
    return expected is actual or (expected is not None and actual is not None and _same_instant(expected, actual))


_THEIRS = {"employee": "employee_id"}
_OF_ALERTS: list[tuple[tuple[str, ...], Callable[[object, object], bool]]] = [
    (("rule", "employee", "unit", "indicator", "template", "version", "severity"), _same),
    (("window", "first_event", "last_event"), _same),
    (("raised_at", "window_start"), _same_instant),
    (("cleared_at",), _same_or_none),
    (("value", "n", "good", "threshold"), _close),
]
