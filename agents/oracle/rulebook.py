"""Which versions apply: per template the last published one in force at a time, if it is for the person's role then."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

from agents.oracle.case_mix import CaseMix, Models, is_of_case_mix, models_of
from agents.oracle.log import Kind, LogRecord
from agents.oracle.shift_calendar import Calendar, CalendarError, is_of_calendar, read_calendar
from agents.oracle.shifts import Calendars
from agents.oracle.template import Indicator, Template, TemplateError, read_template

_P = TypeVar("_P", Template, Calendar)


class Version:
    """A template version with its time in force [start, end); end is None for the last one."""

    def __init__(self, template: Template, end: int | None) -> None:
        self.template = template
        self.start = template.effective_from
        self.end = end
        self._entered: dict[Kind, tuple[int, ...]] = {}

    @property
    def key(self) -> tuple[str, int]:
        """The template and the version's number."""
        return self.template.template, self.template.version

    def entered(self, kind: Kind) -> tuple[int, ...]:
        """Positions of the indicators that an event of this kind enters."""
        found = self._entered.get(kind)
        if found is None:
            indicators = self.template.indicators
            found = tuple(at for at, indicator in enumerate(indicators) if _matches(indicator, kind))
            self._entered[kind] = found
        return found


def _matches(indicator: Indicator, kind: Kind) -> bool:
    dims = dict(kind.dims)
    return indicator.source == kind.type and all(dims.get(dim) in allowed for dim, allowed in indicator.where)


class Rulebook:
    """The published templates and their order in time, the models of case mix for their indicators, the calendars."""

    def __init__(
        self, templates: Iterable[Template], models: Models | None = None, calendars: Iterable[Calendar] = ()
    ) -> None:
        self.calendars = Calendars(calendars)
        self._versions = _in_order(templates)
        self._starts = sorted({version.start for version in self._versions})
        self._applying: dict[tuple[int, str | None], tuple[Version, ...]] = {}
        self._models = models or {}

    @property
    def versions(self) -> list[Version]:
        """All versions, by template id and then in the order of their time in force."""
        return self._versions

    def applying(self, at: int, role: str | None) -> tuple[Version, ...]:
        """The versions in force at `at` (ms) that apply to a person who then has `role`, by template id."""
        regime = (bisect_right(self._starts, at), role)
        found = self._applying.get(regime)
        if found is None:
            found = tuple(
                version
                for version in self._versions
                if version.start <= at and (version.end is None or at < version.end)
                if version.template.roles is None or role in version.template.roles
            )
            self._applying[regime] = found
        return found

    def in_force(self, at: int) -> list[Version]:
        """The versions in force at `at` (ms), whoever they apply to, by template id."""
        return [v for v in self._versions if v.start <= at and (v.end is None or at < v.end)]

    def case_mix(self, version: Version, indicator: Indicator) -> CaseMix:
        """What the models say of the entries of this indicator of the version."""
        return CaseMix(indicator, self._models.get((version.template.template, indicator.id), ()))


def _in_order(templates: Iterable[Template]) -> list[Version]:
    ordered = sorted(templates, key=lambda template: (template.template, template.effective_from, template.version))
    ends: list[int | None] = [
        after.effective_from if after.template == template.template else None for template, after in pairwise(ordered)
    ]
    return [Version(template, end) for template, end in zip(ordered, [*ends, None][: len(ordered)], strict=True)]


def publications(records: Iterable[LogRecord]) -> list[tuple[int, Template]]:
    """(publication time, template) of the valid publications, in log order."""
    return _valid((record for record in log_order(records) if not _is_none(record)), read_template)


def _is_none(record: LogRecord) -> bool:
    """Whether it is a model, a calendar or the tree of units: no template, whatever it holds."""
    return is_of_case_mix(record) or is_of_calendar(record) or record.key == b"organisation"


def calendars_of(records: Iterable[LogRecord]) -> list[Calendar]:
    """The valid shift calendars, in log order; of the key only the beginning counts."""
    return [calendar for _, calendar in _valid(filter(is_of_calendar, log_order(records)), read_calendar)]


def _valid(records: Iterable[LogRecord], read: Callable[[str], _P]) -> list[tuple[int, _P]]:
    """(publication time, what was published) of the records, which come in log order.

    Ignored are texts that cannot be read, a number already published, and a version that is not the first of its id
    and does not take effect later than its publication.
    """
    valid: list[tuple[int, _P]] = []
    numbers: dict[str, set[int]] = {}
    for record in records:
        found = _readable(record.value, read)
        if found is None:
            continue
        published = numbers.setdefault(found[0], set())  # the id comes first, in templates and calendars
        if found.version in published or (published and found.effective_from <= record.timestamp):
            continue
        published.add(found.version)
        valid.append((record.timestamp, found))
    return valid


def rulebook_of(records: Iterable[LogRecord]) -> Rulebook:
    """The rules in these records of the topic `templates`, which may come in any order."""
    found = list(records)
    templates = (template for _, template in publications(found))
    return Rulebook(templates, models_of(log_order(found)), calendars_of(found))


def log_order(records: Iterable[LogRecord]) -> list[LogRecord]:
    """The records of the topic `templates` in its order."""
    # The versions of a template may lie in several partitions, which have no common order: log time decides between
    # them, the offset within one.
    placed: list[tuple[int, int, int, LogRecord]] = []
    newest: dict[int, int] = {}
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        newest[record.partition] = max(record.timestamp, newest.get(record.partition, record.timestamp))
        placed.append((newest[record.partition], record.partition, record.offset, record))
    return [record for *_, record in sorted(placed, key=lambda entry: entry[:3])]


def _readable(value: bytes | None, read: Callable[[str], _P]) -> _P | None:
    try:
        return None if value is None else read(value.decode("utf-8"))
    except (UnicodeDecodeError, TemplateError, CalendarError):
        return None
