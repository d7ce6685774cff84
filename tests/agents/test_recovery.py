"""A store is what its changelog says, or it is built anew; how far that is can be seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import recovery
from agents.recovery import restore
from agents.store import Position, Store
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part
from stream.topics import CHANGELOG
from tests.agents.rig import new_log

VALUES = {b"e%04d" % number: b"%d" % number for number in range(100)}


@pytest.fixture
def log(folder: Path) -> Iterator[EmbeddedLog]:
    """A log whose changelog has VALUES, the last ten written twice and one deleted."""
    with new_log(folder / "log", 1) as log:
        _change(log, *((key, b"old") for key in list(VALUES)[90:]), *VALUES.items(), (b"e9999", b"x"), (b"e9999", None))
        yield log


def _change(log: EmbeddedLog, *changes: tuple[bytes, bytes | None]) -> None:
    log.transact([Part(0, [Outgoing(CHANGELOG, 0, 0, key, value) for key, value in changes], {})])


def _content(store: Store) -> dict[bytes, bytes]:
    return dict(store.items(b"e"))


def test_a_new_store_is_read_from_the_changelog(log: EmbeddedLog, tmp_path: Path) -> None:
    """The latest value of each key, nothing of what was deleted, and where that is in the changelog."""
    store = restore(log, tmp_path / "0", 0)
    assert VALUES == _content(store)
    assert Position(log.log_id, log.end(CHANGELOG, 0)) == store.position()
    store.close()


def test_progress_tells_records_read_and_to_read(
    log: EmbeddedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps up to the end; a store that lacks a part tells of that part only."""
    monkeypatch.setattr(recovery, "_BATCH", 40)
    told: list[tuple[int, int]] = []
    restore(log, tmp_path / "0", 0, lambda *step: told.append(step)).close()
    assert [(40, 112), (80, 112), (112, 112)] == told
    _change(log, (b"e0000", b"new"))
    told.clear()
    store = restore(log, tmp_path / "0", 0, lambda *step: told.append(step))
    assert [(1, 1)] == told
    assert b"new" == store.get(b"e0000")
    store.close()


def _of_another_log(folder: Path, log: EmbeddedLog) -> None:
    store = Store(folder)
    store.write([(b"e", b"strange")], Position("another", 1))
    store.close()


def _ahead(folder: Path, log: EmbeddedLog) -> None:
    store = Store(folder)
    store.write([(b"e", b"from nowhere")], Position(log.log_id, log.end(CHANGELOG, 0) + 1))
    store.close()


def _without_current(folder: Path, _: EmbeddedLog) -> None:
    (folder / "CURRENT").unlink()


def _without_a_table(folder: Path, _: EmbeddedLog) -> None:
    for table in folder.glob("*.sst"):
        table.unlink()


def _garbage(folder: Path, _: EmbeddedLog) -> None:
    for file in folder.iterdir():
        file.write_bytes(b"garbage")


@pytest.mark.parametrize("harm", [_of_another_log, _ahead, _without_current, _without_a_table, _garbage])
def test_what_cannot_be_trusted_is_built_anew(log: EmbeddedLog, tmp_path: Path, harm: object) -> None:
    """Another log's store, one from the future, and damaged ones; nothing of them is left in the values."""
    assert callable(harm)
    restore(log, tmp_path / "0", 0).close()
    harm(tmp_path / "0", log)
    store = restore(log, tmp_path / "0", 0)
    assert VALUES == _content(store)
    store.close()


def test_an_older_copy_is_brought_forward(log: EmbeddedLog, tmp_path: Path) -> None:
    """Yesterday's store reads what came since, deletions too."""
    restore(log, tmp_path / "0", 0).close()
    shutil.copytree(tmp_path / "0", tmp_path / "copy")
    _change(log, (b"e0000", None), (b"e0001", b"new"))
    restore(log, tmp_path / "0", 0).close()
    shutil.rmtree(tmp_path / "0")
    (tmp_path / "copy").rename(tmp_path / "0")
    store = restore(log, tmp_path / "0", 0)
    assert {**VALUES, b"e0001": b"new"} == {b"e0000": b"0", **_content(store)}
    assert None is store.get(b"e0000")
    store.close()


def test_a_compacted_changelog_is_enough(log: EmbeddedLog, tmp_path: Path) -> None:
    """What compaction has taken is not missed, also by a store that stands in what was taken."""
    restore(log, tmp_path / "0", 0).close()
    _change(log, *((key, b"new") for key in VALUES))
    log.compact()
    for folder in (tmp_path / "0", tmp_path / "1"):
        store = restore(log, folder, 0)
        assert dict.fromkeys(VALUES, b"new") == _content(store)
        store.close()
