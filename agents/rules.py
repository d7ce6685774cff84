"""Templates in the log become a rulebook; what broke a rule of publication has no effect."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from agents.transport.log import Log
from stream.rulebook import Rulebook
from stream.template import Template, TemplateError, load_published
from stream.topics import TEMPLATES

logger: Final = logging.getLogger(__name__)


class Publication(NamedTuple):
    """A template as the log has it."""

    published_at: int
    partition: int
    offset: int
    template: Template


def publications(log: Log, known_at: int | None = None) -> list[Publication]:
    """What was published, in the order of the log; `known_at` (ms) leaves out what came later."""
    found: list[tuple[int, Publication]] = []
    for partition in range(log.topics()[TEMPLATES].partitions):
        offset, reached = 0, -1  # a clock that was set back does not turn the order of a partition
        while rows := log.read(TEMPLATES, partition, offset, 1000):
            offset = rows[-1][0] + 1
            for at, timestamp, _, value, _ in rows:
                if known_at is None or timestamp <= known_at:
                    reached = max(reached, timestamp)
                    template = _template(value)
                    if template is not None:
                        found.append((reached, Publication(timestamp, partition, at, template)))
    return _valid(entry for _, entry in sorted(found, key=lambda placed: (placed[0], *placed[1][1:3])))


def rulebook(log: Log, known_at: int | None = None) -> Rulebook:
    """The rules that the log holds."""
    found = publications(log, known_at)
    newest = max((entry.published_at for entry in found), default=-1)
    return Rulebook((entry.template for entry in found), newest)


def changed_since(old: Rulebook, new: Rulebook) -> int | None:
    """The earliest instant from which two rulebooks differ, None when they are the same."""
    return unknown_since(version_names(old), new)


def unknown_since(known: Collection[str], rules: Rulebook) -> int | None:
    """The earliest instant of versions that are not among these names, None when all are."""
    return min((t.effective_from for t in rules.templates() if _name(t) not in known), default=None)


def only(rules: Rulebook, names: Collection[str]) -> Rulebook:
    """The rules as they were when these versions (`id@version`) were all."""
    if unknown_since(names, rules) is None:
        return rules
    return Rulebook(template for template in rules.templates() if _name(template) in names)


def version_names(rules: Rulebook) -> list[str]:
    """`id@version` of all versions."""
    return [_name(template) for template in rules.templates()]


def _name(template: Template) -> str:
    return f"{template.template}@{template.version}"


def _valid(entries: Iterable[Publication]) -> list[Publication]:
    valid: list[Publication] = []
    versions: dict[str, set[int]] = {}
    for entry in entries:
        template = entry.template
        known = versions.setdefault(template.template, set())
        if template.version in known or (known and template.effective_from <= entry.published_at):
            logger.warning(
                "template %s@%s is ignored: it broke a rule of publication", template.template, template.version
            )
            continue
        known.add(template.version)
        valid.append(entry)
    return valid


@lru_cache(maxsize=256)
def _template(value: bytes | None) -> Template | None:
    try:
        return load_published((value or b"").decode())
    except (TemplateError, UnicodeDecodeError) as error:
        logger.warning("a record in %s is no template and is ignored: %s", TEMPLATES, error)
        return None
