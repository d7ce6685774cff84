"""What Prometheus is told of units: within one limit, of nobody alone, the same from scrape to scrape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator

import pytest
from msgspec.structs import replace

from agents import unit_series
from agents.alert_metrics import SHOWN
from agents.metrics import Metrics
from agents.unit_figures import Figures, Key, Row, Spread
from agents.unit_series import UnitSeries
from schemas.updates import Contribution, Pool
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.template import load_published
from stream.unit_tree import FOREVER, Place, Unit, UnitTree
from tests.agents.test_alert_metrics import OPEN
from tests.oracle.logs import NOON, YIELD, template

MIDNIGHT = NOON - 12 * 3_600_000
MICRO = 1_000_000
RATES = 10
NAMED = "[{id: low, window: day, below: 0.9}, {id: drop, drift: {good: 0.9, bad: 0.8, h: 5}, severity: info}]"


def _rates() -> Rulebook:
    """Ten rates in two windows, with two rules of their own each."""
    rated = YIELD.replace("[day]", f"[day, rolling 60m], alerts: {NAMED}")
    texts = (
        rated.replace("id: yield", f"id: y{n}").replace("id: low", f"id: low{n}").replace("id: drop", f"id: drop{n}")
        for n in range(RATES)
    )
    return Rulebook([load_published(template(*texts))])


RULES = _rates()


def _figures() -> Figures:
    """Of a unit of twenty people."""
    keys = [Key("op", f"y{n}", window) for window in ("day", "rolling 60m") for n in range(RATES)]
    rows = tuple(Row(key, 0.9, 200.0, 20, divmod(place, RATES)) for place, key in enumerate(keys))
    return Figures(20, 20, rows, tuple(Spread(key, (1, 2, 3, 4, 5, 5, 0), 18.0, 1, 0, 2) for key in keys[:RATES]))


class Plant:
    """So many units in which each indicator has values, as a worker shows them."""

    def __init__(self, units: int, monkeypatch: pytest.MonkeyPatch) -> None:
        def counted(*_: object) -> Generator[None, None, Figures]:
            yield
            return _figures()

        monkeypatch.setattr(unit_series, "counting", counted)
        self.metrics = Metrics()
        self.units = Units()
        for number in range(units):
            self.units.take(Contribution(f"E{number}", f"L{number:03}", "", None, {}, [], {}))

    def round(self) -> None:
        """Counts all units, and shows alerts, of which more are open than may be shown."""
        while not self.metrics.figures.step(self.units, RULES, NOON):
            pass
        self.metrics.alerts.know(self.metrics.figures.units, RULES)
        self.metrics.alerts.show([replace(OPEN, alert_id=f"a{n}") for n in range(3_000)], NOON)

    def series(self) -> set[str]:
        """What is shown, without its numbers."""
        return {line.rsplit(" ", 1)[0] for line in self.metrics.text().decode().splitlines() if line[0] != "#"}


def test_many_units_indicators_and_rules_stay_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 units, ten rates in two windows, twenty rules: what is shown is shown of each of them, the rest is named."""
    plant = Plant(500, monkeypatch)
    plant.metrics.alerts.know([f"L{number:03}" for number in range(500)], RULES)
    plant.round()
    shown = plant.series()
    assert 15_000 < len(shown) <= 20_000
    value = re.compile(r'unit_score\{unit="L\d+",template="op",indicator="(\w+)",window="(\w+)')
    by_value = Counter(value.findall("\n".join(shown)))
    assert {500} == set(by_value.values())
    assert [(f"y{n}", "day") for n in range(len(by_value))] == sorted(by_value)
    by_rule = Counter(re.findall(r'raised_total\{unit="L\d+",rule="(\w+)",', "\n".join(shown)))
    assert {500} == set(by_rule.values())
    assert {"common_cause", "low0"} == by_rule.keys()
    assert 'scorestream_alerts_raised_total{unit="",rule="low2",severity="warning"}' in shown
    assert 500 == sum(name.startswith("scorestream_unit_people{") for name in shown)
    text = plant.metrics.text().decode()
    left = {part: float(number) for part, number in re.findall(r'left_out_series\{part="(\w+)"\} (\S+)', text)}
    assert {"open_alerts": 1_800, "people": 0, "limits": 9 * 1_500, "distribution": 9 * 4_500}.items() <= left.items()
    assert left["values"] == 1_000 * (20 - len(by_value))


