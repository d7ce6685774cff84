"""How a unit's people stand: counted, never named, and few enough series for ten thousand of them."""

from __future__ import annotations

import time

from prometheus_client.parser import text_string_to_metric_families

from agents.metrics import Metrics, Snapshot
from agents.unit_figures import Figures, counting
from agents.unit_series import UnitSeries
from schemas.updates import Contribution, Pool
from stream import metric_names as names
from stream.plan import plan_of
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.template import load_published
from stream.topics import QC_EVENTS, TICKS
from stream.unit_tree import FOREVER, Place, Unit, UnitTree
from tests.oracle.logs import NOON, YIELD, template

RULES = Rulebook([load_published(template(YIELD))])
MIDNIGHT = NOON - 12 * 3_600_000
MICRO = 1_000_000


def _units(people: dict[str, tuple[str, int, int]], drifts: dict[str, float] | None = None) -> Units:
    """Of people with their unit, inspected and accepted units of today."""
    units = Units()
    for name, (unit, inspected, accepted) in people.items():
        pool = Pool(unit, "op", 1, [MIDNIGHT], [[1, accepted * MICRO, inspected * MICRO]])
        units.take(Contribution(name, unit, "", None, {}, [pool], drifts or {}))
    return units


def figures(units: Units, rules: Rulebook, unit: str, at: int) -> Figures:
    """Of one unit, all its people."""
    work = counting(units, rules, unit, at)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Figures = end.value
            return found


def _tree(**above: str | None) -> UnitTree:
    """Of units by what each belongs to."""
    since = MIDNIGHT - 3_600_000
    return UnitTree({name: Unit("team", {}, (Place(parent, since, FOREVER),)) for name, parent in above.items()})


def test_values_spread_and_who_lies_outside() -> None:
    """Of three at 95 % of many and one at 70 %, that one lies below both limits of the funnel."""
    people = {f"E{n}": ("L1", 200, 190) for n in range(3)} | {"E9": ("L1", 200, 140), "E8": ("L1", 0, 0)}
    found = figures(_units(people, {"op/yield": 0.7}), RULES, "L1", NOON)
    (row,) = found.rows
    assert (5, 4, ("op", "yield", "day")) == (found.members, row.people, row.key)
    assert (710 / 800, 800) == (row.value, row.n)
    (spread,) = found.spreads
    assert (1, 1, 5) == (spread.warned, spread.acted, spread.drifting)
    assert 4 == sum(spread.buckets)
    assert 3 * 0.95 + 0.7 == spread.total


def test_a_unit_above_others_stands_for_all_their_people() -> None:
    """Its value is pooled over them, each of them has a place in its funnel, and nobody counts as its own member."""
    tree = _tree(P=None, A="P", L1="A", L2="A", L3="P")
    rules = Rulebook([load_published(template(YIELD))], tree=tree)
    people = {"E1": ("L1", 200, 190), "E2": ("L2", 200, 190), "E3": ("L2", 200, 140), "E4": ("L3", 100, 100)}
    units = _units(people)
    assert ["A", "L1", "L2", "L3", "P"] == units.all_names(tree, NOON)
    found = figures(units, rules, "A", NOON)
    assert (0, 3, (520 / 600, 600)) == (found.members, found.people, found.rows[0][1:3])
    (spread,) = found.spreads
    assert (3, 1, 0.95 + 0.95 + 0.7) == (sum(spread.buckets), spread.acted, spread.total)
    assert 4 == figures(units, rules, "P", NOON).people


def test_who_worked_in_two_units_counts_in_one_above_with_both() -> None:
    """Once, with the sums of both."""
    rules = Rulebook([load_published(template(YIELD))], tree=_tree(A=None, L1="A", L2="A"))
    units, goods = Units(), {"L1": 90, "L2": 70}
    pools = [Pool(unit, "op", 1, [MIDNIGHT], [[1, good * MICRO, 100 * MICRO]]) for unit, good in goods.items()]
    units.take(Contribution("E1", "L2", "", None, {}, pools))
    found = figures(units, rules, "A", NOON)
    assert (1, (0.8, 200), 0.8) == (found.people, found.rows[0][1:3], found.spreads[0].total)


