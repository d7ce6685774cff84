"""Numbers as people read them."""

from __future__ import annotations

import pytest

from dashboards.web.figures import Figures, shown_share
from dashboards.web.languages import words
from stream.interval import wilson


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.95, "95.0%"), (0.9996, "99.9%"), (1 - 1e-9, "99.9%"), (1.0, "100.0%"), (1.25, "125.0%"), (0.0, "0.0%")],
)
def test_a_share_that_is_not_perfect_is_not_told_as_if_it_were(share: float, told: str) -> None:
    """It is rounded to a digit otherwise."""
    assert told == Figures(words("en")).percent(share)


def test_the_noise_of_doubles_takes_nothing_from_a_perfect_share() -> None:
    """The interval of n good ones in n ends at one, whatever n; in 84 its last digit is another."""
    ends = [found[1] for n in range(1, 500) if (found := wilson(n, n)) is not None]
    assert min(ends) < 1.0
    assert {1.0} == {shown_share(end) for end in ends}
