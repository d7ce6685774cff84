"""A published text is one plain YAML document: a scalar is its text, nothing stands twice, nothing refers to anything.

ARCHITECTURE.md, How published texts are read, 1 and 2.
"""

from collections.abc import Iterator

import yaml

MOST_BYTES = 256 * 1024
DEEPEST = 16  # lists and mappings inside each other
MOST_VALUES = 20_000  # scalars, names of fields among them, lists and mappings

_NOTHING = frozenset({"~", "null", "Null", "NULL"})


class YamlError(ValueError):
    """The text is no plain YAML document."""


class Plain(str):
    """A scalar that is written without quotes."""

    __slots__ = ()


def is_empty(scalar: str) -> bool:
    """Whether a scalar says nothing: blank, or null without quotes."""
    return not scalar.strip() or (isinstance(scalar, Plain) and scalar in _NOTHING)


def read_yaml(text: str) -> object:
    """The document as dicts by the text of their names, lists, and scalars as str; raises YamlError."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise YamlError(f"more than {MOST_BYTES} bytes")
    try:
        return _Document(yaml.parse(text, Loader=yaml.SafeLoader)).read()
    except YamlError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter of escapes and directives
        raise YamlError(f"no YAML: {error}") from error


class _Document:
    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._values = 0

    def read(self) -> object:
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise YamlError("no document")
        found = self._value(next(self._events), 0)
        next(self._events)  # the document ends
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise YamlError("more than one document")
        return found

    def _value(self, event: yaml.Event, inside: int) -> object:
        """The value that begins with an event, inside so many lists and mappings."""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise YamlError(f"an alias, an anchor or a tag: {event}")
        self._values += 1
        if self._values > MOST_VALUES:
            raise YamlError(f"more than {MOST_VALUES} values")
        if isinstance(event, yaml.ScalarEvent):
            return Plain(event.value) if event.style is None else str(event.value)
        if inside == DEEPEST:
            raise YamlError(f"more than {DEEPEST} lists and mappings inside each other")
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(item, inside + 1) for item in self._until(yaml.SequenceEndEvent)]
        return self._mapping(inside + 1)

    def _mapping(self, inside: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for event in self._until(yaml.MappingEndEvent):
            name = self._value(event, inside)
            if not isinstance(name, str):
                raise YamlError(f"a list or mapping as the name of a field: {name!r}")
            if name in found:
                raise YamlError(f"{name!r} stands twice")
            found[str(name)] = self._value(next(self._events), inside)
        return found

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event
