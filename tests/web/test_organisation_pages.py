"""The organisation in the browser: seen as of a date, edited by forms that say first what they would do."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.records.edits import add_unit, hire, set_manager
from agents.records.organisation import change
from agents.records.rows import Assignment, Charge, Employee, of
from schemas.instants import parse_rfc3339
from tests.records.people import BO, DAY, T0
from tests.web.editor import Acme, Browser, Client, form_of

EDIT = "/organisation/edit"


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    """Acme, with Bo in charge of D1."""
    return Acme(tmp_path / "store", hire(BO, "lead", "D1", T0), set_manager("D1", "E2", T0))


@pytest.fixture
def client(acme: Acme, tmp_path: Path) -> Iterator[Client]:
    """The web over it."""
    with acme.web(tmp_path / "views") as made:
        yield made


@pytest.fixture
def hr(client: Client, acme: Acme) -> Browser:
    """Somebody of HR."""
    return Browser(client, acme, "li.na")


def at(text: str) -> int:
    """An instant."""
    found = parse_rfc3339(text)
    assert found is not None
    return found


def history(acme: Acme, employee: str) -> list[Assignment]:
    """What somebody does and where."""
    return of(acme.organisation().assignments, employee)


def test_each_form_does_what_it_says(hr: Browser, acme: Acme) -> None:
    """A day's work: units and people, each edit confirmed, in the store and in the audit log with before and after."""
    day = {"at": "2026-04-01", "zone": "Asia/Shanghai"}
    since = at("2026-04-01T00:00:00+08:00")
    plan: list[tuple[str, dict[str, str]]] = [
        ("add-unit?parent=D1", {"unit": "L/3", "kind": "team", "name_zh": "三线", **day}),
        ("rename-unit?unit=L01", {"name_en": "First", "name_zh": "一线", **day}),
        ("move-unit?unit=L02", {"parent": "north", **day, "at_time": "08:30"}),
        ("hire?unit=L/3", {"employee": "E3", "name": "Zoë", "role": "operator", "language": "zh", **day}),
        ("transfer?employee=E1", {"role": "tester", "unit": "L/3", **day}),
        ("describe?employee=E1", {"name": "Ann Lee", "email": "ann@acme.example"}),
        ("set-manager?unit=L/3", {"employee": "E1", "at": "2026-04-02", "ends": "2026-05-01"}),
        ("leave?employee=E2", {"at": "2026-04-03"}),
        ("rehire?employee=E2", {"role": "lead", "unit": "D1", "at": "2026-05-01"}),
        ("set-manager?unit=D1", {"employee": "E2", "at": "2026-05-01"}),
        ("unset-manager?unit=D1&employee=E2", {"at": "2026-06-01"}),
        ("close-unit?unit=L02", {"at": "2026-07-01"}),
    ]
    for address, values in plan:
        answer = hr.edit(f"{EDIT}/{address}", **values)
        assert 303 == answer.status_code, (address, answer.text)
        assert 'role="status">✓' in hr.get(answer.headers["location"]).text
    now = acme.organisation()
    assert ("三线", "三线", "D1") == (now.unit_spans["L/3", since][4], now.unit_spans["L/3", since][5], "D1")
    assert [("L01", T0), ("L01", since)] == [span[:2] for span in of(now.unit_spans, "L01")]
    moved = at("2026-04-01T08:30:00+08:00")
    assert [(T0, moved, "D1"), (moved, at("2026-07-01T00:00:00Z"), "north")] == [
        (span.begins, span.ends, span.parent) for span in of(now.unit_spans, "L02")
    ]
    assert Employee("E1", "Ann Lee", "ann@acme.example") == now.employees[("E1",)]
    assert [("operator", "L01"), ("tester", "L/3")] == [one[2:] for one in history(acme, "E1")]
    assert [("lead", "D1"), (None, None), ("lead", "D1")] == [one[2:] for one in history(acme, "E2")]
    assert [Charge("L/3", "E1", at("2026-04-02T00:00:00Z"), at("2026-05-01T00:00:00Z"))] == of(now.managers, "L/3")
    for address, _ in plan:
        (name, *_) = address.partition("?")
        entry = acme.entries(name)[-1]
        assert ("account:li.na", "edit-organisation", "done") == (entry.actor, entry.right, entry.outcome)
        assert json.loads(entry.detail)["changes"]


