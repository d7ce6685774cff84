"""Which events made a score: the page has the numbers of `scorestream explain`, asks little of the log, and says no."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from agents.explaining import Question, event_fields, explain, score_fields
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.log import Log
from dashboards.web.app import create_app
from dashboards.web.evidence import Evidence, EvidenceAbsent, EvidenceBusy, EvidenceSlow
from schemas.instants import parse_rfc3339
from stream.pipeline import Limits
from tests.cli.scored import append, inspection
from tests.web.gates import OPEN
from tests.web.logged import day_of_work, evidence_of, published
from tests.web.people import COOKIE, SignedIn
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
AS_OF = "2026-03-02T12:00:00.000Z"
ASKED = f"indicator=yield&window=day&template=yield&as_of={AS_OF}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a day."""
    made = tmp_path_factory.mktemp("log")
    day_of_work(made)
    return made


@contextmanager
def _client(folder: Path, evidence: Evidence | None, who: str = "own") -> Iterator[Client]:
    shelf = Shelf(folder / "views")
    shelf.apply(published(folder))
    app: Any = SignedIn(create_app(shelf.reader(), evidence=evidence, access=OPEN))
    with TestClient(app) as client:
        client.cookies.set(COOKIE, who)
        yield client


def test_the_page_lists_what_explain_lists(folder: Path) -> None:
    """Each event with what it adds, the correction beside what it corrects, sums, formula and version."""
    with _client(folder, evidence_of(folder)) as client:
        answer = client.get(f"/me/events?{ASKED}")
    assert 200 == answer.status_code
    with EmbeddedLog.open(folder) as log:
        asked = Question("E0001", "yield", "day", parse_rfc3339(AS_OF) or 0)
        found = explain(log, Limits(), asked)
    events = [event_fields(found, counts) for counts in found.events]
    assert ["q1", "q2", "c1"] == [event["event_id"] for event in events]
    assert ["q1", "q2", "c1"] == re.findall(r'<th scope="row" class="id">([\w-]+)', answer.text)
    assert score_fields(found)["with_numbers"] in answer.text
    assert "accepted <b>76</b> · inspected <b>80</b>" in answer.text
    assert "corrects q2" in answer.text
    assert "corrected by c1" in answer.text
    assert "Yield, version 1" in answer.text
    assert "3 events count in this score." in answer.text


def test_a_supervisor_sees_the_events_and_contests_nothing(folder: Path) -> None:
    """The same table, without the links of the person."""
    with _client(folder, evidence_of(folder), "boss") as client:
        answer = client.get(f"/people/E0001/events?{ASKED}")
    assert 200 == answer.status_code
    assert "q2" in answer.text
    assert "/me/appeal" not in answer.text


def test_a_total_is_made_of_its_indicators(folder: Path) -> None:
    """Each of them leads to its own events."""
    with _client(folder, evidence_of(folder)) as client:
        page = client.get(f"/me/events?indicator=@total&window=day&as_of={AS_OF}").text
        href = re.search(r'href="([^"]*indicator=yield[^"]*)"', page)
        assert href is not None
        assert "3 events count" in client.get(href[1].replace("&amp;", "&")).text
    assert "sum(weight * points) / sum(weight)" in page


def test_many_events_come_in_pages(tmp_path: Path) -> None:
    """Fifty a page; each event stands on one of them."""
    day_of_work(tmp_path)
    more = [inspection(f"m{i:03d}", "E0001", f"2026-03-02T09:{i // 60:02d}:{i % 60:02d}Z", 1, 1) for i in range(90)]
    append(tmp_path, more, template=None)
    with _client(tmp_path, evidence_of(tmp_path)) as client:
        pages = [client.get(f"/me/events?{ASKED}&page={number}").text for number in (1, 2, 99)]
    listed = [re.findall(r'<th scope="row" class="id">([\w-]+)', page) for page in pages]
    assert [50, 43, 43] == [len(ids) for ids in listed]
    assert 93 == len({*listed[0], *listed[1]})
    assert 'rel="next"' in pages[0]
    assert 'rel="prev"' in pages[1]


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("indicator=yeild&window=day", 404, "yield (day)"),
        ("indicator=yield&window=week", 404, "is no score of E0001"),
        ("indicator=yield&window=day&as_of=yesterday", 400, "is not an RFC 3339 time"),
    ],
)
def test_a_score_that_is_not_there_is_said(folder: Path, query: str, status: int, told: str) -> None:
    """With what there is, and the way back."""
    with _client(folder, evidence_of(folder)) as client:
        answer = client.get(f"/me/events?{query}")
    assert (status, True, True) == (answer.status_code, told in answer.text, 'href="/me"' in answer.text)


