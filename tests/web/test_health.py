"""Health and metrics: alive while it serves, honest about what it knows."""

from __future__ import annotations

import pytest
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from dashboards.web.app import create_app
from dashboards.web.service import Service
from dashboards.web.view import View
from tests.web.factories import NOW, line, tick


@pytest.mark.parametrize(
    ("service", "heard", "wall", "expected"),
    [
        (Service(), None, NOW, ("waiting", None)),
        (Service(found=True), NOW, NOW, ("loading", None)),
        (Service(found=True, caught_up=True), None, NOW, ("waiting", None)),
        (Service(found=True, caught_up=True), NOW, NOW + 30_000, ("live", None)),
        (Service(found=True, caught_up=True), NOW, NOW + 30_001, ("silent", NOW)),
        (Service(found=True, caught_up=True), NOW, NOW - 9999, ("live", None)),
    ],
)
def test_the_service_is_told_from_what_it_publishes(
    service: Service, heard: int | None, wall: int, expected: tuple[str, int | None]
) -> None:
    """A silent service is another thing than a line that stands still."""
    view = View()
    if heard is not None:
        view.apply([tick(heard)])
    assert expected == service.state(view, wall)


def test_health_tells_process_and_age_of_the_last_commit() -> None:
    """The contract, section 6."""
    view, times = View(), [NOW]
    view.apply(line())
    with TestClient(create_app(view, clock=lambda: times[-1])) as client:
        times.append(NOW + 4500)
        answer = client.get("/healthz")
    found = answer.json()
    assert (
        answer.status_code, found["status"], found["process_uptime_seconds"], found["last_commit_age_seconds"],
    ) == (200, "ok", 4.5, 4.5)  # fmt: skip
    assert (
        found["last_commit_at"], found["employees"], found["units"], found["screens"],
    ) == ("2026-03-02T05:40:00.000Z", 2, 1, 0)  # fmt: skip


def test_health_is_fine_while_the_process_waits_for_the_service() -> None:
    """Restarting the web process would not bring the service."""
    with TestClient(create_app(View(), clock=lambda: NOW)) as client:
        answer = client.get("/healthz")
    assert (
        answer.status_code,
        answer.json()["status"],
        answer.json()["last_commit_age_seconds"],
    ) == (200, "waiting", None)


def test_health_fails_when_the_log_cannot_be_read() -> None:
    """And says why."""
    app = create_app(View(), clock=lambda: NOW)
    app.state.web.service.trouble = "LogCorrupt: ledger.sqlite"
    with TestClient(app) as client:
        answer = client.get("/healthz")
    assert (
        answer.status_code, answer.json()["status"], answer.json()["detail"],
    ) == (503, "failing", "LogCorrupt: ledger.sqlite")  # fmt: skip


def test_metrics_follow_the_conventions_and_name_nobody() -> None:
    """One prefix, base units, help texts; no person's id is a label."""
    view = View()
    view.apply(line())
    with TestClient(create_app(view, clock=lambda: NOW)) as client:
        text = client.get("/metrics").text
    families = list(text_string_to_metric_families(text))
    assert len(families) > 10
    for family in families:
        assert family.name.startswith("scorestream_web_")
        assert family.documentation
    assert "E0001" not in text
    (ticked,) = [family for family in families if family.name == "scorestream_web_view_tick_timestamp_seconds"]
    assert [sample.value for sample in ticked.samples] == [NOW / 1000]