def test_an_assignment_is_corrected_and_removed(hr: Browser, acme: Acme) -> None:
    """From the person's page; the instant stays as it is unless another one is written."""
    assert 303 == hr.edit(f"{EDIT}/transfer?employee=E1", unit="L02", role="tester", at="2026-01-11").status_code
    page = hr.get("/organisation/people/E1").text
    ways = [way.replace("&amp;", "&") for way in re.findall(r'href="(/organisation/edit/correct\?[^"]+)"', page)]
    assert 303 == hr.edit(ways[0], role="lead").status_code
    assert [("operator", "L01"), ("lead", "L02")] == [one[2:] for one in history(acme, "E1")]
    assert T0 + 10 * DAY == history(acme, "E1")[1].begins
    assert 303 == hr.edit(ways[0], at="2026-01-12").status_code
    assert T0 + 11 * DAY == history(acme, "E1")[1].begins
    assert 303 == hr.edit(f"{EDIT}/remove?employee=E1&begins={T0 + 11 * DAY}").status_code
    assert 1 == len(history(acme, "E1"))


def test_nothing_is_changed_by_a_look(hr: Browser, acme: Acme) -> None:
    """The form's answer says what would be; the way back to it keeps what was entered."""
    before = acme.organisation()
    checked = hr.fill(f"{EDIT}/transfer?employee=E1&lang=en", unit="L02", role="tester", at="2026-01-15")
    assert 200 == checked.status_code
    assert "tester in L02 since Jan 15, 2026" in checked.text
    assert "No closed period is affected." in checked.text
    assert "This is said after the fact" in checked.text
    assert before == acme.organisation()
    again = re.search(r'<form method="get" action="([^"]+)">(.*?)</form>', checked.text, re.DOTALL)
    assert again is not None
    query = "&".join(f"{name}={value}" for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', again[2]))
    form = hr.get(f"{again[1].partition('?')[0]}?{query}").text
    assert 'value="L02"' in form
    assert 'value="2026-01-15"' in form


# Form, what is entered, the field that is wrong, and why.
WRONG: tuple[tuple[str, dict[str, str], str, str, str], ...] = (
    ("transfer?employee=E1", {"unit": "L9"}, "unit", "unit L9 does not exist", "单位 L9 不存在"),
    ("transfer?employee=E1", {"unit": ""}, "unit", "Fill this in.", "请填写此项。"),
    ("transfer?employee=E1", {}, "unit", "they are operator in L01 already", "该员工已在 L01 任 operator"),
    ("transfer?employee=E1", {"at": "2026-13-01"}, "at", "This is no date", "这不是日期"),
    ("transfer?employee=E1", {"zone": "Mars"}, "zone", "There is no such time zone", "没有这个时区"),
    ("transfer?employee=E9", {"role": "x", "unit": "L01"}, "at", "they are not here yet", "该员工那时尚未入职"),
    ("close-unit?unit=L01", {}, "at", "employee E1 at", "员工 E1，"),
    ("move-unit?unit=D1", {"parent": "L01"}, "parent", "a department cannot belong to a team", "部门不能属于班组"),
    ("add-unit", {"unit": "L01", "parent": "D1", "name_en": "x", "kind": "store"}, "kind", "it is a team already",
     "它已经是班组"),
    ("add-unit", {"unit": "X", "parent": "D1"}, "name_en", "Write one of the two names", "两个名称至少填写一个"),
    ("hire", {"employee": "E 3", "name": "Z", "role": "x", "unit": "L01"}, "employee", "is no id", "不合规"),
    ("hire", {"employee": "E3", "name": "Z", "role": "x", "unit": "L01", "email": "z"}, "email",
     "is none", "不是邮箱"),
    ("set-manager?unit=D1", {"employee": "E9"}, "employee", "E9 has no assignment then", "E9 那时没有任职"),
    ("set-manager?unit=D1", {"employee": "E1", "ends": "2026-01-01"}, "ends", "it ends at", "它结束于"),
    ("unset-manager?unit=L01&employee=E1", {}, "at", "they are not in charge of it then", "该员工那时不是其负责人"),
    ("rename-unit?unit=L01", {}, "name_en", "it is called so already", "它已经叫这个名称"),
)  # fmt: skip


def test_what_is_wrong_stands_at_its_field(hr: Browser, acme: Acme) -> None:
    """In both languages, and once more above; what was entered stays, and nothing is changed."""
    before = acme.organisation()
    for form, values, field, *both in WRONG:
        for language, said in zip(("en", "zh"), both, strict=True):
            answer = hr.fill(f"{EDIT}/{form}{'&' if '?' in form else '?'}lang={language}", **values)
            assert 400 == answer.status_code, answer.text
            at_field = re.search(rf'id="e-{field}">(.*?)</span>', answer.text, re.DOTALL)
            assert at_field is not None, (form, answer.text)
            assert said in at_field[1]
            assert f'<a href="#f-{field}">' in answer.text
            assert re.search(rf'id="f-{field}"[^>]*aria-invalid="true" aria-describedby="e-{field}"', answer.text)
            assert all(f'value="{value}"' in answer.text for value in values.values())
    assert before == acme.organisation()


def test_a_time_that_is_skipped_is_refused(hr: Browser) -> None:
    """When clocks go forward there is no half past two."""
    gap = {"at": "2026-03-29", "at_time": "02:30", "zone": "Europe/Berlin", "unit": "L02", "role": "x"}
    answer = hr.fill(f"{EDIT}/transfer?employee=E1&lang=en", **gap)
    assert (400, True) == (answer.status_code, "The clocks skip this time" in answer.text)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Somebody else changed the same"), ("zh", "其他人刚刚更改了同一对象")]
)
def test_of_two_who_edit_the_same_the_second_is_told(
    hr: Browser, client: Client, acme: Acme, language: str, said: str
) -> None:
    """Who, when, from what to what; nothing is lost of theirs, and it can be made after they have looked."""
    other = Browser(client, acme, "wang")
    form = hr.get(f"{EDIT}/transfer?employee=E1&lang={language}").text
    checked = hr.send(form, unit="L02", role="tester", at="2026-05-01")
    assert 303 == other.edit(f"{EDIT}/transfer?employee=E1", unit="north", role="clerk", at="2026-04-01").status_code
    for answer in (hr.send(checked.text), hr.send(form, unit="L02", role="tester", at="2026-05-01")):
        assert 409 == answer.status_code
        assert said in answer.text
        assert "account:wang" in answer.text
        assert 'value="L02"' in answer.text
    assert 2 == len(history(acme, "E1"))
    again = hr.send(answer.text)
    assert 200 == again.status_code
    assert 303 == hr.send(again.text).status_code
    assert ["L01", "north", "L02"] == [one.unit for one in history(acme, "E1")]


