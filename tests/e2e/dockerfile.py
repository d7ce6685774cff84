"""A Dockerfile as plain data: its stages, each with its instructions in order."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Stage:
    """One FROM: the image, the name that others copy from, and (instruction, rest of the line)."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def of(self, instruction: str) -> list[str]:
        """What stands after an instruction, each time that it occurs."""
        return [rest for name, rest in self.steps if name == instruction]

    def words(self, instruction: str) -> list[str]:
        """The words of an instruction in its JSON form, which occurs once."""
        (rest,) = self.of(instruction)
        return [str(word) for word in json.loads(rest)]


def stages(file: Path) -> list[Stage]:
    """The stages of a Dockerfile. AssertionError for a line that is none."""
    text = re.sub(r"\\\n\s*", "", file.read_text("utf-8"))
    found: list[Stage] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([A-Z]+) (.+)", line)
        assert match is not None, f"{file.name}: {line!r} is no instruction"
        if match[1] == "FROM":
            image, _, name = match[2].partition(" AS ")
            found.append(Stage(image, name))
        else:
            found[-1].steps.append((match[1], match[2]))
    return found
