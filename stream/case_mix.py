"""Case mix: what work of one kind usually gives, as a model in the log says it; each unit counts against that.

ARCHITECTURE.md, Case mix. Shares are in millionths here, so that what is added up is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from schemas.instants import HOUR, instant_of
from schemas.measures import MICRO, micro_of

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
        expected, kind = self.base, list[str]()
        for name in self.by:
            if name not in dims:
                break
            kind.append(dims[name])
            expected = self.cells.get(tuple(kind), expected)
        return Mix(self.base, expected)


def model_key(template: str, indicator: str, number: int) -> str:
    """The key of a model in the log."""
    return f"{PREFIX}{template}/{indicator}@{number}"


class _Cell(msgspec.Struct):
    dims: list[str]
    expected: float


class _Said(msgspec.Struct):
    template: str
    indicator: str
    number: int
    effective_from: str | int | float
    by: list[str]
    base: float
    cells: list[_Cell]


_decoder: Final = msgspec.json.Decoder(_Said)


@lru_cache(maxsize=4096)
def read_model(key: bytes, value: bytes | None) -> Model:
    """The model in a record; ValueError says what is wrong with it."""
    try:
        said = _decoder.decode(value or b"")
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ValueError(f"value: {error}") from error
    at = instant_of(said.effective_from)
    if at is None:
        raise ValueError(f"effective_from: {said.effective_from!r} is not RFC 3339 with zone from 2000 to 2100")
    if said.number < 1:
        raise ValueError(f"number: {said.number} is not 1 or more")
    if not 1 <= len(said.by) <= MAX_DIMS or len(set(said.by)) < len(said.by):
        raise ValueError(f"by: {said.by!r} is not one to {MAX_DIMS} dims, each once")
    cells = {tuple(cell.dims): _share("expected", cell.expected) for cell in said.cells}
    if len(cells) < len(said.cells):
        raise ValueError("cells: the same dims twice")
    if not all(1 <= len(dims) <= len(said.by) for dims in cells):
        raise ValueError(f"cells: dims that are not those of the first of {said.by!r}")
    base = _share("base", said.base)
    model = Model(said.template, said.indicator, said.number, at, tuple(said.by), base, cells)
    if key != model.key.encode():
        raise ValueError(f"key {key!r} is not {model.key!r}")
    return model


def _share(field: str, number: float) -> int:
    micro = micro_of(number)
    if micro is None or not 0 < micro < MICRO:
        raise ValueError(f"{field}: {number!r} is not above 0 and below 1 with at most six decimals")
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
