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


class BrokerGone(RecoverableError):
    """The broker cannot be reached or did not answer in time. What was under way may be there or not."""


class Fenced(RecoverableError):
    """Another worker has taken over the partition: nothing of this one counts any more, it has to begin anew."""


class CommitRefused(RecoverableError):
    """The broker did not take a commit. Whether it is there or not is read from the log at the next start."""


class TransportFailed(RecoverableError):
    """Reading or the membership in the group of workers ended; a next life begins both anew."""


class LogMissing(LogError):
    """There is no log in the folder, or at the broker."""

    def __init__(self, place: Path | str, detail: str = "there is no log") -> None:
        self.folder = place
        another = "another broker" if isinstance(place, str) else "another folder with --broker"
        super().__init__(f"{place}: {detail}; start a worker on it, or name {another}")


class LogIncomplete(LogError):
    """One of the two files is gone, or they belong to different logs."""


class LogVersionUnknown(LogError):
    """The files were written by a version of the program that this one does not know."""


class LogCorrupt(LogError):
    """SQLite says that a file is damaged or is no database."""


class LogReplaced(LogError):
    """What is there is not what the state was made of: a topic made anew, an empty broker, records that are gone."""


class LogRefused(LogError):
    """The broker does not let this program in, or not do that."""


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