def test_a_form_that_is_sent_twice_is_made_once(hr: Browser, acme: Acme) -> None:
    """The second is told that it was made, by oneself."""
    checked = hr.fill(f"{EDIT}/transfer?employee=E1&lang=en", unit="L02", role="tester", at="2026-05-01").text
    assert [303, 409] == [hr.send(checked).status_code for _ in range(2)]
    assert 2 == len(history(acme, "E1"))
    assert 1 == len(acme.entries("transfer"))


def test_who_may_not_edit_sees_and_does_not_edit(client: Client, acme: Acme) -> None:
    """An auditor sees all but addresses, an administrator of accounts nothing; a form from elsewhere is refused."""
    auditor, admin, hr = (Browser(client, acme, name) for name in ("revision", "keys", "li.na"))
    for page in ("/organisation", "/organisation/units/L01", "/organisation/people/E2"):
        shown = auditor.get(page)
        assert 200 == shown.status_code
        assert EDIT not in shown.text
        assert BO.email not in shown.text if BO.email else True
        assert 403 == admin.get(page).status_code
    assert BO.email is not None
    assert BO.email in hr.get("/organisation/people/E2").text
    for page in (f"{EDIT}/hire", "/organisation/import", "/organisation/export/employees.csv"):
        assert [403, 403, 200] == [one.get(page).status_code for one in (auditor, admin, hr)]
    assert (
        403
        == hr.post(f"{EDIT}/leave", {"employee": "E1", "at": "2026-04-01", "seen": "99", "confirm": "1"}).status_code
    )
    assert 403 == auditor.post(f"{EDIT}/leave", {"employee": "E1"}).status_code
    assert 1 == len(history(acme, "E1"))
    assert [404, 404, 404] == [
        hr.get(page).status_code for page in (f"{EDIT}/fire", "/organisation/units/L99", "/organisation/export/x.csv")
    ]


def test_the_tree_is_that_of_the_date(hr: Browser) -> None:
    """Today, or as of the end of a day; before the first there is nothing."""
    assert 303 == hr.edit(f"{EDIT}/move-unit?unit=L02", parent="north", at="2026-04-01").status_code
    assert 303 == hr.edit(f"{EDIT}/rename-unit?unit=L02", name_en="Second", name_zh="二线", at="2026-04-01").status_code
    today, later = hr.get("/organisation?lang=en").text, hr.get("/organisation?lang=en&at=2026-04-01").text
    assert ("Second" in today, "Second" in later) == (False, True)
    assert "2 people, 1 of them directly" in today
    assert "in charge: Bo<" in " ".join(today.split())
    assert "There is no unit on this date." in hr.get("/organisation?lang=en&at=2025-01-01").text
    unit = hr.get("/organisation/units/L02?lang=zh&at=2026-04-01").text
    assert "<h1>二线</h1>" in unit
    assert "该单位在此日期不存在" in hr.get("/organisation/units/L02?lang=zh&at=2025-01-01").text
    assert 400 == hr.get("/organisation?at=tomorrow").status_code


