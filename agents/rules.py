"""Templates, case mix models and shift calendars in the log become a rulebook; what broke a rule has no effect."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from agents.transport.log import Log, Record
from schemas.unreadable import UNREADABLE
from stream.case_mix import PREFIX, Model, read_model, why_not_after
from stream.rulebook import Rulebook
from stream.shift_calendar import PREFIX as CALENDAR
from stream.shift_calendar import CalendarError, ShiftCalendar, load_calendar
from stream.template import Template, TemplateError, load_published
from stream.topics import ORGANISATION, TEMPLATES, is_template
from stream.unit_tree import FOREVER, NO_TREE, UnitTree, read_tree

logger: Final = logging.getLogger(__name__)


class Publication(NamedTuple):
    """A template as the log has it."""

    published_at: int
    partition: int
    offset: int
    template: Template


class Learned(NamedTuple):
    """A model as the log has it."""

    published_at: int
    model: Model
    value: bytes


class Planned(NamedTuple):
    """A shift calendar as the log has it."""

    published_at: int
    partition: int
    offset: int
    calendar: ShiftCalendar


def publications(log: Log, known_at: int | None = None) -> list[Publication]:
    """What was published, in the order of the log; `known_at` (ms) leaves out what came later."""
    return _publications(_in_order(log, known_at))


def models(log: Log, known_at: int | None = None) -> list[Learned]:
    """The case mix models, in the order of the log."""
    return _models(_in_order(log, known_at))


def calendars(log: Log, known_at: int | None = None) -> list[Planned]:
    """The shift calendars, in the order of the log; `known_at` (ms) leaves out what came later."""
    return _calendars(_in_order(log, known_at))


def rulebook(log: Log, known_at: int | None = None, ends: Sequence[int] | None = None) -> Rulebook:
    """The rules that the log holds; `known_at` (ms) leaves out what came later.

    With `ends`: those that a tick knows, which are all below these offsets, by partition.
    """
    records = _in_order(log, known_at) if ends is None else _in_order(log, None, ends)
    read = [0] * log.topics()[TEMPLATES].partitions
    for partition, row in records:
        read[partition] = max(read[partition], row[0] + 1)
    found, learned, planned = _publications(records), _models(records), _calendars(records)
    stamps = ((e.published_at for e in found), (e.published_at for e in learned), (e.published_at for e in planned))
    newest = max(chain(*stamps), default=-1)
    return Rulebook(
        (entry.template for entry in found),
        newest,
        [entry.model for entry in learned],
        [entry.calendar for entry in planned],
        _tree(records),
        read,
    )


def _in_order(log: Log, known_at: int | None, ends: Sequence[int] | None = None) -> list[tuple[int, Record]]:
    """(partition, record) of all of them, in the order of log time; with `ends` those below these offsets."""
    found: list[tuple[int, int, Record]] = []
    for partition in range(log.topics()[TEMPLATES].partitions):
        end = FOREVER if ends is None else sum(ends[partition : partition + 1])
        offset, reached = 0, -1  # a clock that was set back does not turn the order of a partition
        while rows := log.read(TEMPLATES, partition, offset, 1000):
            offset = rows[-1][0] + 1
            for row in rows:
                if row[0] < end and (known_at is None or row[1] <= known_at):
                    reached = max(reached, row[1])
                    found.append((reached, partition, row))
    return [(partition, row) for _, partition, row in sorted(found, key=lambda one: (one[0], one[1], one[2][0]))]


def _tree(records: Iterable[tuple[int, Record]]) -> UnitTree:
    """Which unit belongs to which, as the record with the largest number says, the last of them."""
    found = NO_TREE
    for value in (row[3] for _, row in records if row[2] == ORGANISATION.encode()):
        try:
            tree = _read_tree(value)
            found = tree if tree.number >= found.number else found
        except (ValueError, *UNREADABLE) as error:
            logger.warning("record %r in %s is no tree of units and is ignored: %s", ORGANISATION, TEMPLATES, error)
    return found


_read_tree: Final = lru_cache(maxsize=4)(read_tree)


def is_model(key: bytes | None) -> bool:
    """Whether a record of the topic is no template, but a case mix model."""
    return key is not None and key.startswith(PREFIX.encode())


def is_calendar(key: bytes | None) -> bool:
    """Whether a record of the topic is no template, but a shift calendar."""
    return key is not None and key.startswith(CALENDAR.encode())


def _publications(records: Iterable[tuple[int, Record]]) -> list[Publication]:
    found: list[Publication] = []
    for partition, row in records:
        template = _template(row[3]) if is_template((row[2] or b"").decode("utf-8", "replace")) else None
        if template is not None:
            found.append(Publication(row[1], partition, row[0], template))
    return _valid(found)


def _models(records: Iterable[tuple[int, Record]]) -> list[Learned]:
    found: list[Learned] = []
    last: dict[tuple[str, str], Model] = {}
    for _, row in records:
        key = row[2] or b""
        if is_model(key):
            try:
                model = read_model(key, row[3])
                name = (model.template, model.indicator)
                why = why_not_after(model, last.get(name), row[1])
            except ValueError as error:
                why = str(error)
            if why is None:
                last[name] = model
                found.append(Learned(row[1], model, row[3] or b""))
            else:
                logger.warning("a record in %s, key %r, is no case mix model and is ignored: %s", TEMPLATES, key, why)
    return found


def _calendars(records: Iterable[tuple[int, Record]]) -> list[Planned]:
    found: list[Planned] = []
    versions: dict[str, set[int]] = {}
    for partition, row in records:
        calendar = _calendar(row[3]) if is_calendar(row[2]) else None
        if calendar is None:
            continue
        known = versions.setdefault(calendar.calendar, set())
        if calendar.version in known or (known and calendar.effective_from <= row[1]):
            logger.warning("%s is ignored: it broke a rule of publication", calendar.key)
            continue
        known.add(calendar.version)
        found.append(Planned(row[1], partition, row[0], calendar))
    return found


@lru_cache(maxsize=256)
def _calendar(value: bytes | None) -> ShiftCalendar | None:
    try:
        return load_calendar((value or b"").decode())
    except (CalendarError, UnicodeDecodeError) as error:
        logger.warning("a record in %s is no shift calendar and is ignored: %s", TEMPLATES, error)
        return None


def changed_since(old: Rulebook, new: Rulebook) -> int | None:
    """The earliest instant from which two rulebooks differ, None when they are the same."""
    return unknown_since(version_names(old), new)


def unknown_since(known: Collection[str], rules: Rulebook) -> int | None:
    """The earliest instant of versions, models and calendars that are not among these names, None when all are."""
    return min((since for _, since in unknown_rules(known, rules)), default=None)


def unknown_rules(known: Collection[str], rules: Rulebook) -> Iterator[tuple[str, int]]:
    """(what it is, its instant) of versions, models and calendars that are not among these names."""
    numbers = _numbers(known)
    for template in rules.templates():
        if _name(template) not in known:
            yield "template", template.effective_from
    for model in _all_models(rules):
        if not _is_known(model, numbers):
            yield "case-mix", model.effective_from
    for calendar in rules.calendars.versions:
        if calendar.key not in known:
            yield "calendar", calendar.effective_from


def only(rules: Rulebook, names: Collection[str]) -> Rulebook:
    """The rules as they were when these names (`version_names`) were all."""
    if unknown_since(names, rules) is None:
        return rules
    numbers = _numbers(names)
    known = [model for model in _all_models(rules) if _is_known(model, numbers)]
    planned = [calendar for calendar in rules.calendars.versions if calendar.key in names]
    return Rulebook((t for t in rules.templates() if _name(t) in names), models=known, calendars=planned)


def version_names(rules: Rulebook) -> list[str]:
    """`id@version` of all templates, the keys of all calendars, and of each indicator's models that of the last.

    It stands for all of its models.
    """
    names = [_name(template) for template in rules.templates()] + [own[-1].key for own in rules.models.values()]
    return names + [calendar.key for calendar in rules.calendars.versions]


def _numbers(names: Iterable[str]) -> dict[str, int]:
    """Of the models among names: up to which number they are known."""
    parts = (name.rpartition("@") for name in names if name.startswith(PREFIX))
    return {name: int(number) for name, _, number in parts}


def _is_known(model: Model, numbers: dict[str, int]) -> bool:
    return model.number <= numbers.get(model.key.rpartition("@")[0], 0)


def _all_models(rules: Rulebook) -> Iterator[Model]:
    return (model for own in rules.models.values() for model in own)


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
