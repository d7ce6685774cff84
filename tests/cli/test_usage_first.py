"""A command that was called wrongly says that, whatever the log is like: the log is not opened, nor made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

WRONG = [
    (["scores", "--as-of", "yesterday"], "--as-of 'yesterday'"),
    (["scores", "--known-at", "2026-03-02"], "--known-at '2026-03-02'"),
    (["scores", "--format", "xml"], "xml"),
    (["explain", "E1", "yield", "day", "--as-of", "soon"], "--as-of 'soon'"),
    (["verify", "--format", "xml"], "xml"),
    (["log", "qc_events"], "did you mean qc-events?"),
    (["log", "qc-events", "--partition", "-1"], "partition"),
    (["send", "-", "--topic", "qc_events"], "did you mean qc-events?"),
    (["send", "-", "--topic", "alerts"], "--topic alerts: only the worker writes it"),
    (["send", "-", "--topic", "ticks"], "--topic ticks: only the worker writes it"),
    (["send", "-", "--topic", "templates"], "`scorestream templates publish`"),
    (["send", "-", "--csv"], "--mapping is missing"),
    (["dead-letters", "list", "--since", "yesterday"], "--since 'yesterday'"),
    (["dead-letters", "list", "--reason", "nonsense"], "nonsense"),
    (["dead-letters", "retry"], "--all"),
    (["dead-letters", "retry", "x", "--reason", "schema"], "--reason schema"),
    (["templates", "show", "operator@two"], "'operator@two'"),
    (["status", "--timeout", "5"], "--timeout 5"),
    (["status", "--wait-idle", "--timeout", "-1"], "timeout"),
    (["demo", "--seed", "x"], "seed"),
    (["demo", "--broker", "kafka://127.0.0.1:1"], "kafka://127.0.0.1:1"),
    (["worker", "--commit-interval", "never"], "--commit-interval='never'"),
    (["web", "--language", "fr"], "'fr'"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_the_call_is_judged_before_the_log(run: Run, arguments: list[str], said: str) -> None:
    """The folder is a file, which no log can be in; the exit code and the text are those of the option."""
    Path("data").write_text("no log")
    broker = [] if "--broker" in arguments else ["--broker", "embedded:///./data"]
    result = run(*arguments, *broker)
    assert (result.code, said in result.err) == (2, True), result.err
