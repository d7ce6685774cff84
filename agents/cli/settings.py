"""`scorestream settings`: what holds here, and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.output import FormatFlag, print_rows
from agents.settings import SETTINGS, Setting


def settings(*, format: FormatFlag = "table", flags: Annotated[Flags, Parameter(show=True)] = NO_FLAGS) -> int:
    """Print every setting with its value, its origin (default, environment or flag) and what it is for.

    A setting NAME is given as the flag --NAME or as the environment variable SCORESTREAM_NAME; the flag wins.

    For example

        scorestream settings
        SCORESTREAM_LATE_DAYS=14 scorestream settings --format ndjson
    """
    loaded = flags.settings()
    rows = (
        {
            "name": setting.name,
            "value": _shown(setting, getattr(loaded, setting.name)),
            "origin": loaded.origins[setting.name],
            "environment": setting.key,
            "help": setting.help,
        }
        for setting in SETTINGS
    )
    print_rows(rows, ("name", "value", "origin", "environment", "help"), format)
    return 0


def _shown(setting: Setting, value: object) -> object:
    """None is shown as the word that one would set it with (its default), a folder as its path."""
    return setting.default if value is None else str(value) if isinstance(value, Path) else value
