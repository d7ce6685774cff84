"""A pooled value is told only where enough people are behind it, and behind what is left when others are taken off it.

A line's sums less those of its crews are the sums of whoever is in none of the crews that are told: one person, maybe.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def told(
    people: Mapping[str, int], above: Mapping[str, Sequence[str]], least: int, small: Collection[str] = ()
) -> set[str]:
    """The units whose value is told, of those with so many people behind it, and not of `small` ones; `above`: what
    each belongs to, the nearest first.

    Where a difference would be about too few the smallest unit that would be taken off is not told either.
    """
    shown = {unit for unit, number in people.items() if number >= least and unit not in small}
    inside: dict[str, list[str]] = {unit: [] for unit in {*above, *people}}  # the largest told units in each
    for unit in sorted(inside, key=lambda unit: (-len(above.get(unit, ())), unit)):
        if unit in shown:
            _widen(unit, people, inside, shown, least)
        for parent in above.get(unit, ())[:1]:
            inside.setdefault(parent, []).extend([unit] if unit in shown else inside[unit])
    return shown


def _widen(unit: str, people: Mapping[str, int], inside: Mapping[str, list[str]], shown: set[str], least: int) -> None:
    """Takes units off those that are told, until nobody is alone in what the others leave of this one."""
    parts: list[str] = inside[unit]
    while parts and 0 < people[unit] - _all(parts, people) < least:
        smallest = min(parts, key=lambda part: (people[part], part))
        shown.discard(smallest)
        parts.remove(smallest)
        parts.extend(inside[smallest])


def _all(units: Collection[str], people: Mapping[str, int]) -> int:
    return sum(people[unit] for unit in units)
