"""HR's lists over the API are those of HR's pages: the same people, results, entries, and the same is written down."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from agents.records.result_pages import ResultKey, written
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from schemas.instants import DAY, format_rfc3339
from tests.web.factories import NOW, scores, template, tick, total
from tests.web.gates import OPEN, WORKS, Company
from tests.web.hr import START, company_of, entries, get, last, rows, web_of
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
ADDRESSES: Final = ("/api/v1/people", "/api/v1/results", "/api/v1/audit")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store, with closed results."""
    return company_of(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def client(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The web over the company."""
    with web_of(company, tmp_path_factory.mktemp("views")) as made:
        yield made


def listed(client: Client, company: Company, address: str, key: str) -> list[Any]:
    """A list in all its pages, by the links from one to the next, which say the same as `next`."""
    found: list[Any] = []
    while True:
        answer = get(client, company, address)
        assert 200 == answer.status_code, answer.text
        found += answer.json()[key]
        following = answer.json()["next"]
        if following is None:
            assert "link" not in answer.headers
            return found
        assert answer.json()[key], "a page that is not the last one is not empty"
        (address,) = re.findall(r'<([^>]+)>; rel="next"', answer.headers["link"])
        assert f"after={quote(following, safe='')}" in address


@pytest.mark.parametrize(
    "query",
    [
        "", "q=l1-1", "q=Name of office", "unit=plant", "unit=L2&q=-2", "unit=L1&q=guest", "here=left", "here=here",
        "q=gues", "q=%25", "q=%00", "unit=nowhere",
    ],
)  # fmt: skip
def test_people_are_those_of_the_page(client: Client, company: Company, query: str) -> None:
    """Whatever is asked for, and however long the pages are."""
    expected = rows(get(client, company, f"/hr/people?{query}").text)
    for limit in (3, 1000):
        found = listed(client, company, f"/api/v1/people?{query}&limit={limit}", "people")
        assert expected == [one["employee_id"] for one in found]


def test_a_person_is_told_whole(client: Client, company: Company) -> None:
    """Name, place, score of now, alerts; where to read more; and who is not in the records."""
    found = {one["employee_id"]: one for one in listed(client, company, "/api/v1/people?limit=7", "people")}
    score = {"template": "production-operator", "window": "rolling 60m", "points": 101.0}
    assert {
        "employee_id": "L1-1", "name": "Name of L1-1", "role": "x", "unit": "L1", "state": "here", "score": score,
        "alerts": 1, "href": "/api/v1/employees/L1-1", "page": "/people/L1-1",
    } == found["L1-1"]  # fmt: skip
    assert (None, None, "L1", "unlisted", score, 0) == tuple(
        found["guest"][name] for name in ("name", "role", "unit", "state", "score", "alerts")
    )
    assert (None, 0) == (found["office-1"]["score"], found["office-1"]["alerts"])
    assert sorted([*WORKS, "guest"]) == list(found)


@pytest.mark.parametrize(
    ("query", "of_page"),
    [
        ("", ""), ("restated=true", "restated=1"), ("indicator=&kind=employee",) * 2, ("window=month",) * 2,
        ("window=shift",) * 2, ("kind=unit",) * 2, ("subject=L1-1&template=of-shifts",) * 2, ("unit=plant",) * 2,
        ("since=2026-01-01&until=2026-01-31",) * 2, ("since=2026-02-01",) * 2, ("until=2026-01-30",) * 2,
    ],
)  # fmt: skip
def test_results_are_those_of_the_page(client: Client, company: Company, query: str, of_page: str) -> None:
    """With the same filters, in the same order."""
    expected = rows(get(client, company, f"/hr/results?{of_page}").text)
    for limit in (1, 1000):
        found = listed(client, company, f"/api/v1/results?{query}&limit={limit}", "results")
        assert expected == [one["subject"] for one in found]


def test_a_results_history_is_that_of_its_page(client: Client, company: Company) -> None:
    """The rows in the order of their numbers, and what changed; it is written down that somebody looked."""
    (one,) = listed(client, company, "/api/v1/results?restated=true&window=day", "results")
    before = last(company)
    steps = get(client, company, one["href"]).json()["steps"]
    assert [(0, 91.0, None, []), (1, 92.5, 91.0, ["value", "points"]), (2, 90.0, 92.5, ["value", "points"])] == [
        (step["result"]["number"], step["result"]["value"], step["result"]["was_value"], step["changed"])
        for step in steps
    ]
    assert one == steps[-1]["result"]
    assert ["read-scores"] == [row.right for row in entries(company, before) if row.right]
    assert 3 == get(client, company, one["page"]).text.count("<h2>")


@pytest.mark.parametrize("key", ["x", "WyJlbXBsb3llZSJd"])
def test_a_wrong_key_of_a_result_is_named(client: Client, company: Company, key: str) -> None:
    """And a right one of no result is said to be of none."""
    answer = get(client, company, f"/api/v1/results/{key}")
    assert (400, "key", key) == (answer.status_code, answer.json()["field"], answer.json()["value"])
    nobody = written(ResultKey("employee", "L1-9", START + DAY, START, "day", "production-operator", "@total"))
    answer = get(client, company, f"/api/v1/results/{nobody}")
    assert (404, "key", nobody) == (answer.status_code, answer.json()["field"], answer.json()["value"])


def test_filters_by_time_leave_something_and_something_out(client: Client, company: Company) -> None:
    """As dates and as instants, to the millisecond."""
    end = format_rfc3339(START + DAY)
    before = listed(client, company, f"/api/v1/results?window=day&since={format_rfc3339(START + DAY - 1)}", "results")
    assert ["L1-1", "L1"] == [one["subject"] for one in before]
    assert [] == listed(client, company, f"/api/v1/results?window=day&since={end}", "results")
    assert [] == listed(client, company, f"/api/v1/results?window=day&until={format_rfc3339(START)}", "results")


def test_a_result_is_told_whole(client: Client, company: Company) -> None:
    """As the table has it, with what a restated one was before, and where its history is."""
    (one, *_) = listed(client, company, "/api/v1/results?restated=true&window=day", "results")
    told = {name: one[name] for name in ("subject_kind", "subject", "number", "value", "was_value", "status", "sums")}
    assert {
        "subject_kind": "employee", "subject": "L1-1", "number": 2, "value": 90.0, "was_value": 92.5, "status": "ok",
        "sums": {},
    } == told  # fmt: skip
    assert (format_rfc3339(START), format_rfc3339(START + DAY)) == (one["window_start"], one["window_end"])
    assert "Restatement 2" in get(client, company, f"{one['page']}&lang=en").text
    (gone, new) = listed(client, company, "/api/v1/results?window=shift", "results")
    assert ("withdrawn", "early", "hall@1", ["assignment", "event"]) == tuple(
        gone[name] for name in ("status", "shift", "calendar", "cause")
    )
    assert (["calendar"], format_rfc3339(START + 7 * DAY // 24)) == (new["cause"], new["shift_start"])
    assert None is get(client, company, "/api/v1/results").json()["closed_until"]


@pytest.mark.parametrize("query", ["whom=L1-1", "what=read-people", "who=nobody", "whom=L1-1&since=2100-01-01"])
def test_the_audit_log_is_that_of_the_page(client: Client, company: Company, query: str) -> None:
    """The newest first, page by page, each entry whole; with whether the chain holds."""
    get(client, company, "/api/v1/people?q=L1-1")
    get(client, company, "/api/v1/people", "worker")
    page = get(client, company, f"/hr/audit?lang=en&{query}").text
    expected = [int(number.replace(",", "")) for number in re.findall(r'<th scope="row">([\d,]+)</th>', page)]
    found = listed(client, company, f"/api/v1/audit?{query}&limit=2", "entries")
    assert expected == [one["number"] for one in found][:50]
    stored = {row.number: row for row in entries(company)}
    for one in found:
        row = stored[one["number"]]
        assert (
            row.actor,
            row.action,
            row.subject,
            row.outcome,
            row.right,
            row.relation,
            json.loads(row.detail),
        ) == tuple(one[name] for name in ("actor", "action", "subject", "outcome", "right", "relation", "detail"))
        assert format_rfc3339(row.at) == one["at"]
    chain = get(client, company, "/api/v1/audit?verify=true").json()["chain"]
    assert (None, True) == (chain["broken"], chain["head"].endswith(f"@{chain['entries']}"))


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/api/v1/people?unit=L1", "/hr/people?unit=L1"),
        ("/api/v1/results", "/hr/results"),
        ("/api/v1/audit", "/hr/audit"),
    ],
)
def test_what_is_read_is_written_down_as_on_the_page(client: Client, company: Company, address: str, page: str) -> None:
    """Whose numbers, by which right; a refusal too."""

    def told(where: str, account: str) -> list[Any]:
        before = last(company)
        get(client, company, where, account)
        return [
            (row.actor, row.action, row.subject, row.outcome, row.right, row.relation, row.detail)
            for row in entries(company, before)
        ]

    for account in ("personnel", "worker"):
        assert told(page, account) == told(address, account)
    assert bool(told(address, "personnel")) == ("audit" not in address)
    assert "refused" == told(address, "worker")[0][3]


@pytest.mark.parametrize(
    ("address", "field", "value"),
    [
        ("people?here=gone", "here", "gone"),
        ("people?limit=0", "limit", "0"),
        ("people?limit=1001", "limit", "1001"),
        ("people?unti=L1", "unti", "L1"),
        (f"people?q={'x' * 201}", "q", "x" * 200),
        ("results?kind=people", "kind", "people"),
        ("results?window=hour", "window", "hour"),
        ("results?since=yesterday", "since", "yesterday"),
        ("results?until=2026-02-30", "until", "2026-02-30"),
        ("results?after=x", "after", "x"),
        ("results?restated=perhaps", "restated", "perhaps"),
        ("audit?since=2026-03-02T00:00", "since", "2026-03-02T00:00"),
        ("audit?after=-1", "after", "-1"),
        ("audit?after=1234567890123456789", "after", "1234567890123456789"),
    ],
)
def test_a_wrong_filter_is_named(client: Client, company: Company, address: str, field: str, value: str) -> None:
    """With its value, and what would be right."""
    answer = get(client, company, f"/api/v1/{address}")
    assert (400, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert (field, value) == (answer.json()["field"], answer.json()["value"])


@pytest.mark.parametrize("wrong", [{1: "a\0"}, {2: 2**70}, {3: -(2**63) - 1}])
def test_a_key_that_no_store_takes_is_none(client: Client, company: Company, wrong: dict[int, Any]) -> None:
    """On the page of a result, too."""
    parts = ["employee", "L1-1", START + DAY, START, "day", "production-operator", "@total"]
    said = json.dumps([wrong.get(place, part) for place, part in enumerate(parts)])
    key = base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")
    for address, field in ((f"/api/v1/results?after={key}", "after"), (f"/hr/result?key={key}", "key")):
        answer = get(client, company, address)
        assert (400, field) == (answer.status_code, answer.json()["field"])


def test_who_has_it_already_is_told_so(client: Client, company: Company) -> None:
    """By the answer's name."""
    session = company.session("personnel")
    for address in ADDRESSES:
        asked = {"cookie": f"{SESSION}={session}"}
        name = client.get(address, headers=asked).headers["etag"]
        again = client.get(address, headers={**asked, "if-none-match": name})
        assert (304, b"") == (again.status_code, again.content)


def test_without_records_it_says_so(company: Company, tmp_path: Path) -> None:
    """People who have scores are there all the same."""
    shelf = Shelf(tmp_path)
    shelf.apply([template(), scores("E0001", total()), tick(NOW)])
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=company.gate())) as client:
        found = [get(client, company, address) for address in ADDRESSES]
        assert [200, 503, 503] == [answer.status_code for answer in found]
        assert ["E0001"] == [one["employee_id"] for one in found[0].json()["people"]]
        assert ["3", "3"] == [answer.headers["retry-after"] for answer in found[1:]]
        assert "records" in found[1].json()["detail"]
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as demo:
        assert [200, 503, 403] == [demo.get(address).status_code for address in ADDRESSES]
