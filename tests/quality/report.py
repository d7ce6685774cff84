"""The study as tables, in Markdown: for a page, for a terminal, for what CI prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.quality.figures import Caught, Share, percent, units
from tests.quality.mixed import PRODUCTS
from tests.quality.rules import DEFAULT, RULE_SETS
from tests.quality.shifts import SEED, UNITS
from tests.quality.study import LONG_RECORDS, RECORDS, STEADY, TARGETS, Seen, Study, promises


def report(study: Study) -> str:
    """All tables."""
    return "\n".join(_lines(study))


def _lines(study: Study) -> Iterator[str]:
    own, every = study.own, study.every
    yield f"Alert quality: simulated shifts of {UNITS} units, seed {SEED}; in brackets the simulation's 95 % intervals."
    yield ""
    yield f"The default rules alone, {len(own.drop[1].shifts):,} shifts a figure."
    yield from _table("kept to", _promises(study))
    yield from _table("units in a record", _by_record(own))
    yield from _table("on target, shifts with an alert", _targets(own))
    for record in RECORDS:
        yield from _table(f"products of {_mix()}, records of {record}", _mixed(study, record))
    yield ""
    yield f"All rules for a target of 95 %, {len(every.drop[1].shifts):,} shifts a figure,"
    yield f"but {len(study.alone.drop[1].shifts):,} of the default rules by themselves."
    for record in RECORDS:
        of = "one unit" if record == 1 else f"{record} units"
        yield from _table(f"records of {of}: steady work, shifts with an alert", _steady(study, record))
        yield from _table(f"records of {of}: 95 to 80 % after 200 units", _drops(study, record))
        yield from _table(f"records of {of}: slowly from 95 to 85 %", _slow(study, record))


def _promises(study: Study) -> Iterator[Sequence[str]]:
    yield "measured", "at most", ""
    for promise in promises(study):
        yield promise.what, f"{promise.measured:g}", f"{promise.most:g}", "kept" if promise.kept else "BROKEN"


def _by_record(seen: Seen) -> Iterator[Sequence[str]]:
    yield "false alert in a shift at 95 %", "drop to 80 %: median delay", "90 % within", "missed in 200 units"
    for record in (*RECORDS, *LONG_RECORDS):
        found = seen.after_drop(DEFAULT, record)
        false = seen.false(DEFAULT, record, 0.95)
        yield str(record), str(false), units(found.median), units(found.ninetieth), str(found.missed)


def _targets(seen: Seen) -> Iterator[Sequence[str]]:
    targets = sorted((*TARGETS, 0.95))
    yield tuple(f"target {percent(target)}" for target in targets)
    for record in RECORDS:
        yield f"records of {record}", *(str(seen.false(DEFAULT, record, target)) for target in targets)


def _mix() -> str:
    return ", ".join(f"{percent(share)} ({percent(often)} of all work)" for share, often in PRODUCTS.values())


def _mixed(study: Study, record: int) -> Iterator[Sequence[str]]:
    yield "by what was counted", "by case mix"
    for one in study.mixed:
        if one.record == record:
            yield one.case.name, _found(one.counted), _found(one.expected)


def _found(figure: Share | Caught) -> str:
    if isinstance(figure, Share):
        return f"false alert in {figure}"
    return f"false alert before {figure.before}, median delay {units(figure.median)}, missed {figure.missed}"


def _steady(study: Study, record: int) -> Iterator[Sequence[str]]:
    yield tuple(percent(share) for share in STEADY)
    for rules in RULE_SETS:
        yield rules.name, *(str(study.best(rules).false(rules, record, share)) for share in STEADY)


def _drops(study: Study, record: int) -> Iterator[Sequence[str]]:
    yield "false alert before", "median delay", "90 % within", "missed in 200 units"
    for rules in RULE_SETS:
        found = study.best(rules).after_drop(rules, record)
        yield rules.name, str(found.before), units(found.median), units(found.ninetieth), str(found.missed)


def _slow(study: Study, record: int) -> Iterator[Sequence[str]]:
    yield "median units from the start", "not found in the shift"
    for rules in RULE_SETS:
        found = study.best(rules).getting_worse(rules, record)
        yield rules.name, units(found.median), str(found.missed)


def _table(corner: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table with columns below each other; the first row lacks its corner."""
    head, *body = rows
    cells = [[corner, *head], *map(list, body)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in widths])
    yield ""
    for row in cells:
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
