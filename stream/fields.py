"""A reader never stops at the first mistake: it notes where, what and the remedy, and goes on with a placeholder.

Placeholders never leave this room: a template is handed out only when nothing was noted as an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from stream.yaml_tree import Listing, Mapping, Node, Scalar

SHOWN = 80  # characters of a value in a problem


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a template: where (`line` from 1, `field` as a path), what is there, what would be right.

    `pointer` is empty, or two lines with a ^ under the character where a formula could not be read.
    """

    line: int
    field: str
    value: str
    message: str
    remedy: str
    pointer: str = ""

    def __str__(self) -> str:
        shown = f" {self.value!r}" if self.value else ""
        text = f"line {self.line}: {self.field or 'template'}{shown}: {self.message}; {self.remedy}"
        return text + "".join(f"\n    {line}" for line in self.pointer.splitlines())


@dataclass(slots=True)
class Findings:
    """What was found so far; the only mutable thing of a check."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def is_clean(self, *paths: str) -> bool:
        """Nothing is wrong with, or inside, these fields."""
        return not any(
            error.field == path or error.field.startswith((f"{path}.", f"{path}["))
            for error in self.errors
            for path in paths
        )


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a template: its path, its line and what stands there (None: nothing)."""

    path: str
    line: int
    node: Node | None
    findings: Findings

    @property
    def present(self) -> bool:
        return self.node is not None

    @property
    def shown(self) -> str:
        match self.node:
            case Scalar(text=text):
                return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
            case Listing(items=items):
                return f"[{len(items)} items]"
            case Mapping(entries=entries):
                return "{" + ", ".join(key.text[:20] for key, _ in entries[:6]) + "}"
        return ""

    def fail(self, message: str, remedy: str, pointer: str = "") -> None:
        self.findings.errors.append(Problem(self.line, self.path, self.shown, message, remedy, pointer))

    def warn(self, message: str, remedy: str) -> None:
        self.findings.warnings.append(Problem(self.line, self.path, self.shown, message, remedy))

    def scalar(self, remedy: str) -> Scalar | None:
        """The scalar that stands here; anything else is noted as an error with this remedy."""
        match self.node:
            case None:
                self.fail("is missing", remedy)
            case Scalar() as scalar if not scalar.empty:
                return scalar
            case Scalar():
                self.fail("is empty", remedy)
            case Listing():
                self.fail("is a list", remedy)
            case Mapping():
                self.fail("is a mapping", remedy)
        return None

    def items(self, remedy: str) -> list[Field]:
        """The fields of a list that is not empty; anything else is noted as an error."""
        if isinstance(self.node, Listing) and self.node.items:
            return [self.child(f"{self.path}[{at}]", node) for at, node in enumerate(self.node.items)]
        self.fail("is missing" if self.node is None else "is not a list with entries", remedy)
        return []

    def fields(self, known: Sequence[str], remedy: str) -> dict[str, Field] | None:
        """The fields of a mapping by name, every known one of them; unknown and repeated ones are errors."""
        if not isinstance(self.node, Mapping):
            self.fail("is missing" if self.node is None else "is not a mapping", remedy)
            return None
        found: dict[str, Field] = {}
        for name, place in self.entries():
            if name not in known:
                place.fail("unknown field", _suggest(name, known))
            found.setdefault(name, place)
        absent = (name for name in known if name not in found)
        return found | {name: Field(self.below(name), self.line, None, self.findings) for name in absent}

    def entries(self) -> Iterator[tuple[str, Field]]:
        """The entries of a mapping whose names are free; a repeated name is an error and left out."""
        seen: dict[str, int] = {}
        for key, node in self.node.entries if isinstance(self.node, Mapping) else ():
            place = Field(self.below(key.text), key.line, node, self.findings)
            if key.text in seen:
                place.fail(f"written twice, first in line {seen[key.text]}", "keep one of them")
                continue
            seen[key.text] = key.line
            yield key.text, place

    def below(self, name: str) -> str:
        short = name if len(name) <= SHOWN else name[: SHOWN - 1] + "…"
        return f"{self.path}.{short}" if self.path else short

    def child(self, path: str, node: Node) -> Field:
        return Field(path, node.line, node, self.findings)


def _suggest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), known, n=1)
    return (f"did you mean {close[0]}? " if close else "") + f"known here: {', '.join(known)}"
