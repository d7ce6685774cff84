"""The oracle is a second opinion: it shares nothing with what it checks."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import agents.oracle

FOLDER = Path(agents.oracle.__file__).parent
ALLOWED = sys.stdlib_module_names | {"yaml"}


def imports(source: str) -> list[str]:
    """The modules that a source imports, as named in it; a relative import by its dots."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Name) and node.id in ("__import__", "importlib", "exec", "eval"):
            found.append(f"?{node.id}")
    return found


def is_allowed(module: str) -> bool:
    """The standard library, yaml and the oracle's own modules."""
    return module.split(".")[0] in ALLOWED or module.startswith("agents.oracle.")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_oracle_imports_only_itself_the_standard_library_and_yaml(path: Path) -> None:
    """No module of the oracle leans on the product or on another package."""
    assert [module for module in imports(path.read_text(encoding="utf-8")) if not is_allowed(module)] == []


@pytest.mark.parametrize(
    "line",
    [
        "import schemas.event",
        "from stream import formula",
        "from agents import store",
        "from agents.transport.murmur2 import partition_for",
        "import dashboards",
        "from .. import store",
        "import orjson",
        "__import__('stream')",
    ],
)
def test_the_check_finds_a_forbidden_import(line: str) -> None:
    """The check above can fail."""
    assert not all(map(is_allowed, imports(line)))


def test_oracle_loads_nothing_of_the_product() -> None:
    """A fresh interpreter that has loaded the oracle has loaded no other room."""
    rooms = ("schemas", "stream", "dashboards", "faust", "orjson", "msgspec")
    code = f"import sys, agents.oracle; print([room for room in {rooms} if room in sys.modules], end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=FOLDER.parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]"
