"""What people are told to type is what the program takes: every command in docs/ and the READMEs parses."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from cyclopts import CycloptsError

from agents.cli.main import build

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").glob("**/*.md")), ROOT / "README.md", ROOT / "README.zh.md"]
_CALL = re.compile(r"(?:^|[|(]\s*|bin/|run --rm (?:-\S+ \S+ |--\S+ (?:\"[^\"]*\" )?)*)(scorestream|tools) ([a-z].*)")


def _texts(page: Path) -> list[str]:
    """Lines of shell blocks, continued ones in one, and what stands between backticks."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in re.sub(r"(\\|\|)\n\s*", r"\1 ", block).splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))


def calls(page: Path) -> list[list[str]]:
    """The words after `scorestream` (or `docker compose run --rm tools`), each time that a page has them."""
    found = []
    for line in _texts(page):
        for part in re.split(r"\s[|>]\s|;|\s#\s", line.replace("\\ ", " ")):
            if match := _CALL.search(part.strip()):
                words = shlex.split(re.split(r"\s[<>]\s", match[2])[0])
                found.append([word for word in words if word != "..."])
    return found


def parses(words: list[str]) -> str | None:
    """Why the program would refuse these words; None when it takes them. Nothing is run."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            command, _, _ = build(words[0]).parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return str(error)
    return None if command is not None else "no command"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_parses(page: Path) -> None:
    """Each command is one, with arguments and options that it has."""
    problems = {" ".join(words): problem for words in calls(page) if (problem := parses(_whole(words)))}
    assert {} == problems


def test_the_commands_are_found() -> None:
    """Pages are read as they are written: in the runbook and the READMEs there are dozens of commands."""
    found = {page.name: len(calls(page)) for page in PAGES}
    assert all(found[name] >= 20 for name in ("operations.md", "README.md", "README.zh.md")), found


def _whole(words: list[str]) -> list[str]:
    """A command as a sentence names it, without arguments and options, is asked for its help instead."""
    named = all(re.fullmatch(r"[a-z-]+", word) and not word.startswith("-") for word in words)
    return [*words, "--help"] if named else words


@pytest.mark.parametrize(
    "words", ["no-such-command", "status --wait-idel", "send", "log", "dead-letters list --nothing", "scores --data"]
)
def test_a_command_that_is_none_is_found(words: str) -> None:
    """A misspelt command, an option that does not exist, a missing argument: each is told."""
    assert parses(words.split()) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_path_is_there(page: Path) -> None:
    """Files that a page links to or names exist, and so do the headings that links lead to."""
    text = page.read_text("utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
    assert [] == [link for link in links if link and not (page.parent / link).exists()]
    named = re.findall(r"`((?:deploy|docs|scripts|stream|agents|tests|dashboards)/[\w./-]+)`", text)
    made = "deploy/secrets"  # by deploy/prepare.sh
    assert [] == [path for path in named if not path.startswith(made) and not (ROOT / path).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_exists(page: Path) -> None:
    """`make X` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set() == {name for text in _texts(page) for name in re.findall(r"\bmake ([a-z][a-z-]*)\b", text)} - targets
