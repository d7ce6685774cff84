"""Where the views are is decided here, from the settings: in Redis when one is named, else beside the embedded log."""

from __future__ import annotations

from pathlib import Path

from agents.settings import SettingError, Settings
from agents.views.port import ViewsReader, ViewsWriter
from agents.views.twin_reader import TwinReader
from agents.views.twin_writer import TwinWriter


def writer_of(settings: Settings) -> ViewsWriter | None:
    """The writing side; None where there are no views: on Kafka without Redis."""
    if settings.redis is not None:
        # Here, as in the next: who has no Redis does not wait for its client to be imported.
        from agents.views.redis_client import RedisPlace
        from agents.views.redis_writer import RedisWriter

        return RedisWriter(RedisPlace(*_place(settings)))
    return TwinWriter(settings.folder) if settings.embedded else None


def reader_of(settings: Settings) -> ViewsReader:
    """The reading side; SettingError where there are no views."""
    if settings.redis is not None:
        from agents.views.redis_client import RedisPlace
        from agents.views.redis_reader import RedisReader

        return RedisReader(RedisPlace(*_place(settings)))
    if not settings.embedded:
        raise SettingError(
            f"redis='off' with broker {settings.broker!r}: boards read views from Redis; "
            f"give this command and the workers --redis redis://host:port/0"
        )
    return TwinReader(settings.folder)


def _place(settings: Settings) -> tuple[str, Path | None, Path | None, str]:
    return (settings.redis or "", settings.redis_password_file, settings.redis_ca_file, settings.redis_prefix)
