"""HR's pages: everyone, closed results with their history, the audit log; for those who may, and written down."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from litestar.testing import TestClient
from sqlalchemy import text, update

from agents.records.edits import transfer
from agents.records.result_pages import ResultKey, written
from agents.records.tables import unit_spans
from dashboards.web.app import create_app
from dashboards.web.chain_check import ChainCheck
from schemas.instants import DAY
from tests.oracle.logs import DAY as LOG_DAY
from tests.oracle.logs import HOUR, MIDNIGHT, NOON
from tests.records.test_restated import CLOSED, World, world
from tests.web.factories import NOW, scores, template, tick, total
from tests.web.gates import OPEN, WORKS, Company
from tests.web.hr import START, Client, company_of, desk_of, entries, get, last, rows, web_of
from tests.web.logged import evidence_of
from tests.web.shelf import Shelf

__all__ = ["world"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store; two results of one person and one of a unit are closed, one of them restated twice."""
    return company_of(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def client(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The web over the company."""
    with web_of(company, tmp_path_factory.mktemp("views")) as made:
        yield made


PAGES: Final = ("/hr", "/hr/alerts", "/hr/people", "/hr/results", "/hr/audit", "/hr/results.csv", "/hr/people?unit=L1")


def test_who_looks_after_all_people_may_look(client: Client, company: Company) -> None:
    """HR and auditors; nobody else, whatever unit they lead or name, and every refusal is written down."""
    for account in ("personnel", "revision"):
        assert [200] * len(PAGES) == [get(client, company, page, account).status_code for page in PAGES]
    for account in ("worker", "lead", "keys", "nothing"):
        before = last(company)
        assert [403] * len(PAGES) == [get(client, company, page, account).status_code for page in PAGES], account
        refused = [row for row in entries(company, before) if row.outcome == "refused"]
        assert len(PAGES) == len(refused)
    answer = client.get("/hr/people", headers={"accept": "text/html"})
    assert (302, True) == (answer.status_code, answer.headers["location"].startswith("/sign-in?next=%2Fhr"))


@pytest.mark.parametrize(("language", "said"), [("en", "22 known to the scoring"), ("zh", "评分服务已知 22 人")])
def test_the_first_page_says_what_waits(client: Client, company: Company, language: str, said: str) -> None:
    """People, appeals, results, alerts, plans and the chain, each with its way to more."""
    page = get(client, company, f"/hr?lang={language}").text
    assert said.replace("22", "7") in page
    assert f"/hr/results?restated=1&amp;lang={language}" in page
    expected = {"en": "16 people here", "zh": "在职 16 人"}[language]
    assert expected in page
    assert ("verified:" if language == "en" else "校验通过：") in page
    assert ("1 open alert<" if language == "en" else "1 条未关闭告警<") in page


def test_lists_call_units_by_name(client: Client, company: Company) -> None:
    """As the records have it, in the language of the page."""

    def rename(zh: str, en: str) -> None:
        with company.records.writing() as connection:
            connection.execute(update(unit_spans).where(unit_spans.c.unit == "L1").values(name_zh=zh, name_en=en))

    rename("一号线", "Line one")
    try:
        for language, name in (("en", "Line one"), ("zh", "一号线")):
            assert f"Name of L1-1 · {name}: " in get(client, company, f"/hr/alerts?lang={language}").text
            people = get(client, company, f"/hr/people?lang={language}").text
            assert f'<a href="/organisation/units/L1?lang={language}">{name}</a>' in people
    finally:
        rename("L1", "L1")


def test_the_first_page_leads_to_the_evidence_of_alerts(client: Client, company: Company) -> None:
    """Of whom, since when; whose alerts were shown is written down. The list of people counts them in one question."""
    before = last(company)
    page = get(client, company, "/hr?lang=en").text
    assert '<a href="/alerts/a1?lang=en">Name of L1-1 · L1: Semi-finished yield</a>' in page
    told = [row for row in entries(company, before) if row.right == "read-alerts"]
    assert ["L1-1"] == [who for row in told for who in json.loads(row.detail)["employees"]]
    people = get(client, company, "/hr/people?lang=en&q=L1-1").text
    assert 'href="/people/L1-1?lang=en#warnings" aria-label="1 open alert of L1-1"' in people


def test_everyone_is_listed_in_pages(client: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who are in the records and those who only have scores, each once; the pages follow each other."""
    monkeypatch.setattr("dashboards.web.hr_pages.PAGE", 5)
    found, address = [], "/hr/people?lang=en"
    while address:
        page = get(client, company, address).text
        found += rows(page)
        following = re.search(r'<a href="([^"]+)" rel="next">', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert sorted([*WORKS, "guest"]) == found
    assert "First page" in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=l1-1", ["L1-1"]),
        ("q=Name of office", [f"office-{number}" for number in range(1, 6)]),
        ("unit=plant", sorted(who for who, unit in WORKS.items() if unit in ("plant", "L1", "L2"))),
        ("unit=L2&q=-2", ["L2-2"]),
        ("unit=L1&q=guest", []),
        ("here=left", []),
        ("q=gues", ["guest"]),
        ("q=%25", []),
    ],
)
def test_people_are_found(client: Client, company: Company, query: str, expected: list[str]) -> None:
    """By id and name, by unit with all below it, by whether they are here."""
    assert expected == rows(get(client, company, f"/hr/people?{query}").text)


def test_a_person_has_their_score_of_now(client: Client, company: Company) -> None:
    """With its window, open alerts, and the way to their page; whose scores were shown is in the audit log."""
    before = last(company)
    page = get(client, company, "/hr/people?q=L1-1&lang=en").text
    assert 'href="/people/L1-1?lang=en"' in page
    assert ("101 points" in page, "▲ 1" in page, "last 60 min" in page or "last 1 hour" in page) == (True,) * 3
    (read,) = entries(company, before)
    assert ("account:personnel", "read-scores", {"count": 1, "employees": ["L1-1"]}) == (
        read.actor, read.right, json.loads(read.detail),
    )  # fmt: skip


def test_closed_results_and_what_became_of_them(client: Client, company: Company) -> None:
    """Totals first; what holds now, what it was, and how often it was restated."""
    before = last(company)
    page = get(client, company, "/hr/results?lang=en").text
    assert ["L1-1", "L1-1", "L1-1", "L1"] == rows(page)
    assert "restated 2 times" in page
    assert ">90 <" in page.replace("\n", " ") or "90" in page
    assert "was 92.5" in page
    assert ["L1-1", "L1-1"] == rows(get(client, company, "/hr/results?restated=1").text)
    assert ["L1-1"] * 4 == rows(get(client, company, "/hr/results?indicator=&kind=employee").text)
    assert [] == rows(get(client, company, "/hr/results?window=month").text)
    named = entries(company, before)
    assert {"L1-1"} == {who for row in named for who in json.loads(row.detail)["employees"]}


def test_a_result_shows_its_history(client: Client, company: Company) -> None:
    """Newest first, with what changed from one to the next."""
    page = get(client, company, "/hr/results?lang=en&restated=1&window=day").text
    href = re.search(r'href="(/hr/result\?key=[^"]+)"', page)
    assert href is not None
    page = get(client, company, href[1].replace("&amp;", "&")).text
    assert ["Restatement 2", "Restatement 1", "As it closed"] == re.findall(r"<h2>([\w ]+?) ?<", page)
    assert "<td>91</td><td>92.5</td>" in page
    assert 404 == get(client, company, f"/hr/result?key={_key('L1-9')}").status_code


@pytest.mark.parametrize(
    ("language", "gone", "why", "new"),
    [
        (
            "en",
            "withdrawn: no such shift any more",
            "an assignment said late, an event said late",
            "New in a closed period",
        ),
        ("zh", "已撤销：该班次不复存在", "补录任职, 事件迟到", "结算后新增"),
    ],
)
def test_shifts_are_called_by_their_name(
    client: Client, company: Company, language: str, gone: str, why: str, new: str
) -> None:
    """With when they start and end by the calendar, and why a row was written after they had closed."""
    page = get(client, company, f"/hr/results?lang={language}&window=shift").text
    assert ["L1-1", "L1-1"] == rows(page)
    times = re.findall(r"<td>((?:early|late) · [^<]+?)(\d\d:\d\d) – (\d\d:\d\d) <span class=\"quiet\">([^<]+)<", page)
    assert [("14:00", "20:00", "hall@1"), ("15:00", "00:00", "yard@2")] == [one[1:] for one in times]
    assert [True, True] == [text in page for text in (gone, why)]
    hrefs = [href.replace("&amp;", "&") for href in re.findall(r'href="(/hr/result\?key=[^"]+)"', page)]
    told = [get(client, company, href).text for href in hrefs]
    assert [True, True] == [why in told[0], "<td>–</td>" in told[0]]
    assert [new] == re.findall(r"<h2>([^<]+?) ?<", told[1])


def test_a_file_names_shifts_and_causes(client: Client, company: Company) -> None:
    """In columns of their own, times as times."""
    answer = get(client, company, "/hr/results.csv?window=shift")
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [("withdrawn", "early", "hall@1", "assignment,event"), ("ok", "late", "yard@2", "calendar")] == [
        tuple(row[name] for name in ("status", "shift", "calendar", "cause")) for row in found
    ]
    assert [("T06:00", "T12:00"), ("T07:00", "T16:00")] == [
        (row["shift_start"][10:16], row["shift_end"][10:16]) for row in found
    ]
    assert {""} == {row["shift_start"] for row in csv.DictReader(io.StringIO(_days(client, company)))}


def _days(client: Client, company: Company) -> str:
    return str(get(client, company, "/hr/results.csv?window=day").content.decode("utf-8-sig"))


def _key(subject: str) -> str:
    return written(ResultKey("employee", subject, START + DAY, START, "day", "production-operator", "@total"))


def test_results_are_a_file_too(client: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is asked for, whatever the page, with plain numbers; read line by line it is written down."""
    monkeypatch.setattr("dashboards.web.hr_results.SLICE", 1)
    monkeypatch.setattr("dashboards.web.hr_pages.SLICE", 1)
    before = last(company)
    answer = get(client, company, "/hr/results.csv?indicator=&template=production-operator")
    assert 'attachment; filename="results.csv"' == answer.headers["content-disposition"]
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    names = ("subject", "indicator", "value", "was_value")
    assert [
        ("L1-1", "'@total", "90.0", "92.5"), ("L1-1", "semi_finished_yield", "0.93", ""), ("L1", "'@total", "88.0", ""),
    ] == [tuple(row[name] for name in names) for row in found]  # fmt: skip
    assert ["export", "export"] == [row.action for row in entries(company, before)]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/hr/people?here=gone", "here"),
        ("/hr/results?kind=people", "kind"),
        ("/hr/results?window=hour", "window"),
        ("/hr/results?since=yesterday", "since"),
        ("/hr/results?after=x", "after"),
        ("/hr/result?key=x", "key"),
        ("/hr/audit?until=2026-02-30", "until"),
        ("/hr/audit?before=-1", "before"),
    ],
)
def test_a_wrong_filter_is_named(client: Client, company: Company, address: str, field: str) -> None:
    """With what would be right."""
    answer = get(client, company, address)
    assert (400, field) == (answer.status_code, answer.json()["field"])


def test_the_audit_log_is_read_by_filters(client: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who, whom, what, when; in pages, the newest first."""
    monkeypatch.setattr("dashboards.web.hr_pages.PAGE", 2)
    get(client, company, "/hr/people?q=L1-1")
    page = get(client, company, "/hr/audit?lang=en&whom=L1-1").text
    assert (2, True) == (page.count("<details>"), "account:personnel" in page)
    assert "&#34;L1-1&#34;" in page or "\\u0022L1-1" in page or '"L1-1"' in page
    assert 'rel="next"' in get(client, company, "/hr/audit?who=test").text
    assert "No entry matches." in get(client, company, "/hr/audit?lang=en&since=2100-01-01").text
    assert "没有符合条件的条目。" in get(client, company, "/hr/audit?lang=zh&what=nothing").text


def test_a_chain_that_was_changed_is_said(tmp_path: Path) -> None:
    """With the entry; and that it held before, a minute long, unless one asks again."""
    company = company_of(tmp_path)
    with web_of(company, tmp_path / "views") as client:
        assert "verified:" in get(client, company, "/hr/audit?lang=en").text
        with company.records.writing() as connection:
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE number = 1"))
        assert "verified:" in get(client, company, "/hr/audit?lang=en").text
        assert "entry 1 was changed" in get(client, company, "/hr/audit?lang=en&verify=1").text
        assert "审计日志已被破坏" in get(client, company, "/hr/audit?lang=zh").text


async def test_a_long_chain_does_not_keep_a_page_waiting(company: Company) -> None:
    """It is told that it goes on; the next page has it."""
    check = ChainCheck(desk_of(company.url), lambda: company.at, patience=0)
    assert None is await check.state()
    while (checked := await check.state()) is None:
        pass
    assert None is checked.found.broken
    await check.close()


def test_without_records_or_views_pages_say_so(tmp_path: Path) -> None:
    """A demo shows everything that it has."""
    shelf = Shelf(tmp_path)
    shelf.apply([template(), scores("E0001", total()), tick(NOW)])
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as demo:
        assert [200, 200, 503] == [demo.get(f"/hr{page}").status_code for page in ("", "/people", "/results")]
        assert ["E0001"] == rows(demo.get("/hr/people").text)
        assert 403 == demo.get("/hr/audit").status_code


@contextmanager
def _over(world: World) -> Iterator[Client]:
    """The web over a real log and what was closed of it."""
    shelf = Shelf(world.rig.folder / "views")
    behind: dict[str, Any] = {
        "evidence": evidence_of(world.rig.folder / "log"),
        "desk": desk_of(world.records.engine.url.render_as_string(hide_password=False)),
    }
    with TestClient(create_app(shelf.reader(), clock=lambda: world.rig.wall, access=OPEN, **behind)) as client:
        yield client


async def test_why_a_result_was_restated(world: World) -> None:
    """A correction for the person; for the unit the person, then the late transfer that took them away."""
    fields = {"corrects": "E1-1", "measures": {"accepted": -2}, "occurred_at": NOON + LOG_DAY, "source": "line-3"}
    world.log.send(world.rig.wall + 1, employee_id="E1", event_id="c", **fields)
    await world.close(CLOSED + HOUR)
    world.rig.wall += 1
    world.edit(transfer("E1", "tester", "L02", MIDNIGHT + LOG_DAY))
    await world.close(CLOSED + 2 * HOUR)
    told = _told(world)
    assert "Correction c of event E1-1" in told["E1"]
    assert "Assignment from" in told["E1"]
    assert "tester in L02" in told["E1"]
    assert "The own result of E1 was restated" in told["L01"]
    assert re.search(r"E1: from [^<]+ in L02", told["L01"])
    assert [[], [("correction", "c", "E1-1", None)], [("assignment", "L02", None, "tester")]] == told["api/E1"]
    assert [[], [("person", "E1", None, None)]] == told["api/L01"][:2]


def _told(world: World) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with _over(world) as client:
        for kind, subject in (("employee", "E1"), ("unit", "L01")):
            day = (MIDNIGHT + 2 * LOG_DAY, MIDNIGHT + LOG_DAY)
            key = written(ResultKey(kind, subject, *day, "day", "op", "yield"))
            found[subject] = client.get(f"/hr/result?key={key}&lang=en").text
            steps = client.get(f"/api/v1/results/{key}").json()["steps"]
            found[f"api/{subject}"] = [
                [(why["kind"], why["about"], why["corrects"], why["role"]) for why in step["causes"]] for step in steps
            ]
    return found
