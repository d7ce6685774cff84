"""What a user can cause or meet is told in one line and an exit code, never in a traceback."""

from __future__ import annotations


class CommandError(Exception):
    """The command could not do its work: exit code 1. The text says what, where, and what to do."""

    exit_code = 1


class UsageError(CommandError):
    """The command was called wrongly: exit code 2. The text names the option and the value."""

    exit_code = 2
