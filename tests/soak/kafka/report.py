"""What a soak on a broker says: a line per phase, at the end which fault was injected how often, and what it broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TextIO

from tests.soak.kafka.faults import FAULTS, Fault

ALWAYS_THERE: Final = {  # faults that the senders make all the time, by the outcomes that show them
    " 9 bad input": "rejected:",
    "10 duplicates": "duplicate",
    "10 other content under the same identity": "rejected:conflict",
    "11 too late": "late",
}


@dataclass
class Phase:
    """One fault of a site."""

    site: str
    number: int
    fault: Fault
    done: str = ""
    skipped: str = ""
    sent: int = 0
    checked: int = 0
    pause: float = 0.0  # s that a partition had work and no commit, at most
    seconds: float = 0.0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


class KafkaReport:
    """Prints as it goes; `violations` counts what was found."""

    def __init__(self, seed: int, output: TextIO) -> None:
        self._seed = seed
        self._output = output
        self.phases: list[Phase] = []
        self._peak = 0
        self._outcomes: dict[str, Mapping[str, int]] = {}

    @property
    def violations(self) -> int:
        """All that did not hold."""
        return sum(len(phase.violations) for phase in self.phases)

    def say(self, line: str) -> None:
        """At once, also into a pipe."""
        self._output.write(line + "\n")
        self._output.flush()

    def phase(self, phase: Phase) -> None:
        """A phase that is over."""
        self.phases.append(phase)
        if phase.outcomes:
            self._outcomes[phase.site] = phase.outcomes
        what = f"skipped: {phase.skipped}" if phase.skipped else phase.done
        self.say(
            f"phase {len(self.phases):3}  seed {phase.site}/{phase.number}  {phase.fault.name}: {what}  "
            f"{phase.sent:,} sent, {phase.checked:,} checked, {len(phase.violations)} violations, "
            f"longest pause {phase.pause:.1f} s  ({phase.seconds:.0f} s)"
        )
        for line in phase.violations:
            self.say(f"VIOLATION {line}")
        if phase.violations:
            number = phase.site.rpartition(".")[2]
            self.say(
                f"  again: python -m tests.soak --broker kafka --minutes 60 --seed {self._seed} --world {number}; "
                "its folder is kept"
            )

    def site(self, peak: int) -> None:
        """A site is done with: the most memory that any of its workers took."""
        self._peak = max(self._peak, peak)

    def table(self) -> None:
        """Fault, times injected, violations, longest pause; then what was there all the time."""
        rows: list[tuple[str, ...]] = [("fault", "times", "violations", "longest pause, s")]
        for fault in sorted(FAULTS.values()):
            of = [phase for phase in self.phases if phase.fault.name == fault.name]
            injected = [phase for phase in of if not phase.skipped]
            rows.append(
                (
                    f"{fault.number:2} {fault.name}",
                    f"{len(injected)}" if len(injected) == len(of) else f"skipped: {of[0].skipped}",
                    f"{sum(len(phase.violations) for phase in of)}",
                    f"{max((phase.pause for phase in injected), default=0.0):.1f}",
                )
            )
        self._print(rows)
        counted: Counter[str] = Counter()
        for outcomes in self._outcomes.values():
            counted.update(outcomes)
        self.say("")
        for name, outcome in ALWAYS_THERE.items():
            number = sum(n for known, n in counted.items() if known.startswith(outcome))
            self.say(f"{name}: {number:,} records, all through the run")
        self.say(f"{sum(phase.sent for phase in self.phases):,} records sent in {len(self.phases)} phases")
        self.say(f"resident memory of a worker, most: {self._peak >> 20} MB")
        self.say(f"violations: {self.violations}")

    def _print(self, rows: list[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in _padded(rows, widths):
            self.say(row)


def _padded(rows: Iterable[tuple[str, ...]], widths: list[int]) -> Iterable[str]:
    for first, *others in rows:
        yield "  ".join([f"{first:<{widths[0]}}", *(f"{o:>{w}}" for o, w in zip(others, widths[1:], strict=True))])
