"""What is drawn once and filled often is what drawing it each time would give, escaped in the same way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment
from markupsafe import Markup, escape

from dashboards.web.stencil import GAPS, Stencil, Stencils

PAGE = '<a href="{{ gap.path }}?x={{ fixed }}">{{ gap.name }}</a>{{ gap.part }}{{ gap.name }}'


@given(st.text(), st.text())
def test_a_filled_stencil_is_the_page_drawn_at_once(path: str, name: str) -> None:
    """Whatever the texts are: quotes, markup, control characters."""
    part = Markup("<b>1</b>")
    filled = Stencil(Environment(autoescape=True).from_string(PAGE).render(gap=GAPS, fixed="1")).fill(
        {"path": path, "name": name, "part": part}
    )
    assert f'<a href="{escape(path)}?x=1">{escape(name)}</a><b>1</b>{escape(name)}' == filled


def test_a_gap_without_a_value_is_an_error() -> None:
    """Nothing is left out unseen."""
    with pytest.raises(KeyError):
        Stencil(f"{GAPS.name}{GAPS['other']}").fill({"name": "a"})


def test_each_key_is_drawn_once_and_the_oldest_goes_first() -> None:
    """The room that stencils take has an end."""
    pages = Environment(loader=DictLoader({"a": "{{ word }} {{ gap.n }}"}), autoescape=True)
    stencils, drawn = Stencils(pages, most=2), list[str]()

    def values(word: str) -> Any:
        def made() -> dict[str, str]:
            drawn.append(word)
            return {"word": word}

        return made

    for word in ("one", "one", "two", "three", "two", "one"):
        assert f"{word} 7" == stencils.get("a", word, values(word)).fill({"n": "7"})
    assert ["one", "two", "three", "one"] == drawn