def test_an_export_imported_again_changes_nothing(hr: Browser, acme: Acme) -> None:
    """Each form of it; what would be done is nothing."""
    odd = add_unit("=X", "team", "D1", "'=一", "=1+1", T0)
    change(acme.records, odd, by="os:test", now=acme.at)
    names = ("organisation.yaml", "units.csv", "employees.csv", "assignments.csv", "managers.csv")
    content = {name: hr.get(f"/organisation/export/{name}").content for name in names}
    for files in (names[:1], names[1:]):
        answer = _upload(hr, *((name, content[name]) for name in files))
        assert (200, True) == (answer.status_code, "Nothing would change." in answer.text), answer.text


def _upload(browser: Browser, *files: tuple[str, bytes], **fields: str) -> Any:
    """The import's form with files."""
    action, own = form_of(browser.get("/organisation/import?lang=en").text)
    own.pop("files", None)
    return browser.post(action, {**own, **fields}, [("files", (name, io.BytesIO(content))) for name, content in files])


NEW = b"employee,name\nE7,Ming\nE8,=Tom\n"
WORK = b"employee,begins,role,unit\nE7,2026-02-01T00:00:00Z,operator,L01\nE8,,tester,L02\n"


def test_files_are_imported_after_a_look(hr: Browser, acme: Acme) -> None:
    """The report, then exactly that; rows without a beginning begin on the date; one entry in the audit log."""
    before = acme.organisation()
    report = _upload(hr, ("employees.csv", NEW), ("assignments.csv", WORK), date="2026-03-05")
    assert 200 == report.status_code, report.text
    assert "people, added: <b>2</b>" in report.text
    assert "tester in L02 since Mar 5, 2026" in report.text
    assert before == acme.organisation()
    done = hr.send(report.text)
    assert (303, "/organisation?done=import&lang=en") == (done.status_code, done.headers["location"])
    assert [Assignment("E8", at("2026-03-05T00:00:00Z"), "tester", "L02")] == history(acme, "E8")
    (entry,) = acme.entries("import")
    told = json.loads(entry.detail)
    assert (["employees.csv", "assignments.csv"], 4, "organisation") == (told["files"], told["count"], entry.subject)


def test_an_import_says_what_is_wrong_line_by_line(hr: Browser, acme: Acme) -> None:
    """What is no file, what breaks a rule, no file at all, too much of it; nothing is changed."""
    before = acme.organisation()
    for files, said in (
        ([("a.csv", b"employee,name\nE7\n")], "a.csv line 2:"),
        ([("a.csv", b"employee,begins,role,unit\nE1,2026-01-01T00:00:00Z,x,L9\n")], "unit L9 does not exist"),
        ([("a.yaml", b"units: [")], "not YAML"),
        ([("a.yaml", b"\xff")], "not UTF-8"),
        ([("a.yaml", b"units:\n- {unit: X, kind: team, parent: D1, name_en: X}\n")], "begins is missing"),
    ):
        answer = _upload(hr, *files)
        assert (400, True) == (answer.status_code, said in answer.text), answer.text
    assert 400 == _upload(hr).status_code
    assert 413 == _upload(hr, ("a.csv", b"x" * (4 << 20)), ("b.csv", b"y")).status_code
    assert 400 == _upload(hr, *((f"{n}.csv", b"x") for n in range(9))).status_code
    assert 400 == _upload(hr, date="soon").status_code
    assert before == acme.organisation()


def test_an_import_after_another_edit_shows_its_report_anew(hr: Browser, client: Client, acme: Acme) -> None:
    """And is made when that is confirmed; what comes back broken is refused."""
    report = _upload(hr, ("employees.csv", NEW), ("assignments.csv", WORK), date="2026-03-05").text
    other = Browser(client, acme, "wang")
    assert 303 == other.edit(f"{EDIT}/leave?employee=E1", at="2026-04-01").status_code
    again = hr.send(report)
    assert (409, True) == (again.status_code, "The organisation was changed meanwhile" in again.text)
    assert [] == history(acme, "E7")
    assert 303 == hr.send(again.text).status_code
    assert 1 == len(history(acme, "E7"))
    assert [400, 400] == [hr.send(report, packed=text).status_code for text in ("!", "bm8=")]
    assert 400 == hr.send(report, seen="x").status_code
