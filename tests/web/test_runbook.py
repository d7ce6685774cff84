"""`/runbook`: where the link in an alert leads, for whoever is called, in what language of pages ever."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from litestar.testing import TestClient

from dashboards.web.app import create_app
from dashboards.web.runbook import chapters
from tests.web.factories import NOW
from tests.web.gates import Company
from tests.web.shelf import Shelf

ROOT = Path(__file__).parent.parent.parent


def test_every_alert_links_to_its_chapter(tmp_path: Path) -> None:
    """Without signing in; every link of a rule has its place on the page."""
    company = Company(tmp_path / "records")
    with TestClient(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW, access=company.gate())) as client:
        answer = client.get("/runbook?lang=zh")
        assert client.get("/hr").status_code == 401
    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert "运维手册" in answer.text
    anchors = set(re.findall(r'<section class="saying" id="([^"]+)">', answer.text))
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text("utf-8"))["groups"]
    links = [rule["annotations"]["runbook"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert len(links) > 20
    assert set() == {link.partition("}/runbook#")[2] for link in links} - anchors


def test_a_chapter_is_what_the_documentation_says() -> None:
    """All of it, and nothing of what comes after."""
    first, found = chapters()
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert first.startswith("Every alert names its heading.")
    (lag,) = (chapter for chapter in found if chapter.anchor == "scorestreamlag")
    assert f"### ScoreStreamLag\n\n{lag.text}\n" in text
    assert not any("\n## " in chapter.text for chapter in found)
