"""From containers to this machine, and nothing else: host names and ports become loopback and free ports, mounts
become folders, an image's programs those that are installed here. All else stays as docker-compose.yml has it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from tests.e2e.compose_file import ComposeFile, Mount
from tests.e2e.kafka_broker import JARS
from tests.e2e.processes import COMMAND, ROOT, free_port

_OWN_PORT: Final = re.compile(r"(?:127\.0\.0\.1|localhost):(\d{4,5})\b")
_PROGRAMS: Final = {
    "scorestream": list(COMMAND),
    "python": [sys.executable],
    "/bin/prometheus": ["prometheus"],
    "/bin/alertmanager": ["prometheus-alertmanager"],
}
_KAFKA: Final = "/opt/kafka"
# Maven brings Kafka's jars; the scripts of its distribution do no more than this with them.
_KAFKA_SCRIPTS: Final = {"kafka-storage.sh": "kafka.tools.StorageTool", "kafka-server-start.sh": "kafka.Kafka"}
_KAFKA_SCRIPT: Final = """#!/bin/sh
exec java $KAFKA_HEAP_OPTS -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \\
    -Dlog4j2.disable.jmx=true -cp '{jars}/*' {main} "$@"
"""


class LocalHost:
    """Where everything of an installation is on this machine, below `folder`; the same at every start."""

    def __init__(self, file: ComposeFile, folder: Path) -> None:
        self.file = file
        self.folder = folder
        self._ports: dict[tuple[str, str], int] = {}
        self._kafka = folder / "kafka-scripts"
        for name in file.services:
            for port in sorted(file.ports(name) | self._loopback_ports(name)):
                self._ports[name, port] = free_port()
        self._places = {name: self._mounted(name) for name in file.services}
        self._write_kafka_scripts()

    def port(self, service: str, port: str) -> int:
        """The port on loopback that stands for a port of a service."""
        return self._ports[service, port]

    def command(self, service: str, words: list[str]) -> list[str]:
        """A command of a service, to be run here."""
        program, *rest = words
        return [*_PROGRAMS.get(program, [self.text(service, program)]), *(self.text(service, word) for word in rest)]

    def healthcheck(self, service: str) -> list[str]:
        """The command of a service's health check, to be run here."""
        kind, *words = self.file.services[service]["healthcheck"]["test"]
        assert kind in ("CMD", "CMD-SHELL"), kind
        return self.command(service, words if kind == "CMD" else ["/bin/sh", "-c", *words])

    def environment(self, service: str) -> dict[str, str]:
        """A container's environment: nothing of this process but where programs are, and what the file says."""
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
        return base | {key: self.text(service, value) for key, value in self.file.environment(service).items()}

    def text(self, service: str, text: str) -> str:
        """A text as a service would read it, with this machine's places in it."""
        places = self._places[service] | {"0.0.0.0": "127.0.0.1", _KAFKA: str(self._kafka)}
        for (name, port), local in self._ports.items():
            places[f"{name}:{port}"] = f"127.0.0.1:{local}"
            if name == service:
                places[port] = str(local)
        longest = sorted(places, key=len, reverse=True)
        pattern = "|".join(rf"(?<![\w.-]){re.escape(place)}(?![\w-])" for place in longest)
        return re.sub(pattern, lambda match: places[match[0]], text)

    def _loopback_ports(self, service: str) -> set[str]:
        """Ports inside of a container, which its configuration names."""
        texts = [path.read_text("utf-8") for path in self._configuration(service)]
        return {port for text in texts for port in _OWN_PORT.findall(text)}

    def _configuration(self, service: str) -> list[Path]:
        folders = [mount.path for mount in self.file.mounts(service) if mount.path and mount.path.is_dir()]
        return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]

    def _mounted(self, service: str) -> dict[str, str]:
        return {mount.target: str(self._place(service, mount)) for mount in self.file.mounts(service)}

    def _place(self, service: str, mount: Mount) -> Path:
        """Where a mount is here; folders are made, a folder of configuration is copied by `write_configuration`."""
        if mount.path is not None and mount.path.is_file():
            return mount.path
        if mount.volume is not None:
            place = self.folder / "volumes" / mount.volume
        else:
            place = self.folder / "mounts" / service / mount.target.strip("/").replace("/", "-")
        place.mkdir(parents=True, exist_ok=True)
        return place

    def write_configuration(self, service: str) -> None:
        """The configuration that is mounted into a service, as it would read it."""
        for mount in self.file.mounts(service):
            if mount.path is None or not mount.path.is_dir():
                continue
            place = Path(self._places[service][mount.target])
            for path in sorted(mount.path.rglob("*")):
                copy = place / path.relative_to(mount.path)
                if path.is_dir():
                    copy.mkdir(exist_ok=True)
                else:
                    copy.write_text(self.text(service, path.read_text("utf-8")), "utf-8")
                    shutil.copymode(path, copy)

    def _write_kafka_scripts(self) -> None:
        scripts = self._kafka / "bin"
        scripts.mkdir(parents=True, exist_ok=True)
        for name, main in _KAFKA_SCRIPTS.items():
            (scripts / name).write_text(_KAFKA_SCRIPT.format(jars=JARS, main=main), "utf-8")
            (scripts / name).chmod(0o755)
