"""Acme in a store with people who may edit it, and a browser's way through its forms: page, fields, send."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select

from agents.access.administration import Administration
from agents.access.audit import verify
from agents.records.access_tables import audit
from agents.records.database import Records, open_records
from agents.records.edits import Edit
from agents.records.organisation import change, read
from agents.records.rows import Organisation
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from dashboards.web.desk import Desk
from dashboards.web.gate import Store
from schemas.instants import DAY
from tests.records.people import COMPANY, NOW
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
ORIGIN: Final = "http://testserver.local"
ACCOUNTS: Final = (("li.na", ("hr",)), ("wang", ("hr",)), ("revision", ("auditor",)), ("keys", ("admin",)))


class Acme:
    """The store; `at` is the time of day there."""

    def __init__(self, folder: Path, *edits: Edit) -> None:
        self.at = NOW
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"sqlite:///{folder / 'records.sqlite'}"
        self.records: Records = open_records(self.url)
        for edit in (COMPANY, *edits):
            change(self.records, edit, by="os:test", now=self.at - DAY)
        for name, roles in ACCOUNTS:
            Administration(self.records, "os:test", self.at).add_account(name, None, roles)

    def organisation(self) -> Organisation:
        """As it is now."""
        with self.records.reading() as connection:
            return read(connection)

    def entries(self, action: str) -> list[Any]:
        """The audit log's entries of an action; the chain holds."""
        with self.records.reading() as connection:
            assert verify(connection).broken is None
            return list(connection.execute(select(audit).where(audit.c.action == action)))

    @contextmanager
    def web(self, folder: Path, **options: Any) -> Iterator[Client]:
        """A web process over it."""
        access = Store(open_records(self.url), lambda: self.at)
        behind: dict[str, Any] = {"desk": Desk(lambda: open_records(self.url)), "access": access, **options}
        with TestClient(create_app(Shelf(folder).reader(), clock=lambda: self.at, **behind)) as client:
            client.follow_redirects = False
            yield client


class Browser:
    """Somebody signed in, who sends forms as their browser would."""

    def __init__(self, client: Client, acme: Acme, account: str) -> None:
        session = Administration(acme.records, "os:test", acme.at).start_session(account)
        self._client = client
        self.headers = {"cookie": f"{SESSION}={session}", "origin": ORIGIN}

    def get(self, address: str) -> Any:
        """A page."""
        return self._client.get(address, headers=self.headers)

    def post(self, address: str, fields: Mapping[str, str], files: Any = None) -> Any:
        """A form, as it is."""
        return self._client.post(address, data=dict(fields), files=files, headers=self.headers)

    def fill(self, address: str, **values: str) -> Any:
        """Opens a form, fills it in and sends it: what it would do, or what is wrong."""
        page = self.get(address)
        assert 200 == page.status_code, page.text
        return self.send(page.text, **values)

    def send(self, page: str, **values: str) -> Any:
        """The first form of a page that is posted."""
        action, fields = form_of(page)
        return self.post(action, {**fields, **values})

    def edit(self, address: str, **values: str) -> Any:
        """Fills in, looks at what it would do, and confirms: where one is led then."""
        checked = self.fill(address, **values)
        assert 200 == checked.status_code, checked.text
        return self.send(checked.text)


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """Where the first posted form of a page goes, and its fields as they are filled in."""
    found = re.search(r'<form[^>]*method="post"[^>]*action="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert found is not None, page
    fields = {}
    for tag in re.findall(r"<input[^>]*>", found[2]):
        own = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if own.get("type") != "checkbox" and "name" in own:
            fields[own["name"]] = own.get("value", "")
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', found[2], re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', options) or re.search(r'value="([^"]*)"', options)
        fields[name] = chosen[1] if chosen else ""
    return html.unescape(found[1]), fields
