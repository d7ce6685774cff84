"""What `access` and `audit` share: the store of the settings, opened, and errors that name the field."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from agents.access.administration import AccessError, Administration
from agents.cli.errors import CommandError, UsageError
from agents.cli.opening import now_ms
from agents.records.database import Records, RecordsError, RecordsUnavailable
from agents.records.opening import records_of
from agents.settings import Settings


@contextmanager
def store(settings: Settings) -> Iterator[Records]:
    """The records of these settings; CommandError when they cannot be used."""
    try:
        records = records_of(settings)
        try:
            yield records
        finally:
            records.close()
    except AccessError as error:
        raise UsageError(str(error)) from None
    except (RecordsError, RecordsUnavailable) as error:
        raise CommandError(str(error)) from None


def administration(records: Records) -> Administration:
    """Changes in the name of whoever runs the command, now."""
    return Administration(records, actor(), now_ms())


def actor() -> str:
    """Whoever runs the command, as the audit log names them."""
    try:
        return f"os:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name
        return "os:unknown"
