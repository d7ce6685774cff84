"""docker-compose.yml as plain data: read whole, variables put in; a key that is not known here is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.e2e.processes import ROOT

FILE: Final = ROOT / "docker-compose.yml"
# What says something about a container and nothing about the process in it.
_CONTAINER: Final = frozenset(
    ("image", "build", "user", "init", "networks", "ports", "deploy", "ulimits", "restart", "logging", "profiles",
     "read_only", "cap_drop", "security_opt", "stdin_open")
)  # fmt: skip
_PROCESS: Final = frozenset(
    ("entrypoint", "command", "environment", "secrets", "volumes", "tmpfs", "expose", "depends_on", "healthcheck",
     "stop_grace_period")
)  # fmt: skip
_VARIABLE: Final = re.compile(r"\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Mount:
    """What a container sees at `target`: a path of the host, a named volume, or (both None) an empty folder."""

    target: str
    path: Path | None = None
    volume: str | None = None


class ComposeFile:
    """The file with the variables of `environ` put in. ValueError for a variable that must be set and is not."""

    def __init__(self, environ: Mapping[str, str], file: Path = FILE) -> None:
        self.folder = file.parent
        self.text = file.read_text("utf-8")
        self.raw: dict[str, Any] = _filled(yaml.safe_load(self.text), environ)
        self.services: dict[str, dict[str, Any]] = self.raw["services"]
        for name, service in self.services.items():
            unknown = service.keys() - _CONTAINER - _PROCESS
            assert not unknown, f"service {name}: {sorted(unknown)} is read by nobody here"

    def mounts(self, name: str) -> list[Mount]:
        """All that is mounted into a service: secrets, volumes, empty folders."""
        service = self.services[name]
        found = [
            Mount(f"/run/secrets/{secret}", path=self._path(self.raw["secrets"][secret]["file"]))
            for secret in service.get("secrets", ())
        ]
        for volume in service.get("volumes", ()):
            source, target, *_ = volume.split(":")
            named = not source.startswith((".", "/"))
            assert not named or source in self.raw["volumes"], f"service {name}: volume {source} is not declared"
            found.append(Mount(target, volume=source) if named else Mount(target, path=self._path(source)))
        return found + [Mount(folder.partition(":")[0]) for folder in service.get("tmpfs", ())]

    def command(self, name: str) -> list[str]:
        """Entrypoint and command, as they stand; for an image of ours without one, the Dockerfile's entrypoint."""
        service = self.services[name]
        entrypoint = service.get("entrypoint", ["scorestream"] if "build" in service else [])
        return [*entrypoint, *service.get("command", ())]

    def environment(self, name: str) -> dict[str, str]:
        """What the file puts into a service's environment."""
        return {key: str(value) for key, value in self.services[name].get("environment", {}).items()}

    def ports(self, name: str) -> set[str]:
        """The ports on which a service listens for others."""
        return {str(port) for port in self.services[name].get("expose", ())}

    def dependants(self, name: str) -> set[str]:
        """The services that depend on a service."""
        return {other for other, service in self.services.items() if name in service.get("depends_on", {})}

    def order(self, names: set[str]) -> list[tuple[str, set[str]]]:
        """These services, each after those that it depends on, with the names of those that must be healthy first."""
        done: list[tuple[str, set[str]]] = []
        while left := [name for name in self.services if name in names and name not in dict(done)]:
            for name in left:
                needs = self.services[name].get("depends_on", {})
                if needs.keys() & names <= dict(done).keys():
                    done.append((name, {key for key, how in needs.items() if how["condition"] == "service_healthy"}))
                    break
            else:
                raise AssertionError(f"{left} wait for each other")
        return done

    def _path(self, text: str) -> Path:
        return (self.folder / text).resolve()


def seconds(text: str) -> float:
    """Compose's durations: `10s`, `2m`."""
    match = re.fullmatch(r"(\d+)(s|m)", text)
    assert match is not None, f"{text!r} is no duration that is understood here"
    return int(match[1]) * {"s": 1, "m": 60}[match[2]]


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    """Variables put in, as Compose does it: `${A}`, `${A:-default}`, `${A:?why}`, `$$` for a dollar."""
    if isinstance(value, dict):
        return {key: _filled(item, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environ) for item in value]

    def put(match: re.Match[str]) -> str:
        name, mark, rest = match.groups()
        if name is None:
            return "$"
        if found := environ.get(name):
            return found
        if mark != "-":
            raise ValueError(f"{name} is not set: {rest or 'it must be'}")
        return str(rest)

    return _VARIABLE.sub(put, value) if isinstance(value, str) else value
