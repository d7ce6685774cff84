"""What kinds of work usually give, from counts: few units say little, many say it for themselves."""

from __future__ import annotations

from random import Random

import pytest

from stream.mix_fit import MOST, Kind, Seen, fit, strength_of


def _sum(kinds: dict[Kind, Seen]) -> Seen:
    own = [seen for kind, seen in kinds.items() if len(kind) == 1]
    return Seen(sum(seen.n for seen in own), sum(seen.good for seen in own), 10)


KINDS: dict[Kind, Seen] = {
    ("easy",): Seen(10_000, 9_900, 8),
    ("usual",): Seen(10_000, 9_500, 8),
    ("hard",): Seen(10_000, 9_000, 8),
    ("new",): Seen(4, 1, 3),
}


def test_many_units_speak_for_themselves_and_few_hardly() -> None:
    """A product with four units, three of them bad, is nearer to all products than to one in four."""
    found = fit(_sum(KINDS), KINDS, 1)
    assert 0.9466 == round(found.base, 4)
    for kind, share in (("easy", 0.99), ("usual", 0.95), ("hard", 0.9)):
        assert pytest.approx(share, abs=0.001) == found.expected[kind,]
    assert 0.85 < found.expected["new",] < found.base


def test_where_kinds_differ_by_chance_alone_all_are_expected_to_give_the_same() -> None:
    """Forty products at 95 %: what differs is chance, and so little is left of it."""
    dice = Random(20_260_302)
    kinds: dict[Kind, Seen] = {}
    for number in range(40):
        good = sum(dice.random() < 0.95 for _ in range(200))
        kinds[f"P{number}",] = Seen(200, good, 5)
    found = fit(_sum(kinds), kinds, 1)
    counted = [seen.good / seen.n for seen in kinds.values()]
    assert 0.05 < max(counted) - min(counted)
    assert max(found.expected.values()) - min(found.expected.values()) < 0.02


def test_the_strength_is_that_of_the_beta_distribution_that_shares_came_from() -> None:
    """Shares drawn from a beta distribution of strength 50: found within a third."""
    dice = Random(20_260_303)
    groups = []
    for _ in range(400):
        share = dice.betavariate(45, 5)
        groups.append((Seen(300, sum(dice.random() < share for _ in range(300)), 5), 0.9))
    assert pytest.approx(50, rel=0.33) == strength_of(groups)


def test_a_finer_kind_is_drawn_to_the_coarser_one_it_belongs_to() -> None:
    """A machine that made few of a hard product counts as hard, not as average."""
    kinds = KINDS | {
        ("hard", "M1"): Seen(5_000, 4_600, 5),
        ("hard", "M2"): Seen(4_990, 4_391, 5),
        ("hard", "M3"): Seen(10, 9, 3),
    }
    found = fit(_sum(kinds), kinds, 2)
    assert pytest.approx(0.9, abs=0.01) == found.expected["hard", "M3"]
    assert found.expected["hard", "M1"] > 0.915 > 0.885 > found.expected["hard", "M2"]


def test_a_kind_that_two_people_did_says_more_of_them_than_of_the_work() -> None:
    """What one does badly is not called difficult."""
    found = fit(_sum(KINDS), KINDS | {("hard",): Seen(10_000, 9_000, 2), ("hard", "M1"): Seen(10_000, 9_000, 2)}, 2)
    assert {("easy",), ("usual",), ("new",)} == set(found.expected)


def test_work_without_a_defect_is_expected_to_have_one_some_day() -> None:
    """Shares lie between 0 and 1, with six decimals."""
    kinds: dict[Kind, Seen] = {("a",): Seen(1_000_000, 1_000_000, 3), ("b",): Seen(1_000_000, 1_000_000, 3)}
    found = fit(_sum(kinds), kinds, 1)
    assert all(0 < share < 1 and share == round(share, 6) for share in (found.base, *found.expected.values()))


def test_of_very_many_kinds_those_with_the_most_units_stay() -> None:
    """And with a finer one the coarser one that it belongs to."""
    kinds: dict[Kind, Seen] = {}
    for number in range(MOST):
        kinds[f"P{number}",] = Seen(number + 10, number + 9, 3)
        kinds[f"P{number}", "M"] = Seen(number + 10, number + 9, 3)
    found = fit(_sum(kinds), kinds, 2)
    assert MOST == len(found.expected)
    assert all(kind[:1] in found.expected for kind in found.expected)
    assert ("P0",) not in found.expected
