"""What a person's page says in sentences: each of them stands in the catalogues, here it is chosen and filled."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.web.course import Course
from dashboards.web.figures import Figures
from dashboards.web.funnel_page import window_words
from dashboards.web.languages import Words
from dashboards.web.my_card import Card
from dashboards.web.my_page import Sheet
from dashboards.web.shapes import points_rule
from schemas.rows import ScoreRow
from stream.indicator import Indicator


class Telling:
    """The sentences of one page, in its language and its template's time zone."""

    def __init__(self, said: Words, figures: Figures) -> None:
        self.said = said
        self.figures = figures

    def name(self, indicator: Indicator) -> str:
        """What people call it."""
        return indicator.name.get(self.said.language) or indicator.id

    def window(self, window: str) -> str:
        """A window as people say it."""
        return window_words(window, self.said)

    def value(self, card: Card, value: float | None) -> str:
        """A number of the card's indicator in its unit."""
        return self.figures.value(value, card.indicator.unit, card.indicator.rate_of is not None)

    def of_row(self, row: ScoreRow, indicator: Indicator) -> str:
        """A row's value in its unit."""
        return self.figures.value(row.value, indicator.unit, indicator.rate_of is not None)

    def points(self, points: float | None) -> str:
        """Points with their word."""
        if points is None:
            return self.said("me.points.none")
        shown = self.figures.points(points)
        return self.said("me.points", n=round(points, 1)) if shown else ""

    def missing(self, card: Card) -> str:
        """What is missing to the target, as a sentence."""
        short = card.missing
        if short.kind == "units":
            return self.said("me.missing.units", n=int(short.amount or 0))
        if short.kind == "amount":
            return self.said(f"me.missing.amount{self._whose(card)}", **self._amount(card))
        if short.kind == "untold":
            return self.said("me.missing.untold", n=round(short.points or 0, 1))
        if short.kind == "insufficient":
            return self._insufficient(card)
        return self.said(f"me.missing.{short.kind}")

    def short(self, card: Card) -> str:
        """The same in a few words, for the list of what helps."""
        short = card.missing
        if short.kind == "units":
            return self.said("me.short.units", n=int(short.amount or 0))
        if short.kind == "amount":
            return self.said(f"me.short.amount{self._whose(card)}", **self._amount(card))
        if short.kind == "unreachable":
            return self.said("me.short.unreachable")
        return self.said("me.short.untold", n=round(short.points or 0, 1))

    def to_go(self, sheet: Sheet) -> str:
        """What is missing to 100 points, and the good units that would do it, where they are of one indicator."""
        away, way = sheet.total.away, sheet.way
        if not away:
            return self.said("me.on_target")
        points = self.figures.points(away)
        if way is None:
            return self.said("me.to_go", points=points)
        return self.said("me.to_go.units", points=points, n=way.units, name=self.name(way.card.indicator))

    def trend(self, card: Card, course: Course) -> str:
        """The trend in words: over how many windows, where it begins and ends; what is shown the same did not move."""
        if course.window.startswith("rolling "):
            over = self.said("me.trend.rolling", window=self.window(course.window))
        else:
            over = self.said(f"me.trend.{course.window}", n=len(course.values))
        first, last, least, most = (
            self.value(card, value)
            for value in (course.values[0], course.values[-1], min(course.values), max(course.values))
        )
        kind = "from" if first != last else "steady" if least == most else "back"
        return self.said(f"me.trend.{kind}", over=over, first=first, last=last, least=least, most=most)

    def amount(self, amount: float, unit: str) -> str:
        """A number that is counted, with its unit where there is one."""
        shown = self.figures.number(amount)
        return f"{shown} {self.said.unit(unit)}" if unit else shown

    def rule(self, indicator: Indicator) -> str | None:
        """How points are given, in words; None where only the formula says it."""
        rule, cap = points_rule(indicator)
        return None if rule is None else self.said(f"me.rule.{rule}", cap=self.figures.points(cap or 0))

    def conditions(self, indicator: Indicator) -> Iterator[str]:
        """Which events count."""
        yield self.said("me.counts.events", type=indicator.source)
        for dim, values in indicator.where:
            yield self.said("me.counts.where", dim=dim, values=", ".join(sorted(values)))

    def _amount(self, card: Card) -> dict[str, str]:
        amount = card.missing.amount or 0
        if card.personal is not None:
            return {"amount": self.amount(amount, ""), "measure": card.missing.measure}
        return {"amount": self.amount(amount, card.indicator.unit)}

    @staticmethod
    def _whose(card: Card) -> str:
        return "" if card.personal is None else ".own"

    def _insufficient(self, card: Card) -> str:
        row, short = card.row, card.missing
        if short.amount is None or row.n is None:
            return self.said("me.missing.insufficient.unknown")
        need = card.indicator.min_sample
        return self.said("me.missing.insufficient", n=short.amount, have=row.n, need=need)
