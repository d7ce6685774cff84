"""Case mix: what work of one kind usually gives, as a model in the log says it; each unit counts against that.

ARCHITECTURE.md, Case mix. Shares are in millionths here, so that what is added up is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.event import Rejection, parse_object
from schemas.instants import HOUR, instant_of
from schemas.measures import MICRO, clean_text, micro_of

PREFIX: Final = "case-mix:"
NOTICE: Final = HOUR  # a model takes effect so long after its log time, so that everybody knows it by then
MAX_DIMS: Final = 4


class Mix(NamedTuple):
    """Of a unit: what is expected of all work on average, and of work of its kind, as shares of good units."""

    base: int
    expected: int


EVEN: Final = Mix(0, 0)  # nothing is known of this kind


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What an indicator's work usually gives, from `effective_from` (ms) on, by the dims `by`, the coarsest first."""

    template: str
    indicator: str
    number: int
    effective_from: int
    by: tuple[str, ...]
    base: int
    cells: Mapping[tuple[str, ...], int]

    @property
    def key(self) -> str:
        """Its key in the log."""
        return model_key(self.template, self.indicator, self.number)

    def mix(self, dims: Mapping[str, str]) -> Mix:
        """Of work with these dims: the finest cell that is known."""
        expected = self.base
        for kind in kinds_of(dims, self.by):
            expected = self.cells.get(kind, expected)
        return Mix(self.base, expected)


def kinds_of(dims: Mapping[str, str], by: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The kinds of work that these dims belong to, the coarsest first; up to the first dim that is lacking."""
    kind: tuple[str, ...] = ()
    for name in by:
        if name not in dims:
            return
        kind = (*kind, dims[name])
        yield kind


def model_key(template: str, indicator: str, number: int) -> str:
    """The key of a model in the log."""
    return f"{PREFIX}{template}/{indicator}@{number}"


@lru_cache(maxsize=4096)
def read_model(key: bytes, value: bytes | None) -> Model:
    """The model in a record; ValueError says what is wrong with it."""
    said = parse_object(value)
    if isinstance(said, Rejection):
        raise ValueError(said.detail)
    by = tuple(_text(said, "by", name) for name in _list(said, "by"))
    if not 1 <= len(by) <= MAX_DIMS or len(set(by)) < len(by) or not all(map(clean_text, by)):
        raise ValueError(f"by: {by!r} is not one to {MAX_DIMS} names of dims, each once")
    model = Model(
        _text(said, "template", said.get("template")),
        _text(said, "indicator", said.get("indicator")),
        _number(said),
        _effect(said),
        by,
        _share(said, "base"),
        _cells(said, len(by)),
    )
    if key != model.key.encode():
        raise ValueError(f"key {key!r} is not {model.key!r}")
    return model


def _list(said: Mapping[str, object], field: str) -> list[object]:
    found = said.get(field)
    if not isinstance(found, list):
        raise ValueError(f"{field}: {found!r} is not a list")
    return found


def _text(said: Mapping[str, object], field: str, found: object) -> str:
    if not isinstance(found, str):
        raise ValueError(f"{field}: {found!r} is not text")
    return found


def _number(said: Mapping[str, object]) -> int:
    micro = micro_of(said.get("number"))
    if micro is None or micro < MICRO or micro % MICRO:
        raise ValueError(f"number: {said.get('number')!r} is not a whole number from 1 on")
    return micro // MICRO


def _effect(said: Mapping[str, object]) -> int:
    at = instant_of(said.get("effective_from"))
    if at is None:
        raise ValueError(f"effective_from: {said.get('effective_from')!r} is not RFC 3339 with zone from 2000 to 2100")
    return at


def _cells(said: Mapping[str, object], most: int) -> dict[tuple[str, ...], int]:
    cells: dict[tuple[str, ...], int] = {}
    for cell in _list(said, "cells"):
        if not isinstance(cell, dict):
            raise ValueError(f"cells: {cell!r} is not an object")
        dims = tuple(_text(cell, "dims", name) for name in _list(cell, "dims"))
        if not 1 <= len(dims) <= most:
            raise ValueError(f"cells: dims {dims!r} are not one to {most}")
        if dims in cells:
            raise ValueError(f"cells: dims {dims!r} twice")
        cells[dims] = _share(cell, "expected")
    return cells


def _share(said: Mapping[str, object], field: str) -> int:
    micro = micro_of(said.get(field))
    if micro is None or not 0 < micro < MICRO:
        raise ValueError(f"{field}: {said.get(field)!r} is not above 0 and below 1 with at most six decimals")
    return micro


def why_not_after(model: Model, last: Model | None, logged: int) -> str | None:
    """What is wrong with a model after the last valid one of its indicator; None when it is the next one."""
    number = 1 if last is None else last.number + 1
    if model.number != number:
        return f"number: {model.number} is not {number}, the next one"
    if model.effective_from < logged + NOTICE:
        return "effective_from: is not an hour after the record's log time"
    if last is not None and model.effective_from <= last.effective_from:
        return f"effective_from: is not later than that of number {last.number}"
    return None


def in_force(models: Iterable[Model], at: int) -> Model | None:
    """The last that is in effect at an instant (ms) of an indicator's models in their order."""
    return next((model for model in reversed(list(models)) if model.effective_from <= at), None)


@lru_cache(maxsize=65_536)
def risk_of(good: float, mix: Mix) -> float:
    """The probability that a unit is defective when all is well, of a rule whose share `good` is that of all work."""
    base, expected = mix.base / MICRO, mix.expected / MICRO
    odds = (1 - good) / good * (1 - expected) * base / (expected * (1 - base))
    return odds / (1 + odds)
