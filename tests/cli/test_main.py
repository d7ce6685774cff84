"""The entry point: imports only what is called, and tells errors in one line with the right exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agents.cli.main import COMMANDS
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from tests.cli.conftest import Run, line
from tests.e2e.processes import free_port

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
COMMAND = (sys.executable, "-m", "agents.cli.main")


def test_help_lists_every_command(run: Run) -> None:
    """`scorestream --help` names every command and exits with 0."""
    result = run("--help")
    assert result.code == 0
    assert [command.name for command in COMMANDS if command.name not in result.out] == []


def test_no_arguments_is_help(run: Run) -> None:
    """Without arguments the help is printed."""
    assert run("--help").out == run().out


def test_help_imports_no_command() -> None:
    """The help answers without importing a command, the log, or a template."""
    code = (
        "import sys; from agents.cli.main import main; main(['--help']);"
        "heavy = ('sqlite3', 'yaml', 'faust', 'rocksdict', 'litestar', 'agents.transport', 'agents.cli.send');"
        "sys.exit(','.join(name for name in heavy if name in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["send", "log", "status", "settings"])
def test_command_help_has_examples(run: Run, name: str) -> None:
    """A command's help shows how it is called and how a setting is given."""
    result = run(name, "--help")
    assert result.code == 0
    assert f"    scorestream {name}" in result.out
    assert "--broker" in result.out


@pytest.mark.parametrize("name", ["check", "publish", "list", "show"])
def test_templates_help(run: Run, name: str) -> None:
    """Every subcommand of `templates` has a help with an example."""
    assert f"    scorestream templates {name}" in run("templates", name, "--help").out


@pytest.mark.parametrize("name", ["list", "show", "retry"])
def test_dead_letters_help(run: Run, name: str) -> None:
    """Every subcommand of `dead-letters` has a help with an example."""
    assert f"    scorestream dead-letters {name}" in run("dead-letters", name, "--help").out


def test_version(run: Run) -> None:
    """`--version` prints one line."""
    result = run("--version")
    assert (result.code, len(result.out.splitlines())) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sned"], "'sned'; did you mean `send`?"),
        (["--data", "x", "send"], "options follow the command"),
        (["send"], "FILE requires an argument"),
        (["send", "-", "--topci", "x"], "--topci"),
        (["send", "--topci", "x"], "unknown option '--topci'"),
        (["send", "-", "more"], "unexpected argument 'more'"),
        (["log", "qc-events", "--limit", "many"], '--limit: unable to convert "many" into int'),
        (["log", "qc-events", "--limit", "-1"], 'Invalid value "-1" for --limit'),
        (["settings", "--format", "xml"], 'Invalid value "xml" for --format'),
        (["settings", "--late-days", "x"], "--late-days='x': it must be a whole number"),
        (["templates", "chek"], '"chek"'),
        (["status", "--timeout", "3"], "--timeout 3"),
    ],
)
def test_usage_errors(run: Run, arguments: list[str], said: str) -> None:
    """A wrong call exits with 2 and names the option and the value, on stderr only."""
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["log", "qc-events"],
        ["templates", "list"],
        ["templates", "show", "x"],
        ["dead-letters", "list"],
        ["status"],
    ],
)
def test_missing_log(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """A reading command without a log says which folder has none, exits with 1 and makes nothing."""
    result = run(*arguments)
    assert (result.code, result.out) == (1, "")
    assert "scorestream-data: there is no log" in result.err
    assert list(tmp_path.iterdir()) == []


def test_missing_file(run: Run) -> None:
    """A file that is not there is named in one line."""
    result = run("send", "nowhere.ndjson")
    assert (result.code, result.err) == (1, "scorestream: nowhere.ndjson: No such file or directory\n")


def test_unwritable_place(run: Run) -> None:
    """A folder that cannot be made is an error in one line."""
    Path("file").write_bytes(b"")
    result = run("send", "-", "--data", "file/below")
    assert result.code == 1
    assert "file" in result.err
    assert len(result.err.splitlines()) == 1


def test_a_broker_that_is_not_there(run: Run) -> None:
    """Where no broker answers it is said in one line, with its address."""
    result = run("status", "--broker", f"kafka://127.0.0.1:{free_port()}")
    assert result.code == 1
    assert "scorestream: kafka://127.0.0.1:" in result.err
    assert 1 == len(result.err.splitlines())


def test_reader_that_has_enough(log: EmbeddedLog) -> None:
    """`scorestream log ... | head` ends quietly."""
    log.append([Outgoing("qc-events", 0, 1, b"E1", b"x" * 1000) for _ in range(5_000)])
    with subprocess.Popen(
        [*COMMAND, "log", "qc-events"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_interrupt_is_quiet(log: EmbeddedLog) -> None:
    """Ctrl-C ends a command with 130 and no traceback."""
    log.append([Outgoing("qc-events", 0, 1, b"E1", b"{}")])
    with subprocess.Popen(
        [*COMMAND, "log", "qc-events", "--follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"key":"E1"')
        process.send_signal(signal.SIGINT)
        assert (process.stderr.read(), process.wait()) == (b"", 130)


def test_interrupted_send_says_what_is_durable() -> None:
    """A send that is interrupted says how many records are in the log, and they are."""
    with subprocess.Popen(
        [*COMMAND, "send", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(line(1) + line(2))
        process.stdin.flush()
        while not Path("scorestream-data/log.sqlite").exists() or _count() < 2:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().startswith(b"sent 2 records")
        assert process.wait() == 130


def _count() -> int:
    with EmbeddedLog.open(Path("scorestream-data"), create=False) as log:
        return sum(end for (topic, _), (_, end) in log.bounds().items() if topic == "qc-events")
