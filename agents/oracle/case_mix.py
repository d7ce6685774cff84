"""A model in the log says what work of a kind usually gives; what is harder or easier is allowed for, in millionths."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from agents.oracle.event import read_json
from agents.oracle.fields import dim_names, listing, string
from agents.oracle.instants import occurred_at
from agents.oracle.log import MICRO, MINUTE, Event, Kind, LogRecord
from agents.oracle.measures import millionths
from agents.oracle.template import Indicator

PREFIX = b"case-mix:"
NOTICE = 60 * MINUTE  # from its log time to where it takes effect, at least


class Model(NamedTuple):
    """What holds from `effective_from` (ms) on; `base` and the cells' shares of good units are in millionths."""

    template: str
    indicator: str
    number: int
    effective_from: int
    by: tuple[str, ...]
    base: int
    cells: Mapping[tuple[str, ...], int]

    def expected(self, kind: Kind) -> int:
        """The share that work of this kind usually gives: that of the finest cell it lies in, else the base."""
        dims = dict(kind.dims)
        known = tuple(dims[name] for name in takewhile(dims.__contains__, self.by))
        beginnings = (known[:length] for length in range(len(known), 0, -1))
        return next((self.cells[beginning] for beginning in beginnings if beginning in self.cells), self.base)


Models = Mapping[tuple[str, str], Sequence[Model]]  # (template, indicator) -> by number, which is by effective_from too


class Shares(NamedTuple):
    """The shares of good units that an entry's kind of work usually gives and that all work does, in millionths."""

    expected: int
    base: int


class CaseMix:
    """What the models say of the entries of one indicator; nothing where it has no `case_mix`."""

    def __init__(self, indicator: Indicator, models: Sequence[Model]) -> None:
        self._by = indicator.case_mix
        self._of = indicator.of.names[0] if indicator.of and indicator.case_mix else ""
        self._models = models

    def shares(self, event: Event) -> Shares | None:
        """Those of the model in force at the event's T; None without one."""
        position = bisect_right(self._models, event.at, key=lambda model: model.effective_from)
        if position == 0 or self._models[position - 1].by != self._by:
            return None
        model = self._models[position - 1]
        return Shares(model.expected(event.kind), model.base)

    def allowance(self, event: Event) -> int:
        """How many more good units, in millionths, all work would usually have given than work of the event's kind."""
        shares = self.shares(event)
        if shares is None:
            return 0
        return (dict(event.measures).get(self._of, 0) * (shares.base - shares.expected) + MICRO // 2) // MICRO


def is_of_case_mix(record: LogRecord) -> bool:
    """Whether a record of the topic `templates` has the key of a model; such a record is never a template."""
    return (record.key or b"").startswith(PREFIX)


def models_of(records: Iterable[LogRecord]) -> Models:
    """The valid models among the records of the topic `templates`, which come in its order.

    Ignored are a record that is no model, a number that does not follow that of the last valid one, and a model that
    takes effect within an hour of its log time or not later than the last valid one does.
    """
    valid: dict[tuple[str, str], list[Model]] = {}
    for record in records:
        try:
            model = _read(record)
        except (KeyError, ValueError):
            continue
        before = valid.setdefault((model.template, model.indicator), [])
        follows = not before or before[-1].effective_from < model.effective_from
        if model.number == len(before) + 1 and follows and model.effective_from - record.timestamp >= NOTICE:
            before.append(model)
    return valid


def _read(record: LogRecord) -> Model:
    """The model of a record; raises KeyError or ValueError where it is none."""
    raw = _object(read_json(record.value or b""))
    effective_from = occurred_at(raw["effective_from"])
    if effective_from is None:
        raise ValueError(f"effective_from: {raw['effective_from']!r} is no instant of an event")
    by = dim_names(raw["by"], "by")
    model = Model(
        string(raw["template"], "template"), string(raw["indicator"], "indicator"), _whole(raw["number"]),
        effective_from, by, _share(raw["base"]), _cells(raw["cells"], len(by)),
    )  # fmt: skip
    if record.key != PREFIX + f"{model.template}/{model.indicator}@{model.number}".encode():
        raise ValueError(f"key: {record.key!r} is not that of the value")
    return model


def _cells(raw: object, most: int) -> dict[tuple[str, ...], int]:
    cells: dict[tuple[str, ...], int] = {}
    for cell in map(_object, listing(raw)):
        dims = tuple(string(value, "dims") for value in listing(cell["dims"]))
        if not 1 <= len(dims) <= most or dims in cells:
            raise ValueError(f"dims: {dims} are not 1 to {most}, or occur twice")
        cells[dims] = _share(cell["expected"])
    return cells


def _object(raw: object) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise ValueError(f"{raw!r} is no object")
    return raw


def _whole(raw: object) -> int:
    amount = millionths(raw)
    if amount is None or amount % MICRO:
        raise ValueError(f"number: {raw!r} is no whole number")
    return amount // MICRO


def _share(raw: object) -> int:
    amount = millionths(raw)
    if amount is None or not 0 < amount < MICRO:
        raise ValueError(f"{raw!r} is no share between 0 and 1")
    return amount