def test_without_a_log_the_page_says_so(folder: Path, tmp_path: Path) -> None:
    """No log for this process, or none in the folder; scores are shown all the same."""
    for evidence in (None, evidence_of(tmp_path / "nothing")):
        with _client(folder, evidence) as client:
            answer = client.get(f"/me/events?{ASKED}")
            assert 200 == client.get("/me").status_code
        assert (503, True) == (answer.status_code, "The log cannot be read" in answer.text)


async def test_few_questions_are_asked_at_once(folder: Path) -> None:
    """Who has to wait too long is told when to come again; afterwards there is room, also after a cancelled one."""
    go, inside = threading.Event(), threading.Semaphore(0)

    def slow() -> AbstractContextManager[Log]:
        inside.release()
        assert go.wait(60)
        return EmbeddedLog.open(folder)

    evidence = Evidence(slow, lambda log: Limits(), at_once=2, patience=0.01)
    going = [asyncio.create_task(evidence.explain("E0001", "yield", "day", None, None)) for _ in range(2)]
    for _ in going:
        await asyncio.to_thread(inside.acquire)
    going[0].cancel()
    with pytest.raises(EvidenceBusy):
        await evidence.explain("E0001", "yield", "day", None, None)
    go.set()
    assert 3 == len((await going[1]).found.events)
    assert 3 == len((await evidence.explain("E0001", "yield", "day", None, None)).found.events)
    evidence.close()


async def test_a_download_that_is_given_up_leaves_its_turn_to_others(folder: Path) -> None:
    """Whether it is given up while the log is read, or between two records; one that waits has none either."""
    go, inside = threading.Event(), threading.Semaphore(0)

    def slow() -> AbstractContextManager[Log]:
        inside.release()
        assert go.wait(60)
        return EmbeddedLog.open(folder)

    evidence = Evidence(slow, lambda log: Limits(), at_once=2, patience=5)
    for _ in range(2):
        go.clear()
        reading = asyncio.ensure_future(anext(evidence.events("E0001")))
        await asyncio.to_thread(inside.acquire)
        reading.cancel()
        await asyncio.wait([reading])
        go.set()
    waiting = [evidence.events("E0001") for _ in range(2)]
    for download in waiting:
        assert b'"o1"' in await anext(download)
    assert 3 == len((await evidence.explain("E0001", "yield", "day", None, None)).found.events)
    for download in waiting:
        await download.aclose()
    evidence.close()


async def test_a_download_comes_in_parts_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short they are, and while others are answered: each record once, in the order of the log."""
    evidence = evidence_of(folder)
    whole = [record async for record in evidence.events("E0001")]
    monkeypatch.setattr("dashboards.web.evidence.PART", 1)
    monkeypatch.setattr("agents.replay._CHUNK", 1)
    parts = []
    async for record in evidence.events("E0001"):
        parts.append(record)
        assert 3 == len((await evidence.explain("E0001", "yield", "day", None, None)).found.events)
    evidence.close()
    assert (4, whole) == (len(parts), parts)


async def test_a_question_has_its_time(folder: Path) -> None:
    """A log that is too long for a page ends the question, not the process."""
    evidence = evidence_of(folder, seconds=-1.0)
    with pytest.raises(EvidenceSlow):
        await evidence.explain("E0001", "yield", "day", None, None)
    with pytest.raises(EvidenceAbsent):
        await evidence_of(folder / "nothing").explain("E0001", "yield", "day", None, None)