def test_the_same_is_shown_from_scrape_to_scrape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when units come; what goes then does not come back with them."""
    plant = Plant(300, monkeypatch)
    plant.round()
    plant.round()
    before = plant.series()
    plant.round()
    assert before == plant.series()
    plant.metrics.alerts.know([f"M{number:03}" for number in range(300)], RULES)
    assert len(plant.series()) <= 20_000
    plant.round()
    gone = before - plant.series()
    assert {"low1", "low2"} == set(re.findall(r'raised_total\{unit="L\d+",rule="(\w+)"', "\n".join(gone)))
    for number in range(100, 300):
        plant.units.take(Contribution(f"E{number}", "", "", None, {}, []))
    plant.round()
    assert not gone & plant.series()


def test_a_rule_without_a_place_counts_all_units_together() -> None:
    """From 0, each alert once; the rules that have a place count by unit."""
    metrics = Metrics(1_200)
    metrics.alerts.know([f"L{number}" for number in range(10)], RULES)
    raised = [replace(OPEN, unit=f"L{n}", rule=rule, notify=None) for rule in ("low0", "low9") for n in (1, 2)]
    metrics.alerts.take(raised, NOON)
    metrics.alerts.reviewed([{("L1", "low9", "right"): 2, ("L2", "low9", "right"): 1, ("L1", "low0", "wrong"): 1}])
    metrics.alerts.show([], NOON + SHOWN)
    text = metrics.alerts.text()
    for name, labels, number in (
        ("raised_total", 'unit="L1",rule="low0",severity="warning"', 1),
        ("raised_total", 'unit="",rule="low9",severity="warning"', 2),
        ("raised_total", 'unit="",rule="low8",severity="warning"', 0),
        ("reviewed", 'unit="",rule="low9",verdict="right"', 3),
        ("reviewed", 'unit="L1",rule="low0",verdict="wrong"', 1),
    ):
        assert f"scorestream_alerts_{name}{{{labels}}} {number}\n" in text
    assert 'unit="L1",rule="low9"' not in text
    assert 'unit="",rule="low0"' not in text


def _people(**goods: dict[str, int]) -> Units:
    """By unit, how many of a hundred each accepted today."""
    units = Units()
    for unit, own in goods.items():
        for name, good in own.items():
            pools = [Pool(unit, "op", 1, [MIDNIGHT], [[1, good * MICRO, 100 * MICRO]])] if good else []
            units.take(Contribution(name, unit, "", None, {}, pools, {"op/yield": 0.7}))
    return units


def _values(units: Units, least: int) -> dict[str, str]:
    """What is told of units that are below P: everything but how many they are."""
    above = {"P": None, "L1": "P", "L2": "P", "L3": "P"}
    tree = UnitTree({unit: Unit("team", {}, (Place(of, MIDNIGHT, FOREVER),)) for unit, of in above.items()})
    shown = UnitSeries(least=least)
    rules = Rulebook([load_published(template(YIELD))], tree=tree)
    while not shown.step(units, rules, NOON):
        pass
    lines = [line for line in shown.text().splitlines() if not re.match("#|scorestream_unit_(people|members)", line)]
    return {unit: "\n".join(line for line in lines if f'unit="{unit}"' in line) for unit in ("P", "L1", "L2", "L3")}


SIX = {f"A{n}": 90 + n for n in range(6)}
FIVE = {f"B{n}": 95 for n in range(5)}


def test_the_value_of_one_person_is_not_told() -> None:
    """Nor of four, nor who of them drifts; a person who did nothing today hides nobody."""
    found = _values(_people(L1=SIX, L2={"C1": 71}, L3=FIVE | {"B0": 0}), 5)
    assert (True, False, False) == (bool(found["L1"]), bool(found["L2"]), bool(found["L3"]))
    assert "scorestream_unit_score" in found["P"]
    assert "scorestream_yield_bucket" in found["L1"]


def test_nor_is_it_left_when_others_are_taken_from_the_whole() -> None:
    """P less L1 and L3 would be the one in L2: the smallest of them is not told."""
    found = _values(_people(L1=SIX, L2={"C1": 71}, L3=FIVE), 5)
    assert ["P", "L1"] == [unit for unit, text in found.items() if text]


def test_whoever_sets_it_to_one_is_told_everything() -> None:
    """As where metrics are read by nobody but those who may see scores."""
    assert all(_values(_people(L1=SIX, L2={"C1": 71}, L3=FIVE), 1).values())


def test_who_counts_no_more_tells_nothing() -> None:
    """Another worker does: of two values of one unit the older would stand for ever."""
    shown = UnitSeries()
    rules, units = Rulebook([load_published(template(YIELD))]), _people(L1=SIX)
    while not shown.step(units, rules, NOON):
        pass
    assert 'unit="L1"' in shown.text()
    shown.forget()
    assert 'unit="L1"' not in shown.text()
    while not shown.step(units, rules, NOON):
        pass
    assert 'unit="L1"' in shown.text()


def test_what_is_not_told_is_counted() -> None:
    """So that a panel without a unit can be explained."""
    metrics = Metrics()
    units, rules = _people(L1=SIX, L2={"C1": 71}), Rulebook([load_published(template(YIELD))])
    while not metrics.figures.step(units, rules, NOON):
        pass
    assert "\nscorestream_small_units 1.0\n" in metrics.text().decode()
