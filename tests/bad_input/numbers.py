"""Numbers at their boundaries: as a measure, in the counts of an inspection, in the differences of a correction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tests.bad_input.case import GOOD, INSPECTION, Case, encode, spliced

NUMBERS: Final = (
    "0", "-0", "0.0", "-0.0", "1", "-1", "1.0", "1e0", "1E+0", "0.1", "0.30000000000000004", "0.3", "0.7", "1e-6",
    "1e-7", "0.000001", "0.0000001", "0.0000010", "-1e-6", "0.0000005", "1.0000001", "1.000001", "123456789.123456",
    "123456789.1234567", "999999999.999999", "999999999.9999999", "999999999.99999999", "1000000000", "1000000000.0",
    "1e9", "-1e9", "1000000000.000001", "1000000000.0000001", "1000000001", "-1000000001", "1e10", "1e308", "1e309",
    "1e400", "-1e400", "1e-400", "5e-324", "1e-323", "0e400", "0.0e-999999", "9007199254740993",
    "18446744073709551616", "9" * 308, "9" * 309, "9" * 400, "9" * 5000, "1" + "0" * 400, "-" + "9" * 400,
    "0." + "0" * 500 + "1", "1." + "0" * 500, "0." + "3" * 500, "1e00000000000000000001", "1e99999999999999999999",
    "1e-99999999999999999999", "NaN", "Infinity", "-Infinity", "nan", "inf", "1_0", "1__0", "01", "-01", "+1", ".5",
    "5.", "1e", "1e+", "0x10", "0b1", "0o7", "1 000", "1,5", "--1", "- 1", "1f", "1n", "٤٢", "４２", "\u00bd",
    "\u2212" + "1", "true", "false", "null", '"1"', '"1.5"', '"٤٢"', '"NaN"', "[1]", '{"n":1}', "[]", "{}", '""',
)  # fmt: skip

NAMES: Final = (
    "a", "z9_", "a" * 32, "a" * 33, "", "A", "aB", "9a", "_a", "a-b", "a.b", "a b", "a\n", "a\u0000", "\u00e4",
    "\u0430", "\u4e2d", "a\ud800", "min", "max", "abs", "target", "value", "minimum", "targets", "inspected",
    "__class__", "e", "nan", "inf",
)  # fmt: skip

CORRECTION: Final[Mapping[str, object]] = {**INSPECTION, "corrects": "pol-8845-1"}

COUNTS: Final[Mapping[str, Mapping[str, object]]] = {
    "all": {"inspected": 10, "accepted": 9, "reworked": 1, "scrapped": 1},
    "required_only": {"inspected": 10, "accepted": 9},
    "none": {},
    "no_inspected": {"accepted": 9},
    "no_accepted": {"inspected": 9},
    "zero": {"inspected": 0, "accepted": 0, "reworked": 0, "scrapped": 0},
    "accepted_of_none": {"inspected": 0, "accepted": 1},
    "accepted_all": {"inspected": 10, "accepted": 10, "reworked": 10},
    "accepted_too_many": {"inspected": 10, "accepted": 11},
    "reworked_too_many": {"inspected": 10, "accepted": 5, "reworked": 6},
    "scrapped_all_rest": {"inspected": 10, "accepted": 5, "scrapped": 5},
    "scrapped_too_many": {"inspected": 10, "accepted": 5, "scrapped": 6},
    "negative_inspected": {"inspected": -1, "accepted": -1},
    "negative_accepted": {"inspected": 10, "accepted": -1},
    "negative_reworked": {"inspected": 10, "accepted": 9, "reworked": -1},
    "negative_scrapped": {"inspected": 10, "accepted": 9, "scrapped": -1},
    "half_inspected": {"inspected": 10.5, "accepted": 9},
    "half_accepted": {"inspected": 10, "accepted": 9.5},
    "half_reworked": {"inspected": 10, "accepted": 9, "reworked": 0.5},
    "half_scrapped": {"inspected": 10, "accepted": 9, "scrapped": 0.5},
    "whole_doubles": {"inspected": 10.0, "accepted": 9.0},
    "minus_zero": {"inspected": -0.0, "accepted": -0.0},
    "largest": {"inspected": 1_000_000_000, "accepted": 1_000_000_000},
    "too_large": {"inspected": 1_000_000_001, "accepted": 1},
    "further_half": {"inspected": 10, "accepted": 9, "minutes": 0.5},
    "further_negative": {"inspected": 10, "accepted": 9, "delta": -3},
}


def number_cases() -> Iterator[Case]:
    """Numbers and names of measures; the rules of qc.inspection, with and without `corrects`."""
    for number in NUMBERS:
        name = ascii(number)[1:-1] if len(number) < 50 else f"{number[:3]}..{number[-3:]} x {len(number)}"
        yield Case(f"number/measure/{name}", spliced("measures", b'{"amount":' + number.encode() + b"}"))
        counted = b'{"inspected":' + number.encode() + b',"accepted":0}'
        yield Case(f"number/inspected/{name}", spliced("measures", counted, INSPECTION), topic="qc-events")
    for measure in NAMES:
        name = ascii(measure)[1:-1] if len(measure) < 30 else f"{measure[0]} x {len(measure)}"
        yield Case(f"number/name/{name}", encode({**GOOD, "measures": {measure: 1}}))
    for many in (0, 31, 32, 33, 1000):
        yield Case(f"number/names/{many}", encode({**GOOD, "measures": {f"m{n}": n for n in range(many)}}))
    for name, counts in COUNTS.items():
        yield Case(f"inspection/{name}", encode({**INSPECTION, "measures": counts}), topic="qc-events")
        yield Case(f"correction/{name}", encode({**CORRECTION, "measures": counts}), topic="qc-events")
