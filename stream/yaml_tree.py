"""YAML without surprises: every scalar is its text, every node knows its line, nothing refers to anything.

The tree is built from the parser's events, so that no object is ever constructed from a document. Aliases,
anchors and tags are refused, and size and nesting are limited: no document can grow while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 16
MAX_NODES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Scalar:
    line: int
    text: str
    plain: bool  # written without quotes

    @property
    def empty(self) -> bool:
        return not self.text.strip() or (self.plain and self.text in {"~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Listing:
    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Entries in order of appearance; a key that occurs twice is here twice."""

    line: int
    entries: tuple[tuple[Scalar, Node], ...]


Node = Scalar | Listing | Mapping


class TreeError(ValueError):
    """A text that is no plain YAML document; the author acts. `line` counts from 1."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        super().__init__(f"line {line}: {message}; {remedy}")
        self.line = line
        self.message = message
        self.remedy = remedy


def read_tree(text: str) -> Node:
    """The document's tree. Raises TreeError."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise TreeError(1, f"the file has {size} bytes", f"keep it within {MAX_BYTES} bytes")
    events = _Events(text)
    node = events.document()
    if node is None:
        raise TreeError(1, "the file is empty", "write one template")
    return node


class _Events:
    """The parser's events, one ahead; what YAML itself cannot read becomes a TreeError."""

    def __init__(self, text: str) -> None:
        self.line = 1
        self.nodes = 0
        self.source = self.guarded(text)
        self.next_event = next(self.source)

    def guarded(self, text: str) -> Iterator[yaml.Event]:
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                self.line = _line(event)
                yield event
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else self.line
            message = " ".join(part for part in (error.context, error.problem) if part)
            raise TreeError(line, f"not YAML: {message}", "mind indentation, quotes and brackets here") from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            message = f"not YAML: character U+{ord(text[error.position]):04X} is not allowed"
            raise TreeError(line, message, "take the character away") from error
        except (ValueError, OverflowError) as error:  # PyYAML's scanner on \U99999999 and on endless version numbers
            message = "not YAML: an escape or directive with an impossible number"
            raise TreeError(self.line, message, "take it away, or write the character itself") from error

    def take(self) -> yaml.Event:
        event = self.next_event
        if not isinstance(event, yaml.StreamEndEvent):
            self.next_event = next(self.source)
        return event

    def document(self) -> Node | None:
        self.take()  # start of the stream
        if isinstance(self.take(), yaml.StreamEndEvent):
            return None
        node = self.node(0)
        self.take()  # end of the document
        if not isinstance(self.next_event, yaml.StreamEndEvent):
            raise TreeError(_line(self.next_event), "a second document begins", "write one template per file")
        return node

    def node(self, depth: int) -> Node:
        event = self.take()
        line = _line(event)
        _refuse_references(event, line)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise TreeError(line, f"more than {MAX_NODES} values", "split the template")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(line, event.value, event.style is None)
        if depth >= MAX_DEPTH:
            raise TreeError(line, f"nested more than {MAX_DEPTH} deep", "a template needs six levels at most")
        if isinstance(event, yaml.SequenceStartEvent):
            return Listing(line, tuple(self.items(depth)))
        return Mapping(line, tuple(self.entries(depth)))

    def items(self, depth: int) -> Iterator[Node]:
        while not isinstance(self.next_event, yaml.SequenceEndEvent):
            yield self.node(depth + 1)
        self.take()

    def entries(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        while not isinstance(self.next_event, yaml.MappingEndEvent):
            key = self.node(depth + 1)
            if not isinstance(key, Scalar):
                raise TreeError(key.line, "a list or mapping as the name of a field", "write a plain name before the :")
            yield key, self.node(depth + 1)
        self.take()


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refuse_references(event: yaml.Event, line: int) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise TreeError(line, f"the alias *{event.anchor}", "write the content out; a template refers to nothing")
    if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
        raise TreeError(line, f"the anchor &{event.anchor}", "take it away; a template refers to nothing")
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise TreeError(line, f"the tag {tag}", "take it away; every value is read by its field")
