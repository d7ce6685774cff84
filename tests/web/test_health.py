"""Health and metrics: alive while it serves, honest about what it knows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from agents.views.conflate import Published
from agents.views.port import Standing
from agents.views.twin_file import NAME
from dashboards.web.app import create_app
from dashboards.web.service import Service
from dashboards.web.view import View
from tests.web.factories import NOW, line, scores, tick
from tests.web.gates import OPEN
from tests.web.shelf import Shelf, show, standing_of


@pytest.mark.parametrize(
    ("service", "heard", "wall", "expected"),
    [
        (Service(), None, NOW, ("waiting", None)),
        (Service(found=True), NOW, NOW, ("loading", None)),
        (Service(found=True, caught_up=True), None, NOW, ("waiting", None)),
        (Service(found=True, caught_up=True), NOW, NOW + 30_000, ("live", None)),
        (Service(found=True, caught_up=True), NOW, NOW + 30_001, ("silent", NOW)),
        (Service(found=True, caught_up=True), NOW, NOW - 9999, ("live", None)),
        (Service(found=True, caught_up=True, trouble="x", contact=NOW - 7), NOW, NOW, ("unavailable", NOW - 7)),
    ],
)
def test_the_service_is_told_from_what_it_publishes(
    service: Service, heard: int | None, wall: int, expected: tuple[str, int | None]
) -> None:
    """A silent service is another thing than a line that stands still."""
    view = View()
    if heard is not None:
        show(view, [tick(heard)])
    assert expected == service.state(view, wall)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], ("silent", NOW)),
        ([tick(NOW + 9_000)], ("live", None)),
        ([scores("E0001", at=NOW + 9_000)], ("behind", NOW)),
    ],
    ids=["nothing", "a tick", "scores alone"],
)
@pytest.mark.parametrize("skew", [-3_600_000, -20_000, 0, 20_000])
def test_a_service_that_stands_still_is_told_within_ten_seconds(
    records: list[Published], expected: tuple[str, int | None], skew: int
) -> None:
    """By the clock of the process that looks, whatever that of the worker says; a backlog keeps ticks back."""
    service, view, wall = Service(found=True, caught_up=True), View(), NOW + skew
    show(view, [tick(NOW)])
    service.hear(view, wall)
    assert ("live", None) == service.state(view, wall + 8_000)
    view.tell(standing_of(records, Standing("e", True, view.now, view.last_commit)))
    service.hear(view, wall + 8_500)
    assert expected == service.state(view, wall + 9_000)


def answer_when(client: TestClient[Litestar], status: str) -> Response:
    """The answer of /healthz once it tells this status."""
    deadline = time.monotonic() + 60
    while (answer := client.get("/healthz")).json()["status"] != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.005)
    return answer


def test_health_tells_process_and_age_of_the_last_commit(tmp_path: Path) -> None:
    """The contract, section 6."""
    shelf, times = Shelf(tmp_path), [NOW]
    shelf.apply(line())
    with TestClient(create_app(shelf.reader(), clock=lambda: times[-1], access=OPEN)) as client:
        times.append(NOW + 4500)
        answer = answer_when(client, "ok")
    found = answer.json()
    assert (
        answer.status_code, found["process_uptime_seconds"], found["last_commit_age_seconds"], found["detail"],
    ) == (200, 4.5, 4.5, None)  # fmt: skip
    assert (
        found["last_commit_at"], found["employees"], found["units"], found["screens"],
    ) == ("2026-03-02T05:40:00.000Z", 2, 1, 0)  # fmt: skip


def test_health_is_fine_while_the_process_waits_for_the_service(tmp_path: Path) -> None:
    """Restarting the web process would not bring the service."""
    with TestClient(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW, access=OPEN)) as client:
        answer = answer_when(client, "waiting")
    assert (200, None) == (answer.status_code, answer.json()["last_commit_age_seconds"])


def test_health_fails_when_the_views_cannot_be_read(tmp_path: Path) -> None:
    """And says why, while it serves what it knows; then it is fine again."""
    shelf = Shelf(tmp_path)
    shelf.apply(line())
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as client:
        answer_when(client, "ok")
        shelf.clear()
        (tmp_path / NAME).write_bytes(b"no database at all" * 400)
        answer = answer_when(client, "failing")
        assert (503, 2) == (answer.status_code, answer.json()["employees"])
        assert NAME in answer.json()["detail"]
        assert 0 == metric(client, "scorestream_web_views_up")
        shelf.clear()
        shelf.apply(line())
        assert 200 == answer_when(client, "ok").status_code
        assert 1 == metric(client, "scorestream_web_views_up")


def metric(client: TestClient[Litestar], name: str) -> float:
    """The value of a metric without labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return next(family.samples[0].value for family in families if family.name == name)


def test_metrics_follow_the_conventions_and_name_nobody(tmp_path: Path) -> None:
    """One prefix, base units, help texts; no person's id is a label."""
    shelf = Shelf(tmp_path)
    shelf.apply(line())
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as client:
        answer_when(client, "ok")
        text = client.get("/metrics").text
    families = list(text_string_to_metric_families(text))
    assert len(families) > 10
    for family in families:
        assert family.name.startswith("scorestream_web_")
        assert family.documentation
    assert "E0001" not in text
    (ticked,) = [family for family in families if family.name == "scorestream_web_view_tick_timestamp_seconds"]
    assert [sample.value for sample in ticked.samples] == [NOW / 1000]


def test_the_address_is_told_where_it_is_known(tmp_path: Path) -> None:
    """Rules of Prometheus put it in front of an alert's page; without the setting there is nothing to put there."""
    shelf = Shelf(tmp_path)
    told = []
    for address in (None, "https://scores.example.org"):
        with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, public_url=address)) as client:
            families = text_string_to_metric_families(client.get("/metrics").text)
            found = [each.samples for each in families if each.name == "scorestream_web_info"]
            told.append([(one.labels, one.value) for samples in found for one in samples])
    assert [[], [({"public_url": "https://scores.example.org"}, 1)]] == told
