"""What is simulated: people who work steadily, who drop, who get slowly worse; and what the product promises of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

import numpy as np

from stream.rulebook import Rulebook
from tests.quality.figures import Caught, Share, alerted, caught, percent
from tests.quality.mixed import CASES, Case, Compared, compare
from tests.quality.rules import DEFAULT, RuleSet, all_rules, default_rules
from tests.quality.shifts import UNITS, Chances, Raised, simulate, work

SHIFTS: Final = 2_000
RECORDS: Final = (1, 10)  # units in a record, for all rules
LONG_RECORDS: Final = (20, 50, 100)  # for the default rules alone
STEADY: Final = (0.95, 0.92, 0.90)
TARGETS: Final = (0.90, 0.92, 0.98)  # others than the 95 % of everything else
MIXED_SHIFTS: Final = 500  # where products differ, at least, of what nothing is promised of
MIXED: Final = 5_000  # numbers of simulations in which products differ
DROP: Final = 200  # units, then from 95 to 80 %


@dataclass(frozen=True, slots=True)
class Seen:
    """What some rules raised over the same work, by units in a record; steady work also by its share of good units."""

    steady: Mapping[tuple[int, float], Raised]
    drop: Mapping[int, Raised]
    slow: Mapping[int, Raised]

    def false(self, rules: RuleSet, record: int, share: float) -> Share:
        """Shifts of steady work with an alert."""
        return alerted(self.steady[record, share], rules.ids)

    def after_drop(self, rules: RuleSet, record: int) -> Caught:
        """How a drop is found."""
        return caught(self.drop[record], rules.ids, DROP)

    def getting_worse(self, rules: RuleSet, record: int) -> Caught:
        """How slow loss is found; no alert is false."""
        return caught(self.slow[record], rules.ids, 0)


@dataclass(frozen=True, slots=True)
class Study:
    """The default rules alone, and all rules beside each other."""

    own: Seen  # people work as well as the target wants it, 95 % and others
    alone: Seen  # the default rules for a target of 95 %, whatever people do; `every` where that has as many shifts
    every: Seen  # for a target of 95 %
    mixed: Sequence[Compared]  # the default rules where products differ

    def best(self, rules: RuleSet) -> Seen:
        """Where these rules were seen in most shifts: the default rules cost a sixth of what windows cost."""
        return self.alone if rules == DEFAULT else self.every


@dataclass(frozen=True, slots=True)
class Promise:
    """A figure of the default rules that is kept to."""

    what: str
    measured: float
    most: float

    @property
    def kept(self) -> bool:
        """Whether it holds."""
        return self.measured <= self.most


def promises(study: Study) -> list[Promise]:
    """What the default rules are held to. Long records are not among it, see docs/alert-quality.md."""
    kept = [
        Promise(
            f"false alerts, target and truth {percent(target)}, records of {record}",
            study.own.false(DEFAULT, record, target).value,
            0.05,
        )
        for record, target in ((1, 0.95), (10, 0.95), (1, 0.90), (1, 0.92), (1, 0.98), (10, 0.98))
    ]
    kept += [
        Promise(f"false alerts by case mix, {one.case.name}, records of {one.record}", one.expected.value, 0.05)
        for one in study.mixed
        if isinstance(one.expected, Share)
    ]
    return [*kept, Promise("median delay after the drop, units", study.own.after_drop(DEFAULT, 1).median, 36)]


def run(shifts: int, compared: int, say: Callable[[str], object] = lambda text: None) -> Study:
    """So many shifts for the default rules alone, and for all rules; `say` hears what comes next."""
    numbers = count()

    def raised(book: Rulebook, chances: Chances, record: int, shifts: int) -> Raised:
        number = next(numbers)  # work of its own for each simulation
        say(f"{number}: {shifts:,} shifts, records of {record}, {percent(chances[0])} to {percent(chances[-1])}")
        return simulate(book, work(chances, record, shifts, number), record)

    def own(share: float, record: int) -> Raised:
        return raised(default_rules(share), level(share), record, shifts)

    def every(chances: Chances, record: int) -> Raised:
        return raised(all_rules(), chances, record, compared)

    def mixed(case: Case, record: int, number: int) -> Compared:
        some = max(compared, MIXED_SHIFTS)
        promised = some if case.worse else shifts
        say(f"{number}: {promised:,} shifts, records of {record}, {case.name}")
        return compare(case, record, promised, some, number)

    def default(chances: Chances, record: int) -> Raised:
        return raised(default_rules(0.95), chances, record, shifts)

    on_target = Seen(
        {(record, 0.95): own(0.95, record) for record in (*RECORDS, *LONG_RECORDS)}
        | {(record, target): own(target, record) for record in RECORDS for target in TARGETS},
        {record: default(drop(), record) for record in (*RECORDS, *LONG_RECORDS)},
        {},
    )
    all_rules_seen = Seen(
        {(record, share): every(level(share), record) for record in RECORDS for share in STEADY},
        {record: every(drop(), record) for record in RECORDS},
        {record: every(slow_loss(), record) for record in RECORDS},
    )
    by_themselves = all_rules_seen if compared >= shifts else _alone(on_target, default)
    where_products_differ = [
        mixed(case, record, MIXED + 100 * record + place) for record in RECORDS for place, case in enumerate(CASES)
    ]
    return Study(on_target, by_themselves, all_rules_seen, where_products_differ)


def _alone(on_target: Seen, default: Callable[[Chances, int], Raised]) -> Seen:
    """The default rules over all that all rules are seen over, in more shifts than these."""
    known = {(record, 0.95): on_target.steady[record, 0.95] for record in RECORDS}
    others = {(record, share): default(level(share), record) for record in RECORDS for share in STEADY if share != 0.95}
    return Seen(known | others, on_target.drop, {record: default(slow_loss(), record) for record in RECORDS})


def level(share: float) -> Chances:
    """Steady work."""
    return np.full(UNITS, share)


def drop() -> Chances:
    """In control, then not."""
    return np.repeat((0.95, 0.80), (DROP, UNITS - DROP))


def slow_loss() -> Chances:
    """From 95 to 85 %, a little with each unit."""
    return np.linspace(0.95, 0.85, UNITS)
