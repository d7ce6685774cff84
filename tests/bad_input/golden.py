"""golden.tsv: one line per case, its name and `accepted` or the reason of its rejection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from agents.transport.murmur2 import partition_for
from schemas.event import Event, Rejection, decode_one
from tests.bad_input.case import PARTITIONS, Case
from tests.bad_input.numbers import number_cases
from tests.bad_input.shapes import byte_cases, field_cases, place_cases, text_cases
from tests.bad_input.suites import json_suite_cases, json_suite_is_here, naughty_cases
from tests.bad_input.times import time_cases

GOLDEN: Final = Path(__file__).with_name("golden.tsv")
ACCEPTED: Final = "accepted"


def all_cases() -> Iterator[Case]:
    """Every case that can be made here; those of the JSON suite only when it is here."""
    yield from byte_cases()
    yield from field_cases()
    yield from text_cases()
    yield from place_cases()
    yield from time_cases()
    yield from number_cases()
    yield from naughty_cases()
    if json_suite_is_here():
        yield from json_suite_cases()


def decide(case: Case) -> Event | Rejection:
    """What the product says about a case on its own."""
    return decode_one(
        case.value, case.key, case.topic, case.timestamp, lambda key: partition_for(key, PARTITIONS) == case.partition
    )


def verdict(found: Event | Rejection) -> str:
    """`accepted` or the reason."""
    return found.reason if isinstance(found, Rejection) else ACCEPTED


def content(event: Event) -> tuple[object, ...]:
    """All that a decision may depend on, whichever way the event was read."""
    return (
        event.event_id, event.type, event.employee_id, event.occurred_at, event.source, event.measures.micro,
        event.dims.values, event.corrects, event.digest, event.timestamp,
    )  # fmt: skip


def read_golden() -> dict[str, str]:
    """Case name -> verdict, as a person has agreed to it."""
    lines = (line.partition("\t") for line in GOLDEN.read_text("utf-8").splitlines())
    return {name: said for name, _, said in lines}


def write_golden(verdicts: Mapping[str, str]) -> None:
    """Replaces golden.tsv; names are ASCII without tabs, so that a diff shows what a case is."""
    GOLDEN.write_text("".join(f"{name}\t{verdict}\n" for name, verdict in verdicts.items()), "utf-8")


def verdicts(cases: Iterable[Case]) -> dict[str, str]:
    """The product's verdict on every case."""
    return {case.name: verdict(decide(case)) for case in cases}
