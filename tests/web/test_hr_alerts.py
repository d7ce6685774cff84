"""Open alerts as HR sees them: all are counted, however many there are, and the gravest of all come first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.web.factories import NOW, alert
from tests.web.hr import company_of, get, web_of


def test_every_open_alert_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: the gravest is first, though the youngest; what a unit's stands for is told apart."""
    monkeypatch.setattr("dashboards.web.hr_alerts.AT_ONCE", 7)
    monkeypatch.setattr("dashboards.web.hr_pages.PAGE", 20)
    severities = {"warning": 30, "info": 12, "critical": 2}
    every = [severity for severity, times in severities.items() for _ in range(times)]
    made = [
        alert(f"b{n:02d}", f"L1-{n % 5 + 1}", unit="L1", at=NOW + n, severity=severity)
        for n, severity in enumerate(every)
    ]
    folded = [alert(f"f{n}", "L1-1", unit="L1", folded_into="b43") for n in range(3)]
    company = company_of(tmp_path / "company")
    with web_of(company, tmp_path / "views", *made, *folded, alert("a1", "L1-1", state="cleared")) as client:
        page = get(client, company, "/hr?lang=en").text
        assert ["b42", "b43", *(f"b{n:02d}" for n in range(10))] == re.findall(r'href="/alerts/(\w+)', page)
        for said in (">44 open alerts<", ">critical 2<", ">warning 30<", ">note 12<", "3 more are part of a unit"):
            assert said in page
        address, found, sizes = "/hr/alerts?lang=en", list[str](), list[int]()
        while address:
            page = get(client, company, address).text
            shown = re.findall(r'href="/alerts/(\w+)', page)
            found, sizes = [*found, *shown], [*sizes, len(shown)]
            following = re.search(r'<a href="([^"]+)" rel="next">', page)
            address = following[1].replace("&amp;", "&") if following else ""
        assert [20, 20, 4] == sizes
        assert ["b42", "b43", *(f"b{n:02d}" for n in range(42))] == found
        assert 403 == get(client, company, "/hr/alerts", "lead").status_code
        wrong = get(client, company, "/hr/alerts?after=b42")
        assert (400, "after", "b42") == (wrong.status_code, wrong.json()["field"], wrong.json()["value"])
