"""The packs are templates that pass the check as they stand, in both languages."""

from __future__ import annotations

import unicodedata
from importlib.resources import files

import pytest

from stream.bilingual import Text
from stream.template import Template, check, load_published

PACKS = {pack.name: pack.read_text("utf-8") for pack in files("schemas.packs").iterdir() if pack.name.endswith(".yaml")}


def pack(name: str) -> Template:
    """The template of a pack."""
    return load_published(PACKS[f"{name}.yaml"])


def values(
    template: Template, totals: dict[str, dict[str, float]], targets: dict[str, float]
) -> dict[str, float | None]:
    """Points by indicator, from sums of measures by event type."""
    points: dict[str, float | None] = {}
    for indicator in template.indicators:
        sums = totals.get(indicator.source, {})
        value = indicator.value.bind(tuple(sums))(tuple(sums.values()), targets)
        assert indicator.points is not None
        bound = indicator.points.bind(("value", "target"))
        points[indicator.id] = None if value is None else bound((value, indicator.target or 0.0), targets)
    return points


def is_chinese(text: str) -> bool:
    """Whether a text has at least one Chinese character."""
    return any(unicodedata.name(character, "").startswith("CJK UNIFIED") for character in text)


def test_which_packs_there_are() -> None:
    """Production, sales by number and by value, and research have their packs."""
    assert {"production-operator.yaml", "sales.yaml", "sales-value.yaml", "rnd.yaml"} <= set(PACKS)


@pytest.mark.parametrize("name", sorted(PACKS))
def test_pack_passes_the_check(name: str) -> None:
    """A pack has no error and no warning, and is named after its file."""
    report = check(PACKS[name])
    assert (report.errors, report.warnings) == ((), ())
    assert report.template is not None
    assert f"{report.template.template}.yaml" == name


@pytest.mark.parametrize("name", sorted(PACKS))
def test_pack_speaks_both_languages(name: str) -> None:
    """Every text that people read is Chinese under zh and free of Chinese under en."""
    template = load_published(PACKS[name])
    texts: list[Text] = [template.title]
    for indicator in template.indicators:
        texts += [indicator.name, indicator.definition, indicator.next_step]
    for text in texts:
        assert is_chinese(text.zh), text
        assert text.en, text
        assert not is_chinese(text.en), text


def test_the_two_yields_are_two_indicators() -> None:
    """Semi-finished and finished-goods yield differ in the stage they count."""
    stages = {indicator.id: dict(indicator.where).get("stage") for indicator in pack("production-operator").indicators}
    assert stages["semi_finished_yield"] == frozenset({"semi_finished"})
    assert stages["finished_yield"] == frozenset({"finished"})


def test_production_points() -> None:
    """On plan, cost control gives 100 points; its points are clamped; a reworked unit is a miss for the first pass."""
    inspection = {"inspected": 100.0, "accepted": 95.0, "reworked": 5.0}
    for actual, expected in [(1000.0, 100), (950.0, 120), (900.0, 120), (1050.0, 80), (2000.0, 0)]:
        cost = {"planned_cost": 1000.0, "actual_cost": actual}
        totals = {
            "qc.inspection": inspection,
            "business.cost": cost,
            "business.output": {"produced": 480.0, "hours": 8.0},
        }
        points = values(pack("production-operator"), totals, {})
        assert points["cost_control"] == pytest.approx(expected)
        assert points["semi_finished_yield"] == pytest.approx(100)
        assert points["first_pass_yield"] == pytest.approx(100)
        assert points["output"] == pytest.approx(100)


def test_sales_points_follow_personal_targets() -> None:
    """Attainment is measured against the person's own targets; without one there are no points."""
    totals = {
        "business.payment": {"collected": 80_000.0},
        "business.customer": {"new_customers": 3.0, "net_profit": -10.0},
        "business.proposal": {"decided": 10.0, "won": 3.0},
        "business.follow_up": {"due": 20.0, "on_time": 19.0},
    }
    targets = {"collected": 100_000.0, "new_customers": 4.0}
    points = values(pack("sales"), totals, targets)
    assert [pytest.approx(number) for number in points.values()] == [80, 75, 100, 100]
    assert values(pack("sales-value"), totals, targets) == {"collection": 80, "new_customer_profit": None}
    assert values(pack("sales-value"), totals, targets | {"net_profit": 10.0})["new_customer_profit"] == 0


def test_research_weights() -> None:
    """Research scores schedule attainment x 0.4 + innovation x 0.6 on the stated scale."""
    template = pack("rnd")
    assert {i.id: i.weight for i in template.indicators} == {"schedule_attainment": 0.4, "innovation": 0.6}
    totals = {
        "business.milestone": {"due": 10.0, "on_time": 9.0},
        "business.innovation": {"grade": 8.0, "reviews": 2.0},
    }
    assert values(template, totals, {}) == {"schedule_attainment": 100, "innovation": 80}
