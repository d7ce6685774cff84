"""Reading many instants at once finds what reading each of them does, and misses none of the usual forms."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instant_columns import FEW, instants
from schemas.instants import FIRST, LAST, format_rfc3339, parse_rfc3339

MARCH = 1_772_409_600_000  # 2026-03-02T00:00:00Z


def _one_by_one(text: str | int) -> int:
    at = parse_rfc3339(text) if isinstance(text, str) else text
    return at if at is not None and FIRST <= at <= LAST else 0


def _texts(count: int, form: str) -> list[str]:
    dice = Random(1)
    return [form.format(format_rfc3339(MARCH + dice.randrange(86_400_000))[:-1]) for _ in range(count)]


@pytest.mark.parametrize("form", ["{}Z", "{}+08:00", "{:.19}Z", "{:.21}-03:30", "{}456z"])
def test_the_usual_forms_are_read_at_once(form: str) -> None:
    """Milliseconds or none, or finer; any zone."""
    texts = _texts(200, form)
    assert [parse_rfc3339(text) for text in texts] == instants(texts).tolist()


def test_forms_and_days_are_told_apart() -> None:
    """Sources that write differently, and a chunk over midnight."""
    texts = [*_texts(100, "{}Z"), *_texts(100, "{}+08:00"), *_texts(100, "{:.19}Z")]
    texts += [format_rfc3339(MARCH - 50 + ms) for ms in range(100)]
    Random(2).shuffle(texts)
    assert [parse_rfc3339(text) for text in texts] == instants(texts).tolist()


def test_numbers_are_taken_as_they_are() -> None:
    """Unless one of them is out of range: then each is looked at."""
    numbers = list(range(MARCH, MARCH + FEW))
    assert numbers == instants(numbers).tolist()
    assert not instants([*numbers, 1 << 70]).any()
    assert not instants([*numbers, FIRST - 1]).any()


DAY = "2026-03-02T"
TAILS = (
    "24:00:00.000Z", "23:59:60.000Z", "29:00:00.000Z", "00:60:00.000Z", "00:0:000.000Z", "00:00:00.00\uff10Z",
    "00:00:00,000Z", "00:00:00.000", "00:00:00.000\u00e9", "00:00:00.000+24:00", "00:00:00.000+23:59", "00:00:00.-00Z",
    "00:00:00.000/", "00:00:00.00:Z", "00:00:00.0000000001Z", "",
)  # fmt: skip
WHOLE = (
    "", "x", "2026-02-30T00:00:00.000Z", "2026-03-02X00:00:00.000Z", "1999-12-31T23:59:59.999Z",
    "2100-01-01T00:00:00.001Z", "2100-01-01T00:00:00.000Z", "\ud800" * 24,
)  # fmt: skip
odd = st.sampled_from([*(DAY + tail for tail in TAILS), *WHOLE])
near = st.builds(
    lambda text, place, letter: text[:place] + letter + text[place + 1 :],
    st.sampled_from(["2026-03-02T00:00:00.000Z", "2026-03-02T19:59:09.999Z"]),
    st.integers(0, 23),
    st.sampled_from([*"0123456789", "/", ":", "T", "Z", "\n", "٣"]),
)
plain = st.integers(0, 86_399_999).map(lambda ms: format_rfc3339(MARCH + ms))


@given(st.lists(odd | near | plain, max_size=3 * FEW), st.lists(plain, min_size=FEW, max_size=2 * FEW))
def test_it_is_never_wrong(mixed: list[str], many: list[str]) -> None:
    """What is found is what reading each alone finds; only that may be left to it."""
    texts = [*mixed, *many]
    Random(len(mixed)).shuffle(texts)
    for text, at in zip(texts, instants(texts).tolist(), strict=True):
        assert at in (0, _one_by_one(text)), text


def test_a_mixture_of_texts_and_numbers_is_left_alone() -> None:
    """So is a handful of texts."""
    assert not instants([MARCH, *_texts(FEW, "{}Z")]).any()
    assert not instants(_texts(FEW - 1, "{}Z")).any()
