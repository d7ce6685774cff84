"""Whatever happens to the files of a store: it says so, or it is a whole prefix of the changelog. Never a part."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from random import Random

import pytest
from rocksdict import Rdict

from agents.store import Position, Store, StoreDamaged, StoreInUse

BATCH = 250
BATCHES = 24
KEYS = BATCH * BATCHES


def _key(number: int) -> bytes:
    return b"e%06d" % number


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of KEYS keys: most in a table, the last batches in RocksDB's own log. Position = batches written."""
    folder = tmp_path_factory.mktemp("store") / "0"
    noise = Random(1)
    store = Store(folder)
    for batch in range(BATCHES):
        if batch == BATCHES - 3:
            store.close()
            store = Store(folder)  # what was written so far becomes a table
        keys = [_key(number) for number in range(batch * BATCH, (batch + 1) * BATCH)]
        store.write([(key, noise.randbytes(200)) for key in keys], Position("log", batch + 1))
    copied = folder.with_name("copy")
    shutil.copytree(folder, copied)  # as a crash leaves it
    store.close()
    return copied


def _table(folder: Path) -> Path:
    return max(folder.glob("*.sst"), key=lambda path: path.stat().st_size)


def _flip(path: Path, place: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 0x10
    path.write_bytes(raw)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_walk_over_a_damaged_table_fails_instead_of_ending_early(whole: Path, tmp_path: Path, share: float) -> None:
    """RocksDB's iterators just end at a block that they cannot read: a walk that ends must have reached the end."""
    folder = tmp_path / "0"
    shutil.copytree(whole, folder)
    _flip(_table(folder), int(_table(folder).stat().st_size * share))
    store = Store(folder)
    found: list[bytes] = []
    with pytest.raises(StoreDamaged, match=str(folder)):
        found.extend(key for key, _ in store.items(b"e"))
    assert [_key(number) for number in range(len(found))] == found
    with pytest.raises(StoreDamaged):
        next(store.items(_key(len(found))), None)
    store.close()


def test_what_comes_before_the_damage_is_still_read(whole: Path, tmp_path: Path) -> None:
    """A reader that stops by itself is not told of damage elsewhere."""
    folder = tmp_path / "0"
    shutil.copytree(whole, folder)
    _flip(_table(folder), int(_table(folder).stat().st_size * 0.9))
    store = Store(folder)
    items = store.items(b"e")
    assert [_key(number) for number in range(100)] == [key for key, _ in (next(items) for _ in range(100))]
    assert [_key(7)] == [key for key, _ in store.items(_key(7))]
    store.close()


@pytest.mark.parametrize("seed", range(40))
def test_any_byte_of_any_file(whole: Path, tmp_path: Path, seed: int) -> None:
    """A byte flipped or a file cut: an error, or as many whole batches as the position says."""
    dice = Random(seed)
    folder = tmp_path / "0"
    shutil.copytree(whole, folder)
    path = dice.choice(sorted(path for path in folder.iterdir() if path.stat().st_size))
    place = dice.randrange(path.stat().st_size)
    if dice.random() < 0.5:
        _flip(path, place)
    else:
        path.write_bytes(path.read_bytes()[:place])
    try:
        store = Store(folder)
    except StoreDamaged:
        return
    try:
        position = store.position()
        keys = [key for key, _ in store.items(b"e")]
    except StoreDamaged:
        return
    finally:
        store.close()
    assert (position.offset if position else 0) * BATCH == len(keys)


def test_a_gap_in_the_middle_is_found(tmp_path: Path) -> None:
    """RocksDB opens happily with the end of its MANIFEST cut off, and what was written meanwhile is missing."""
    folder, crashed = tmp_path / "0", tmp_path / "crashed"
    for life in range(4):
        store = Store(folder)
        for batch in range(life * 3, life * 3 + 3):
            store.write([(b"e%02d" % batch, b"")], Position("log", batch + 1))
        shutil.copytree(folder, crashed)
        store.close()
        shutil.rmtree(folder)
        crashed.rename(folder)
    outcomes = set()
    for cut in range(next(folder.glob("MANIFEST*")).stat().st_size, -1, -11):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        manifest = next(copy.glob("MANIFEST*"))
        manifest.write_bytes(manifest.read_bytes()[:cut])
        outcomes.add(_batches(copy))
        shutil.rmtree(copy)
    assert outcomes == {"damaged", "12 of 12"}


def _batches(folder: Path) -> str:
    try:
        store = Store(folder)
    except StoreDamaged:
        return "damaged"
    position = store.position()
    found = f"{len(list(store.items(b'e')))} of {position.offset if position else 0}"
    store.close()
    return found


def test_the_size_of_a_store_whose_files_come_and_go(whole: Path, tmp_path: Path) -> None:
    """A file that is gone between two looks has no size and is no failure."""
    folder = tmp_path / "0"
    shutil.copytree(whole, folder)
    store = Store(folder)
    size = store.size()
    assert size > KEYS * 200
    (folder / "000099.sst").symlink_to(folder / "gone")  # listed, but not there
    assert size == store.size()
    shutil.rmtree(folder)
    with pytest.raises(StoreDamaged, match="No such file"):
        store.size()
    with contextlib.suppress(StoreDamaged):
        store.close()


def test_a_store_that_somebody_has_open_is_not_damaged(tmp_path: Path) -> None:
    """Two workers with one `--data`: the second must not take the first one's files for damaged ones."""
    store = Store(tmp_path / "0")
    with pytest.raises(StoreInUse, match="another process has it open; give each worker its own --data"):
        Store(tmp_path / "0")
    store.close()
    Store(tmp_path / "0").close()


class _Stubborn:
    """RocksDB that has met damage in the background: it closes, and says so."""

    def __init__(self, *given: object) -> None:
        self._db = Rdict(*given)

    def __getattr__(self, name: str) -> object:
        return getattr(self._db, name)

    def close(self) -> None:
        self._db.close()
        raise RuntimeError("Corruption: block checksum mismatch")


def test_damage_that_rocksdb_meets_by_itself(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compaction finds it first: also closing says so in the same words, and the first to tell is heard."""
    folder = tmp_path / "0"
    shutil.copytree(whole, folder)
    monkeypatch.setattr("agents.store.Rdict", _Stubborn)
    store = Store(folder)
    with pytest.raises(StoreDamaged, match="checksum mismatch"):
        store.close()
    links = [b"@link" + number.to_bytes(8, "big") for number in range(BATCHES)]
    monkeypatch.setattr(Store, "items", lambda *_: iter((link, b"") for link in links))
    with pytest.raises(StoreDamaged, match="batches before number 23 are missing"):
        Store(folder)
    monkeypatch.undo()
    Store(folder).close()


def test_a_store_whose_walk_failed_can_be_opened_again_at_once(whole: Path, tmp_path: Path) -> None:
    """Whoever still holds the error must not hold RocksDB open with it: the next life opens the same folder."""
    folder = tmp_path / "0"
    shutil.copytree(whole, folder)
    _flip(_table(folder), int(_table(folder).stat().st_size * 0.5))
    store = Store(folder)
    with pytest.raises(StoreDamaged) as held:
        list(store.items(b"e"))
    store.close()
    Store(folder).close()
    assert held.value.__traceback__ is not None
