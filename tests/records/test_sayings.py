"""What is wrong is said in Chinese as it is in English: each sentence stands in one table, and each is used."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from agents.records.edits import Edit, close_unit, rehire, set_manager, transfer
from agents.records.sayings import SAYINGS, About, Instants, Spans, said
from agents.records.tree import OrganisationError, check
from tests.records.people import DAY, T0, company, unit

ROOM = Path(__file__).parents[2] / "agents" / "records"
LATER = T0 + DAY


def blanks(texts: tuple[str, str]) -> set[str]:
    """The values that a sentence takes."""
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_take_the_same_values() -> None:
    """Sentence and remedy together."""
    assert [] == [code for code, saying in SAYINGS.items() if blanks(saying.en) != blanks(saying.zh)]


def test_each_saying_is_used() -> None:
    """And what is used is there: a code that is misspelt is found here, not by whoever makes the mistake."""
    source = "\n".join(path.read_text("utf-8") for path in ROOM.glob("*.py") if path.name != "sayings.py")
    made = {f"bad-{name}" for name in ("unit", "name_zh", "name_en", "name", "role")}
    named = set(re.findall(r'"([a-z_0-9-]+)"', source))
    assert set() == set(SAYINGS) - named - made
    used = set(re.findall(r'(?<!\w)(?:said|Wrong)\(\s*"([a-z_0-9-]+)"', source))
    assert set() == used - set(SAYINGS)


@pytest.mark.parametrize(
    ("edit", "field", "told"),
    [
        (
            unit("zeta", "company", None, LATER),
            "parent",
            "单位 zeta，@：有两个最上级单位：acme 和这一个；让它属于 acme",
        ),
        (unit("L09", "team", None, LATER), "parent", "班组没有上级；填写上级：它属于公司、分公司、门店或部门"),
        (close_unit("L01", LATER), "at", "员工 E1，@：单位 L01 那时不存在；填写存在的单位，或在那之前结束"),
        (set_manager("L01", "E9", LATER), "employee", "单位 L01，负责人 E9，@：E9 那时没有任职"),
        (transfer("E1", "", "L01", LATER), "role", "岗位“”不能使用；用 1 至 128 个字符"),
    ],
)
def test_a_breach_is_told_in_chinese(edit: Edit, field: str, told: str) -> None:
    """With the field of the form that is to be changed, and instants as the page writes them."""
    found = [(breach.said.field, breach.told("zh", lambda _: "@")) for breach in check(company(edit))]
    assert any(one == field and told in text for one, text in found), found


def test_what_makes_no_sense_is_told_in_chinese() -> None:
    """Before any rule is asked."""
    with pytest.raises(OrganisationError) as refused:
        company(rehire("E1", "operator", "L01", LATER))
    (breach,) = refused.value.breaches
    told = "员工 E1，2026-01-02T00:00:00.000Z：该员工在职：自 2026-01-01T00:00:00.000Z 起在 L01 任 operator；改为调动"
    assert ("employee", told) == (breach.said.field, breach.told("zh"))


def test_values_are_written_as_the_language_does() -> None:
    """Lists of instants and spans, also empty ones."""
    spans = Spans(((1, 2), (3, None)))
    assert ("它在那时不存在", "它存在的时间：1 至 2, 3 至 至今") == said("not-then", spans=spans).told("zh", str)
    assert "it exists: 1 to 2, 3 to still" == said("not-then", spans=spans).told("en", str)[1]
    assert ("任职开始于：没有", "they begin at: none") == tuple(
        said("no-assignment", begins=Instants()).told(language)[1] for language in ("zh", "en")
    )
    assert ["文件", "file"] == [About("file").told(language) for language in ("zh", "en")]
