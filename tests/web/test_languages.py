"""Languages: one decision, two catalogues that say the same things, plurals as each language has them."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

import pytest

from dashboards.web.faces import KINDS
from dashboards.web.figures import Figures
from dashboards.web.languages import LANGUAGES, PAGES, Language, catalogue_bytes, choose, words

_NOTICES = tuple(
    f"me.{what}." for what in ("nobody", "noemployee", "noalert", "unknown", "busy", "slow", "absent", "unavailable")
)


@pytest.mark.parametrize(
    ("asked", "configured", "accepted", "expected"),
    [
        ("zh", "en", "en", "zh"),
        ("zh-CN", None, "en", "zh"),
        ("fr", "zh", "en", "zh"),
        (None, "zh", "en-US,en;q=0.9", "zh"),
        (None, None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, None, "en;q=0.5,zh-TW;q=0.9", "zh"),
        (None, None, "fr,zh;q=0", "en"),
        (None, None, "zh;q=much,en;q=0.1", "en"),
        (None, None, "", "en"),
        (None, None, ";;,,;q=", "en"),
        ("<script>", None, "*", "en"),
    ],
)
def test_a_language_is_chosen(asked: str | None, configured: Language | None, accepted: str, expected: str) -> None:
    """The address first, then the setting, then the browser, then English."""
    assert expected == choose(asked, configured, accepted)


def test_both_catalogues_have_the_same_texts_with_the_same_blanks() -> None:
    """A missing text would be seen only on the screen of the other language."""
    english, chinese = (json.loads(catalogue_bytes(language)) for language in LANGUAGES)
    assert list(english) == list(chinese)
    for key in english:
        assert blanks(english[key]) == blanks(chinese[key]), key


def _pages(language: str) -> dict[str, Any]:
    folder = resources.files("dashboards.web").joinpath("words")
    named = [json.loads(folder.joinpath(f"{name}.{language}.json").read_bytes()) for name in PAGES]
    texts: dict[str, Any] = {key: text for own in named for key, text in own.items()}
    assert len(texts) == sum(map(len, named))
    return texts


def test_both_catalogues_of_pages_have_the_same_texts_with_the_same_blanks() -> None:
    """And none of them is a text of the boards."""
    english, chinese = (_pages(language) for language in LANGUAGES)
    assert list(english) == list(chinese)
    assert set() == set(english) & set(json.loads(catalogue_bytes("en")))
    for key in english:
        assert blanks(english[key]) == blanks(chinese[key]), key


def blanks(text: str | dict[str, str]) -> set[str]:
    """The names of the values that a text takes."""
    return set(re.findall(r"\{(\w+)\}", text["other"] if isinstance(text, dict) else text))


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    """Pages and modules name their texts; families that are put together at run time are listed here."""
    package = resources.files("dashboards.web")
    source = "\n".join(
        entry.read_text("utf-8")
        for folder in ("static", "templates")
        for entry in package.joinpath(folder).iterdir()
        if entry.name.endswith((".js", ".html"))
    )
    used = set(re.findall(r"""(?:words|say)\(\s*["']([\w.@]+)["']""", source))
    used |= set(re.findall(r"""["'](stale(?:\.\w+)?|page\.\w+)["']""", source))
    used |= set(re.findall(r"""text\[["']([\w.@]+)["']""", source))
    used |= set(re.findall(r"""(?:said|words)\(\s*["']([\w.@]+)["']""", _modules()))
    boards = ("mark.", "window.", "total.", "service.", "alert.", "funnel.inside", "funnel.warn.", "funnel.act.")
    own = ("appeals.state.", "events.status.", "me.missing.", "me.short.", "me.theme.", "me.rule.", *_NOTICES)
    own += ("me.trend.", "me.beside.", "me.task", "me.alert.step.", "team.done.")
    own += ("hr.place.", "hr.title.", "hr.kind.", "hr.of.", "hr.window.", "hr.status.", "hr.field.", "hr.cause")
    own += ("hr.why.", "hr.closed.", "refused.")
    own += ("hr.audit.outcome.", *(f"organisation.{name}." for name in ("kind", "row", "table", "form", "done")))
    own += (
        "organisation.field.",
        "organisation.wrong.",
        "organisation.calendar.state.",
        "organisation.added",
        "organisation.changed",
        "organisation.removed",
    )
    own += ("unit.", "work.")
    troubles = ("sign_in.refused", "sign_in.unknown", "sign_in.provider")
    faces = ("choose.page.", *(f"choose.{kind}." for kind in KINDS))
    known = set(json.loads(catalogue_bytes("en"))) | set(_pages("en"))
    assert set() == {key for key in used - known if not key.endswith((".", "@"))}
    assert set() == {key for key in known - used if not key.startswith((*boards, *own, *troubles, *faces))}


@pytest.mark.parametrize(
    ("language", "n", "expected"),
    [
        ("en", 1, "There is 1 board:"),
        ("en", 1200, "There are 1,200 boards:"),
        ("zh", 1, "现有 1 个看板："),
    ],
)
def test_a_plural_is_that_of_the_language(language: Language, n: int, expected: str) -> None:
    """And numbers are grouped as the language does."""
    assert expected == words(language)("unknown.units", n=n)


def _modules() -> str:
    folder = resources.files("dashboards.web")
    return "\n".join(entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".py"))


def test_a_text_that_is_not_there_is_an_error() -> None:
    """On the server a missing text is a bug, found by the test of its page."""
    with pytest.raises(KeyError):
        words("en")("no.such.text")


@pytest.mark.parametrize(
    ("language", "units", "role"), [("en", "units per hour", "operator"), ("zh", "件/小时", "操作工")]
)
def test_units_and_roles_that_are_known_are_said_in_the_language(language: Language, units: str, role: str) -> None:
    """What somebody else wrote stays as they wrote it."""
    said = words(language)
    assert (units, role) == (said.unit("units per hour"), said.role("operator"))
    assert ("furlongs", "Chief", "") == (said.unit("furlongs"), said.role("Chief"), said.role(None))
    assert f"59.41 {units}" == Figures(said).value(59.41, "units per hour", is_rate=False)


def test_shares_are_written_in_one_way() -> None:
    """Figures and texts alike, as Babel and the browser write them: without a space."""
    for language in LANGUAGES:
        texts = [*json.loads(catalogue_bytes(language)).values(), *_pages(language).values()]
        assert [] == [text for text in texts if "\u202f%" in str(text) or " %" in str(text)]
        assert "95.5%" == Figures(words(language)).percent(0.955)