def test_few_pieces_lie_inside() -> None:
    """One defect of three is nobody's fault."""
    people = {"E1": ("L1", 1000, 950), "E2": ("L1", 3, 2)}
    (spread,) = figures(_units(people), RULES, "L1", NOON).spreads
    assert (0, 0) == (spread.warned, spread.acted)


def test_ten_thousand_people_are_few_series_and_a_scrape_is_quick() -> None:
    """250 crews below 56 units, three rates with a rule in two windows: 20,000 series, in 50 ms; no step takes 100."""
    rated = YIELD.replace("[day]", "[day, rolling 60m], alerts: default")
    above = {f"B{n}": "P" for n in range(5)} | {f"D{n:02}": f"B{n % 5}" for n in range(50)}
    tree = _tree(P=None, **above, **{f"L{n:03}": f"D{n % 50:02}" for n in range(250)})
    rules = Rulebook(
        [load_published(template(*(rated.replace("id: yield", f"id: y{n}") for n in range(3))))], tree=tree
    )
    (version,) = rules.versions["op"]
    starts = [MIDNIGHT if slot.window.kind == "day" else 0 for slot in plan_of(version).slots]
    units, metrics = Units(), Metrics()
    for n in range(10_000):
        pool = Pool(
            f"L{n % 250:03}", "op", 1, starts, [[1, (90 + n % 10) * MICRO, (100 + n % 50) * MICRO]] * len(starts)
        )
        units.take(Contribution(f"E{n:05}", pool.unit, "", None, {}, [pool]))
    longest, last = 0.0, False
    while not last:
        begin = time.process_time()
        last = metrics.figures.step(units, rules, NOON)
        longest = max(longest, time.process_time() - begin)
    metrics.alerts.know(metrics.figures.units, rules)
    metrics.alerts.show([], NOON)
    _work_long(metrics)
    costs = []
    for _ in range(3):
        begin = time.process_time()
        text = metrics.text().decode()
        costs.append(time.process_time() - begin)
    assert min(costs) < 0.05
    assert longest < 0.1
    shown = [line for line in text.splitlines() if not line.startswith("#")]
    assert 10_000 < len(shown) <= 20_000
    assert {0.0} == {float(line.split()[-1]) for line in shown if line.startswith("scorestream_left_out_series{")}
    assert "E0" not in text
    assert 'scorestream_unit_people{unit="P"} 10000' in text


def _work_long(metrics: Metrics) -> None:
    """As many samples of latency as are kept, in no order, and what else a worker of eight partitions tells."""
    now = time.time()
    for n in range(20_000):
        metrics.visible(int(1000 * (now - n % 997 / 1000)))
    for topic in (QC_EVENTS, TICKS):
        metrics.chunk(topic, 500, 0.01)
    lag = {(topic, number): 0 for topic in (QC_EVENTS, TICKS) for number in range(8)}
    metrics.snapshot = Snapshot({"scored": 1}, lag, {}, {})


def test_names_of_units_may_be_any_text() -> None:
    """Quotes, backslashes and line ends of a unit's name do not end its label."""
    shown = UnitSeries(least=1)
    units = _units({"E1": ('a "b" \\ c', 10, 9)})
    while not shown.step(units, RULES, NOON):
        pass
    families = list(text_string_to_metric_families(shown.text()))
    assert {'a "b" \\ c'} == {sample.labels["unit"] for family in families for sample in family.samples}
    declared = (
        names.UNIT_SCORE, names.UNIT_SAMPLE, names.UNIT_MEMBERS, names.UNIT_PEOPLE, names.YIELD, names.FUNNEL_OUTSIDE,
        names.DRIFT_MEMBERS,
    )  # fmt: skip
    assert [name.name for name in declared] == [family.name for family in families]
