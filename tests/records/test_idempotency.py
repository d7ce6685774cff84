"""A key stands for one request: its answer comes again, another content is refused, the dead let go of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agents.records.database import Records
from agents.records.idempotency import KEPT_MS, LEASE_MS, KeyTaken, KeyUnderWay, begin, finish, release, sweep

NOW = 1_772_430_000_000
ONE = ("token 1", "shift-7")


def test_the_same_request_again_gets_the_answer(records: Records) -> None:
    """For a day; another client's key of the same name is another key."""
    assert begin(records, *ONE, b"digest", NOW) is None
    finish(records, *ONE, NOW, b"answer")
    assert b"answer" == begin(records, *ONE, b"digest", NOW + KEPT_MS - 1)
    assert begin(records, "token 2", "shift-7", b"other", NOW) is None
    assert begin(records, *ONE, b"digest", NOW + KEPT_MS) is None


def test_another_content_under_the_same_key_is_refused(records: Records) -> None:
    """Whether the first is done or not."""
    begin(records, *ONE, b"digest", NOW)
    with pytest.raises(KeyTaken):
        begin(records, *ONE, b"other", NOW)
    finish(records, *ONE, NOW, b"answer")
    with pytest.raises(KeyTaken):
        begin(records, *ONE, b"other", NOW + LEASE_MS)


def test_who_died_lets_go_of_the_key_in_time(records: Records) -> None:
    """And what the dead one says later does not touch who took it over."""
    begin(records, *ONE, b"digest", NOW)
    with pytest.raises(KeyUnderWay):
        begin(records, *ONE, b"digest", NOW + LEASE_MS - 1)
    assert begin(records, *ONE, b"digest", NOW + LEASE_MS) is None
    finish(records, *ONE, NOW, b"of the dead")
    release(records, *ONE, NOW)
    with pytest.raises(KeyUnderWay):
        begin(records, *ONE, b"digest", NOW + LEASE_MS)


def test_a_request_that_did_nothing_gives_its_key_back(records: Records) -> None:
    """Only while it has no answer."""
    begin(records, *ONE, b"digest", NOW)
    release(records, *ONE, NOW)
    assert begin(records, *ONE, b"other", NOW + 1) is None
    finish(records, *ONE, NOW + 1, b"answer")
    release(records, *ONE, NOW + 1)
    assert b"answer" == begin(records, *ONE, b"other", NOW + 2)


def test_one_of_many_at_once_does_it(records: Records) -> None:
    """The others are told that it is under way."""

    def attempt(_: int) -> str:
        try:
            return "begun" if begin(records, *ONE, b"digest", NOW) is None else "answered"
        except KeyUnderWay:
            return "under way"

    with ThreadPoolExecutor(4) as threads:
        found = sorted(threads.map(attempt, range(8)))
    assert ["begun", *["under way"] * 7] == found


def test_old_keys_are_swept(records: Records) -> None:
    """Those of a day ago and no others."""
    for number in range(3):
        begin(records, "token 1", f"key-{number}", b"digest", NOW + number)
    assert 2 == sweep(records, NOW + KEPT_MS + 1)
    assert 0 == sweep(records, NOW + KEPT_MS + 1)
