"""What processes cost, in CPU seconds, read from /proc; and what everybody else on the machine takes meanwhile."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds since each began: of the contender, the broker, this process, and of everything."""

    contender: float
    broker: float
    own: float
    machine: float

    def __sub__(self, earlier: Cpu) -> Cpu:
        return Cpu(
            self.contender - earlier.contender,
            self.broker - earlier.broker,
            self.own - earlier.own,
            self.machine - earlier.machine,
        )

    @property
    def others(self) -> float:
        """What was spent by neither of the three."""
        return max(0.0, self.machine - self.contender - self.broker - self.own)


def cpu(session: int, broker: int) -> Cpu:
    """As of now, for a session (a process started with `start_new_session`, and its children) and the broker."""
    times = os.times()
    return Cpu(_session(session), _process(Path(f"/proc/{broker}")), times.user + times.system, _machine())


def _session(session: int) -> float:
    return sum(_process(path) for path in Path("/proc").iterdir() if path.name.isdigit() and _in(path, session))


def _in(path: Path, session: int) -> bool:
    return _fields(path)[3:4] == [str(session)]


def _process(path: Path) -> float:
    """Its own time and that of its children that ended and were waited for."""
    fields = _fields(path)
    return sum(int(field) for field in fields[11:15]) / TICKS if fields else 0.0


def _fields(path: Path) -> list[str]:
    """From the third field of `stat` on: state, parent, group, session, ...; nothing when the process is gone."""
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _machine() -> float:
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS
