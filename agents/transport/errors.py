"""What can go wrong with a log, sorted by who acts.

`RecoverableError`: try again later, the world is in the way (disk full, another process holds the lock too long).
`LogError`: somebody has to look (files missing, damaged, of another version) or a caller broke the rules.
"""

from pathlib import Path


class LogError(Exception):
    """The log cannot be used like this; the text names the file or topic and the remedy."""


class RecoverableError(Exception):
    """Nothing was changed; the same call may succeed later."""


class LogFull(RecoverableError):
    """No room on the disk: nothing of the call was written."""


class LogBusy(RecoverableError):
    """Another process held the write lock longer than the patience given."""


class LogMissing(LogError):
    """There is no log in the folder."""

    def __init__(self, folder: Path, detail: str = "there is no log") -> None:
        self.folder = folder
        super().__init__(f"{folder}: {detail}; start a worker on it, or name another folder with --broker")


class LogIncomplete(LogError):
    """One of the two files is gone, or they belong to different logs."""


class LogVersionUnknown(LogError):
    """The files were written by a version of the program that this one does not know."""


class LogCorrupt(LogError):
    """SQLite says that a file is damaged or is no database."""


class LogReadOnly(LogError):
    """Something was to be written, but this process may only read the folder."""


class TopicUnknown(LogError):
    """No such topic, or no such partition of it."""


class TopicMismatch(LogError):
    """A topic exists with other properties, or is written through the wrong door."""


class FolderInUse(LogError):
    """Another live process owns the folder."""

    def __init__(self, pid: int | None, folder: Path) -> None:
        self.pid = pid
        self.folder = folder
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{folder}: {who} is the worker of this folder; stop it first, or give this worker another --broker folder"
        )
