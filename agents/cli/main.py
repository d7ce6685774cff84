"""`scorestream`: a command's module is imported when that command is called, and only then.

To add a command: one row in COMMANDS and one file in this folder. A row names a function, or a cyclopts App for a
command with subcommands. The function's docstring is its help; what it returns is the exit code (None is 0).
Errors that a user can cause leave as one line and an exit code (errors.py), Ctrl-C as 130, a closed pipe quietly.
"""

from __future__ import annotations

import difflib
import io
import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from cyclopts import App, CycloptsError, Parameter

from agents.cli.errors import CommandError, UsageError
from agents.settings import SettingError


class Command(NamedTuple):
    """A row of the table: the command's name, where it is, its line in `scorestream --help`."""

    name: str
    path: str
    line: str


COMMANDS: Final = (
    Command("demo", "agents.cli.demo:demo", "Run everything on this machine: service, simulated plant and board."),
    Command("worker", "agents.cli.worker:worker", "Score events: read the log, keep the state, write the updates."),
    Command("web", "agents.cli.web:web", "Serve the boards, pages and the API."),
    Command("send", "agents.cli.send:send", "Send events from a file or a pipe into the log."),
    Command("log", "agents.cli.log:log", "Print a topic's records as NDJSON."),
    Command("templates", "agents.cli.templates:app", "Check, publish and show assessment templates."),
    Command("calendars", "agents.cli.calendars:app", "Check, publish and show shift calendars: when units work."),
    Command("case-mix", "agents.cli.case_mix:app", "What each kind of work usually gives: learn it, show it."),
    Command("import", "agents.cli.importer:app", "Import real people and production data as events."),
    Command("org", "agents.cli.org:app", "The organisation: show, check, import, export."),
    Command("scores", "agents.cli.scores:scores", "Print scores, now or as of a moment."),
    Command(
        "explain", "agents.cli.explain:explain", "Print every event behind a score, and the formula with its numbers."
    ),
    Command("results", "agents.cli.results:app", "Final results of closed windows: compute, list, show restatements."),
    Command("verify", "agents.cli.verify:verify", "Recompute all scores independently and print the differences."),
    Command("alerts", "agents.cli.alerts:app", "List alerts; acknowledge, shelve and clear them."),
    Command("appeals", "agents.cli.appeals:app", "List appeals against scores, and answer them."),
    Command("dead-letters", "agents.cli.dead_letters:app", "List, show and retry records that were rejected."),
    Command("status", "agents.cli.status:status", "Print lag, outcomes by reason and the last commit."),
    Command("access", "agents.cli.access:app", "Accounts, roles, tokens, and who may see what."),
    Command("audit", "agents.cli.audit:app", "The audit log: list it, verify its chain."),
    Command("settings", "agents.cli.settings:settings", "Print every setting with its value and origin."),
)


def build(asked: str | None) -> App:
    """The application, with the help of the command that was asked for and one line of each other."""
    app = App(
        name="scorestream",
        help="Real-time performance scoring: events in, exact rolling scores out, live on a screen.",
        help_format="plaintext",
        help_epilogue="`scorestream COMMAND --help` shows a command's options and examples.\n"
        "Exit codes: 0 fine, 1 found something or failed, 2 usage.",
        version=_version,
        default_parameter=Parameter(negative_iterable=()),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for command in COMMANDS:
        # A line given here would stand in place of the command's own docstring.
        app.command(command.path, name=command.name, help=None if command.name == asked else command.line)
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _speak_utf8()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _leave_pipe()
    return code


def _run(arguments: list[str]) -> int:
    try:
        asked = _asked(arguments)
        code = build(asked)(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _fail(_usage(error), 2, hint=f"scorestream {' '.join([*(error.command_chain or ()), '--help'])}")
    except SettingError as error:
        return _fail(str(error), 2)
    except CommandError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _fail(_operating_system(error), 1)
    except Exception as error:
        if not _is_log_error(error):
            raise
        return _fail(str(error), 1)
    return code if isinstance(code, int) else 0


def _asked(arguments: list[str]) -> str | None:
    """The command that the arguments name; UsageError with the nearest one when there is no such command."""
    if not arguments or arguments[0] in ("--help", "-h", "--version"):
        return None
    if arguments[0].startswith("-"):
        raise UsageError(f"unknown option {arguments[0]!r}; options follow the command: scorestream COMMAND [OPTIONS]")
    names = [command.name for command in COMMANDS]
    if arguments[0] not in names:
        near = difflib.get_close_matches(arguments[0], names, n=1)
        meant = f"; did you mean `{near[0]}`?" if near else ";"
        raise UsageError(f"there is no command {arguments[0]!r}{meant} `scorestream --help` lists them")
    return arguments[0]


def _usage(error: CycloptsError) -> str:
    error.verbose = False
    if error.unused_tokens and type(error).__name__ == "UnusedCliTokensError":
        return f"unexpected argument {error.unused_tokens[0]!r}"
    return str(error)


def _operating_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}"


def _is_log_error(error: Exception) -> bool:
    # Imported only now: most calls meet no error, and the command that met this one has paid for the import.
    from agents.transport.errors import LogError, RecoverableError
    from stream.state import UnknownFormat

    return isinstance(error, LogError | RecoverableError | UnknownFormat)


def _fail(text: str, code: int, *, hint: str | None = None) -> int:
    sys.stderr.write(f"scorestream: {text}\n" + (f"  see `{hint}`\n" if hint else ""))
    return code


def _speak_utf8() -> None:
    """Whatever the locale: events are UTF-8, and a character that cannot be printed is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _leave_pipe() -> int:
    """The reader has had enough: say nothing, also not when the interpreter flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("scorestream")
    except PackageNotFoundError:
        return "not installed: running from the source tree"


if __name__ == "__main__":
    sys.exit(main())
