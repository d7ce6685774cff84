"""What is no form is refused with a reason wherever forms are taken, also where it shows where it is from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from litestar.testing import TestClient

from agents.records.database import open_records
from dashboards.web.app import create_app
from dashboards.web.cast import Cast
from tests.web.editor import Acme, Browser
from tests.web.gates import Company
from tests.web.shelf import Shelf

BROKEN: Final = [
    ("multipart/form-data", b"who=E1"),  # no boundary
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name\r\n\r\nE1\r\n"),
    ("multipart/form-data; boundary=b", b"--b\r\n\xff\xfe: form-data\r\n\r\nE1\r\n--b--\r\n"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="who"\r\n\r\n\xff\r\n--b--\r\n'),
]


@pytest.mark.parametrize(("kind", "content"), BROKEN)
def test_in_a_demo(kind: str, content: bytes, tmp_path: Path) -> None:
    """Nobody is signed in there, so the form is read by the page alone."""
    company = Company(tmp_path / "company")
    gate = Cast(open_records(company.url), lambda: company.at)
    app = create_app(Shelf(tmp_path / "views").reader(), clock=lambda: company.at, access=gate)
    with TestClient(app) as client:
        sent = {"content-type": kind, "origin": "http://testserver.local"}
        answer = client.post("/choose", content=content, headers=sent)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(("kind", "content"), BROKEN)
def test_of_somebody_who_is_signed_in(kind: str, content: bytes, tmp_path: Path) -> None:
    """What shows that it is their own form is read from it first."""
    acme = Acme(tmp_path / "store")
    with acme.web(tmp_path / "views") as client:
        hr = Browser(client, acme, "li.na")
        sent = {"content-type": kind, **hr.headers}
        for address in ("/organisation/edit/add-unit", "/organisation/import", "/organisation/calendars"):
            answer = client.post(address, content=content, headers=sent)
            assert answer.status_code in (400, 403), (address, answer.text)
