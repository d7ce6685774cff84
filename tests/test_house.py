"""The house rules as tests: rooms, import direction, locked and neutral files, a README that tells the truth."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "stream", "agents", "dashboards")
LANGUAGES = ("README.md", "README.zh.md")
REGISTRY = re.compile(
    r"https?://[^\s\"')>]*(?:pypi|pythonhosted|npmjs|debian|crates\.io|maven|mirror|proxy)", re.IGNORECASE
)
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|tmp/v|opt/wheels)/")
INDEX_OPTION = re.compile(r"^\s*(?:-i|--(?:extra-)?index-url|--find-links|--trusted-host)\b", re.MULTILINE)


@cache
def _tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return tuple(path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file())


def _texts() -> list[tuple[str, str]]:
    binary = {".png", ".jpg", ".ico", ".woff2", ".db"}
    names = [path for path in _tracked() if path.suffix not in binary and path != Path(__file__)]
    return [(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in names]


def _modules() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in _tracked() if path.suffix == ".py" and path.parent != ROOT]


def test_architecture_names_every_module() -> None:
    """Each module of the product stands in ARCHITECTURE.md, by its path or by its name in its room's own line."""
    named = _named_in_architecture()
    ours = [name for name in _modules() if name.split("/")[0] in ROOMS and (ROOT / name).stat().st_size]
    missing = [name for name in ours if name.removesuffix("/__init__.py") not in named]
    assert missing == [], "rows to add:\n" + "\n".join(f"| `{name}` | {_law(name)} |" for name in missing)


def _named_in_architecture() -> set[str]:
    named: set[str] = set()
    for line in (ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines():
        words = re.findall(r"`([\w/.]+)`", line)
        rooms = [word for word in words if word.endswith("/")]
        named |= {word.rstrip("/") for word in words}
        named |= {rooms[0] + word for word in words if rooms and "/" not in word}
    return named


def _law(module: str) -> str:
    text = ast.get_docstring(ast.parse((ROOT / module).read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def test_architecture_names_nothing_that_is_gone() -> None:
    """A path of the product in ARCHITECTURE.md exists."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    paths = re.findall(rf"`((?:{'|'.join(ROOMS)}|tests)/[\w/.]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    """Files speak of the project: no path of one machine, no package registry's host."""
    found = [
        (name, match[0]) for name, text in _texts() for rule in (MACHINE, REGISTRY) if (match := rule.search(text))
    ]
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_and_hashes_every_package(lock: str) -> None:
    """Each package has one exact version and hashes, and the file says nothing of where it comes from."""
    text = (ROOT / lock).read_text("utf-8")
    packages = re.split(r"\n(?=\S)", text.strip())
    assert [package for package in packages if not re.match(r"[a-z0-9-]+==\S+.*\\\n    --hash=sha256:", package)] == []
    assert INDEX_OPTION.search(text) is None
    assert re.search(r"https?:|file:", text) is None


def test_the_locks_agree() -> None:
    """What the tests run on is what is installed for use, and a few tools more."""
    pins = [
        set(re.findall(r"^([a-z0-9-]+==\S+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] - pins[1] == set()


def test_the_locks_cover_the_declared_dependencies() -> None:
    """A dependency added to pyproject.toml without `make lock` is found here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": [*project["dependencies"], *project["optional-dependencies"]["dev"]],
    }
    for lock, requirements in wanted.items():
        locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
        names = {re.split(r"[<>=!~ ;\[]", requirement)[0].lower().replace("_", "-") for requirement in requirements}
        assert names - locked == set(), f"{lock}: run `make lock`"


def test_the_version_stands_in_one_place() -> None:
    """pyproject.toml says the version; the installed package has it, and the changelog's newest release is it."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert declared == version("scorestream")
    heads = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert next(head for head in heads if head != "Unreleased") == declared
    assert [name for name in _modules() if f'"{declared}"' in (ROOT / name).read_text("utf-8")] == []


@pytest.mark.parametrize("readme", LANGUAGES)
def test_what_the_readme_shows_can_be_run(readme: str) -> None:
    """Each `make` target exists and each `scorestream` command is one."""
    from agents.cli.main import COMMANDS

    text = (ROOT / readme).read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", text)) - targets == set()
    asked = set(re.findall(r"(?:^|`|bin/)scorestream ([a-z][a-z-]*)", text, re.MULTILINE))
    assert asked - {command.name for command in COMMANDS} == set()


@pytest.mark.parametrize("readme", LANGUAGES)
def test_what_the_readme_points_at_is_there(readme: str) -> None:
    """Pictures and files that a README links to are in the repository, a picture of the board among them."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / readme).read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert any(link.endswith(".png") for link in links)


def test_both_readmes_say_the_same() -> None:
    """The Chinese README has the English one's sections and commands, in the same order."""
    english, chinese = ((ROOT / name).read_text("utf-8") for name in LANGUAGES)
    assert [len(head) for head in re.findall(r"^(#+) ", english, re.MULTILINE)] == [
        len(head) for head in re.findall(r"^(#+) ", chinese, re.MULTILINE)
    ]
    assert _commands(english) == _commands(chinese)


def _commands(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]


def test_ci_runs_what_the_readme_says() -> None:
    """The change gate is the lint rules and the README's own test command."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make lint" in script
    assert "make test" in script
    assert "make test" in (ROOT / "README.md").read_text("utf-8")


def test_make_help_lists_every_target_for_people() -> None:
    """`make` alone explains itself: demo, install, lint, test, bench, quality, soak, lock and dashboards."""
    printed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"help", "demo", "install", "lint", "test", "bench", "quality", "soak", "lock", "dashboards"} == set(
        re.findall(r"make (\w+) ", printed)
    )


def test_no_dependency_takes_the_name_of_a_room() -> None:
    """The rooms' generic names are ours alone: no installed package brings one."""
    taken = [
        f"{installed.name}: {file}"
        for installed in distributions()
        for file in installed.files or ()
        if file.parts[0].removesuffix(".py") in ROOMS and installed.name != "scorestream"
    ]
    assert taken == []


def test_every_test_says_what_it_shows() -> None:
    """Each test has a docstring that states the behaviour."""
    functions = [
        (name, node)
        for name in _modules()
        if Path(name).name.startswith("test_")
        for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    assert [f"{name}: {node.name}" for name, node in functions if not ast.get_docstring(node)] == []


def test_every_module_opens_with_its_law() -> None:
    """Each module of the product begins with a docstring; only an empty __init__ may be silent."""
    parsed = {name: ast.parse((ROOT / name).read_text("utf-8")) for name in _modules()}
    assert [name for name, module in parsed.items() if module.body and not ast.get_docstring(module)] == []


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    """400 lines at most."""
    long = {name: lines for name in _modules() if (lines := len((ROOT / name).read_text("utf-8").splitlines())) > 400}
    assert long == {}
