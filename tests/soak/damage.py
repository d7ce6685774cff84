"""What happens to a folder of local state between two lives of a worker. None of it may be noticed in a score."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final


class State:
    """The state folder of a worker (`DIR/state`), with an earlier copy beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copy = folder.with_name("state.copy")

    def keep_copy(self) -> None:
        """Remembers the state as it is, also while a worker writes to it: files come and go meanwhile."""
        shutil.rmtree(self.copy, ignore_errors=True)
        for path in sorted(self.folder.rglob("*")):
            target = self.copy / path.relative_to(self.folder)
            try:
                if path.is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
            except FileNotFoundError:
                continue

    def files(self) -> list[Path]:
        """Every file with something in it."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and path.stat().st_size)


def delete(state: State, dice: Random) -> str:
    """All of it."""
    shutil.rmtree(state.folder, ignore_errors=True)
    return "state deleted"


def delete_partition(state: State, dice: Random) -> str:
    """One partition's."""
    found = sorted(path for path in state.folder.iterdir() if path.is_dir())
    if found:
        shutil.rmtree(dice.choice(found))
    return "partition's state deleted"


def delete_file(state: State, dice: Random) -> str:
    """One file."""
    path = _any_file(state, dice)
    if path is not None:
        path.unlink()
    return f"{_name(path)} deleted"


def flip(state: State, dice: Random) -> str:
    """A bit of one file."""
    path = _any_file(state, dice)
    if path is not None:
        raw = bytearray(path.read_bytes())
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        path.write_bytes(raw)
    return f"byte of {_name(path)} flipped"


def truncate(state: State, dice: Random) -> str:
    """The end of one file is missing."""
    path = _any_file(state, dice)
    if path is not None:
        path.write_bytes(path.read_bytes()[: dice.randrange(path.stat().st_size)])
    return f"{_name(path)} truncated"


def older(state: State, dice: Random) -> str:
    """An earlier copy takes its place."""
    if not state.copy.exists():
        return "no earlier copy yet"
    shutil.rmtree(state.folder, ignore_errors=True)
    shutil.copytree(state.copy, state.folder)
    return "earlier copy of the state"


def older_partition(state: State, dice: Random) -> str:
    """An earlier copy of one partition, the others as they are."""
    found = sorted(path for path in state.copy.iterdir() if path.is_dir()) if state.copy.exists() else []
    if not found:
        return "no earlier copy yet"
    chosen = dice.choice(found)
    shutil.rmtree(state.folder / chosen.name, ignore_errors=True)
    shutil.copytree(chosen, state.folder / chosen.name)
    return "earlier copy of a partition"


def nothing(state: State, dice: Random) -> str:
    """As the crash left it."""
    return ""


Damage = Callable[[State, Random], str]
DAMAGES: Final[tuple[tuple[Damage, float], ...]] = (
    (nothing, 8), (delete, 2), (delete_partition, 1), (delete_file, 2), (flip, 4), (truncate, 4), (older, 3),
    (older_partition, 1),
)  # fmt: skip


def _any_file(state: State, dice: Random) -> Path | None:
    """Tables, logs and manifests rather than RocksDB's own diary."""
    files = state.files()
    telling = [path for path in files if not path.name.startswith(("LOG", "OPTIONS", "IDENTITY"))]
    chosen = telling if telling and dice.random() < 0.8 else files
    return dice.choice(chosen) if chosen else None


def _name(path: Path | None) -> str:
    """Without the numbers that differ from run to run."""
    if path is None:
        return "no file"
    return (
        path.suffix.removeprefix(".")
        if path.suffix in (".sst", ".log")
        else path.name.partition("-")[0].partition(".")[0]
    )
