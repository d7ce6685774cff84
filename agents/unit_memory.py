"""What units have told their members: said once, and kept with the commit that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from stream.keys import told_key
from stream.unit_gaps import Lag


class Told(msgspec.Struct, array_like=True):
    """Of one employee: where they are below their unit, and which unit's alert stands for each of theirs, by id."""

    lags: Sequence[Lag] = []
    folds: dict[str, str] = {}


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Told)


class UnitMemory:
    """Of all employees of all partitions, in the state of the units' home; `kept` is what lies there."""

    def __init__(self, kept: Iterable[tuple[bytes, bytes]]) -> None:
        self._told = {key[1:].decode(): _decoder.decode(raw) for key, raw in kept}
        self._changed: dict[str, None] = {}

    @property
    def lags(self) -> Mapping[str, Sequence[Lag]]:
        """Of everybody who has any."""
        return {name: told.lags for name, told in self._told.items() if told.lags}

    def lag(self, employee_id: str, lags: Sequence[Lag]) -> None:
        """What is known of somebody now."""
        self._of(employee_id).lags = lags

    def folded(self, employee_id: str, alert_id: str) -> str:
        """Which unit's alert stands for one of theirs; "" for none."""
        told = self._told.get(employee_id)
        return "" if told is None else told.folds.get(alert_id, "")

    def fold(self, employee_id: str, alert_id: str, into: str) -> None:
        """It is said that `into` stands for it; "": that it stands by itself."""
        folds = self._of(employee_id).folds
        if into:
            folds[alert_id] = into
        else:
            folds.pop(alert_id, None)

    def forget_all_but(self, alert_ids: set[str]) -> list[tuple[str, str]]:
        """No unit asks about others again: whose they are, and their ids."""
        gone = [
            (name, alert_id) for name, told in self._told.items() for alert_id in sorted(told.folds.keys() - alert_ids)
        ]
        for name, alert_id in gone:
            self.fold(name, alert_id, "")
        return gone

    def _of(self, employee_id: str) -> Told:
        self._changed[employee_id] = None
        return self._told.setdefault(employee_id, Told())

    def take_out(self) -> list[tuple[bytes, bytes | None]]:
        """What has changed since the last time, for the home's changelog."""
        changed, self._changed = self._changed, {}
        found: list[tuple[bytes, bytes | None]] = []
        for name in changed:
            told = self._told[name]
            if not (told.lags or told.folds):
                del self._told[name]
            found.append((told_key(name), _encoder.encode(told) if told.lags or told.folds else None))
        return found
