"""The image, without an engine that could build it: its own install commands, run in a folder instead."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.dockerfile import Stage, stages
from tests.e2e.processes import ROOT

BUILD, FINAL = stages(ROOT / "Dockerfile")
HOME = "/opt/scorestream"
TOOLS = {"pip", "setuptools", "wheel", "hatchling", "uv"}


def test_the_image_is_small_and_harmless() -> None:
    """Both stages begin at one pinned version; what builds stays in the first; the second runs as nobody."""
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", FINAL.image)
    assert BUILD.image == FINAL.image
    assert "build" == BUILD.name
    assert [f"--from=build {HOME} {HOME}"] == FINAL.of("COPY")
    assert not any(" install " in f" {command} " and "pip" in command.split() for command in _commands(FINAL))
    assert any("pip uninstall" in command and "setuptools wheel pip" in command for command in _commands(FINAL))
    assert ["10001:10001"] == FINAL.of("USER")
    assert ["scorestream"] == FINAL.words("ENTRYPOINT")


def test_nothing_is_installed_without_its_hash() -> None:
    """Packages come from the lock alone; our own adds none and resolves nothing."""
    installs = [command for command in _commands(BUILD) if " install " in command]
    assert all("--no-deps" in command for command in installs)
    locked, own = installs
    assert "--require-hashes --requirement requirements.lock" in locked
    assert "--no-build-isolation ." in own


def _commands(stage: Stage) -> list[str]:
    return [command.strip() for rest in stage.of("RUN") for command in rest.split("&&")]


def _ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path of the checkout from the builder: the last line that matches decides."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    ignored = False
    for line in (line for line in lines if line and not line.startswith("#")):
        pattern = line.removeprefix("!")
        parents = ["/".join(path.split("/")[:end]) for end in range(1, path.count("/") + 2)]
        matches = any(
            fnmatch.fnmatchcase(part, pattern)
            or (pattern.startswith("**/") and fnmatch.fnmatchcase(part.rpartition("/")[2], pattern[3:]))
            for part in parents
        )
        if matches:
            ignored = not line.startswith("!")
    return ignored


def _copy(source: str, target: Path) -> None:
    """COPY, from what the builder is given."""
    listed = subprocess.run(["git", "ls-files", "-z", source], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if not _ignored(name) and (ROOT / name).is_file():
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place)


def test_the_builder_is_given_the_product_alone() -> None:
    """Rooms and lock go in; tests, secrets, and the history do not."""
    wanted = (
        "requirements.lock",
        "pyproject.toml",
        "agents/app.py",
        "dashboards/web/static/main.js",
        "docs/operations.md",
    )
    assert [] == [name for name in wanted if _ignored(name)]
    assert all((ROOT / name).exists() for name in wanted)
    others = (
        "tests/conftest.py",
        "deploy/secrets/authority.key",
        ".git/config",
        "agents/__pycache__/app.pyc",
        ".venv",
        "docs/api.md",
    )
    assert [] == [name for name in others if not _ignored(name)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands in /opt/scorestream of the image, made in a folder by the Dockerfile's own instructions."""
    folder = tmp_path_factory.mktemp("image")
    home, work = folder / "scorestream", folder / "build"
    work.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SCORESTREAM_", "PYTHON"))}
    for instruction, rest in BUILD.steps:
        if instruction == "COPY":
            for source in rest.split()[:-1]:
                _copy(source, work)
        elif instruction == "RUN" and "compileall" not in rest:  # that only makes the first start quicker
            command = re.sub(r"^python ", f"{sys.executable} ", rest.replace(HOME, str(home)))
            done = subprocess.run(
                command, shell=True, cwd=work, env=environment, capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == 0, f"{rest}: {done.stderr}"
    return home


@pytest.mark.long
def test_the_image_has_a_command_that_works(built: Path) -> None:
    """`scorestream --help` works from what the Dockerfile installs, with templates, words and pages in it."""
    command = [str(built / "bin" / FINAL.words("ENTRYPOINT")[0]), *FINAL.words("CMD")]
    clean = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd="/", env=clean, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "worker" in done.stdout
    (packages,) = (built / "lib").glob("python3.*/site-packages")
    data = {path.suffix for path in packages.glob("dashboards/web/**/*")} | {
        path.suffix for path in packages.glob("schemas/packs/*")
    }
    assert {".js", ".css", ".html", ".yaml"} <= data
    code = "import dashboards.web.server, agents.app, agents.transport.kafka.driver"
    subprocess.run([built / "bin" / "python", "-c", code], cwd="/", env=clean, timeout=60, check=True)


@pytest.mark.long
def test_the_image_has_nothing_that_installs(built: Path) -> None:
    """Neither pip nor a build tool is among the packages of the image."""
    (packages,) = (built / "lib").glob("python3.*/site-packages")
    found = {path.name.partition("-")[0] for path in packages.glob("*.dist-info")}
    assert "scorestream" in found
    assert found & TOOLS == set()
