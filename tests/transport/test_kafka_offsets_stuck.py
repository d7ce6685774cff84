"""The client may wait for ever for who takes a group's offsets: nobody waits that long with it.

A cut link does it on a real broker, now and then only: the soak's fault "link cut" shows the pause.
"""

from __future__ import annotations

import time
from threading import Event
from types import SimpleNamespace

import pytest

from agents.transport.access import Access
from agents.transport.errors import CommitRefused
from agents.transport.kafka import producing
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.producing import COMMIT_S, Owner

PLACE = ("qc-events", 1)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set: the client's call for the offsets returns."""
    released = Event()
    client = SimpleNamespace(
        list_topics=lambda **_: None,
        init_transactions=lambda _: None,
        begin_transaction=lambda: None,
        send_offsets_to_transaction=lambda *_: released.wait(COMMIT_S),
        flush=lambda _: None,
        commit_transaction=lambda _: None,
        purge=lambda: None,
    )
    monkeypatch.setattr(producing, "Producer", lambda _: client)
    monkeypatch.setattr(producing, "OFFSETS_S", 0.1)
    return released


def test_offsets_that_nobody_takes_are_given_up_soon(stuck: Event) -> None:
    """Long before a commit would be."""
    owner = Owner(Cluster("localhost:1", Access()), "scorestream-1")
    began = time.monotonic()
    try:
        with pytest.raises(CommitRefused, match=r"committing as scorestream-1: no answer about the offsets for 0\.1 s"):
            owner.end(owner.begin([], {PLACE: 5}, None, lambda: None), began + COMMIT_S)
        assert time.monotonic() - began < COMMIT_S / 2
    finally:
        stuck.set()
        owner.close()


def test_offsets_that_are_taken_in_time_are_not(stuck: Event) -> None:
    """What takes longer is something else then."""
    stuck.set()
    owner = Owner(Cluster("localhost:1", Access()), "scorestream-1")
    assert owner.end(owner.begin([], {PLACE: 5}, None, lambda: None), time.monotonic() + COMMIT_S) == []
    owner.close()
