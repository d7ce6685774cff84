"""Where the records are is decided here: a file beside the local state, unless the settings name a database."""

from __future__ import annotations

from agents.records.database import Records, RecordsError, open_records
from agents.records.sending import records_file
from agents.settings import Settings


def records_of(settings: Settings) -> Records:
    """The store that these settings name, opened. Raises RecordsError, RecordsUnavailable."""
    url = settings.records or f"sqlite:///{records_file(settings)}"
    file = settings.records_password_file
    try:
        password = None if file is None else file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordsError(f"records_password_file={str(file)!r}: it cannot be read ({error})") from None
    return open_records(url, password)
