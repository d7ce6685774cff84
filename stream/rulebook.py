"""Which rules hold for whom and when: template versions in force, compiled to what the hot loop needs.

A `Rulebook` is frozen; publishing makes a new one. A `Regime` is the set of versions that hold for one role
between two instants; all employees of that role share it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.measures import Dims
from stream.alert_rules import NaiveRule, StaleRule
from stream.calendars import FOREVER, Calendars
from stream.case_mix import EVEN, Mix, Model, in_force
from stream.formula import Formula
from stream.formula_parser import Name
from stream.shift_calendar import ShiftCalendar
from stream.template import Indicator, Template
from stream.unit_tree import NO_TREE, UnitTree


class Mixed(NamedTuple):
    """An indicator whose units count against what their kind usually gives: its rate, and the dims that make kinds."""

    indicator: str
    good: str
    of: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Indicators of a version that count the same events share sums: one vector per pane and calendar window.

    A vector is (events, measure, measure, ...) in the order of `names`, in millionths; allowances (`~` and the
    indicator's id) come after the measures, in the order of `mixed`.
    """

    index: int
    source: str
    where: tuple[tuple[str, frozenset[str]], ...]
    names: tuple[str, ...]
    panes: tuple[tuple[int, int], ...]  # (grain ms, panes kept), one per grain
    calendars: tuple[str, ...]  # "all", "day", ...; "shift" last
    key: str  # the names in one text, as Measures.vector wants them; of allowances that are 0
    mixed: tuple[Mixed, ...]

    @property
    def by_shift(self) -> bool:
        """Whether sums are kept by shift."""
        return self.calendars[-1:] == ("shift",)

    def mix(self, indicator: str) -> int:
        """The place of an indicator in `mixed`, -1 where it is not there."""
        return next((place for place, one in enumerate(self.mixed) if one.indicator == indicator), -1)

    def allowance(self, indicator: str) -> int:
        """The place of an indicator's allowance in the vector, 0 where it has none."""
        name = f"~{indicator}"
        return self.names.index(name) + 1 if name in self.names else 0

    def matches(self, kind: str, dims: dict[str, str]) -> bool:
        """Whether an event of this type and these dims enters."""
        return kind == self.source and all(dims.get(name) in values for name, values in self.where)


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A template version with its interval in force [begins, ends) in ms and its groups."""

    template: Template
    begins: int
    ends: int
    groups: tuple[Group, ...]
    group_of: tuple[int, ...]  # per indicator
    key: tuple[str, int]

    @property
    def timezone(self) -> str:
        return self.template.timezone

    def applies_to(self, role: str | None) -> bool:
        """Whether a person in this role is assessed by this version."""
        return self.template.roles is None or role in self.template.roles


class Entry(NamedTuple):
    """A group that events of one kind enter: by which measures (as Measures.vector wants them), and their case mix."""

    version: Version
    group: Group
    key: str
    mix: tuple[Mix, ...]  # in the order of the group's `mixed`


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """What an event of one type and one set of dims does under a regime."""

    line: str
    entries: tuple[Entry, ...]


@dataclass(eq=False, slots=True)
class Regime:
    """The versions that hold for a role from `begins` until `ends`; remembers actions by type and dims digest.

    `models` are those in force, by template and indicator.
    """

    versions: tuple[Version, ...]
    begins: int
    ends: int
    models: Mapping[tuple[str, str], Model] = field(default_factory=dict)
    _actions: dict[tuple[str, int], Action] = field(default_factory=dict)
    _shared: dict[tuple[str, tuple[Entry, ...]], Action] = field(default_factory=dict)

    def action(self, kind: str, dims: Dims) -> Action:
        """The action of an event type with these dims."""
        found = self._actions.get((kind, dims.digest))
        if found is None:
            if len(self._actions) > 20_000:
                self._actions.clear()
            values = dims.values
            entries = tuple(
                self._entry(v, g, values) for v in self.versions for g in v.groups if g.matches(kind, values)
            )
            found = self._shared.setdefault((values.get("line", ""), entries), Action(values.get("line", ""), entries))
            self._actions[kind, dims.digest] = found
        return found

    def _entry(self, version: Version, group: Group, dims: Mapping[str, str]) -> Entry:
        if not group.mixed:
            return Entry(version, group, group.key, ())
        models = [self.models.get((version.template.template, mixed.indicator)) for mixed in group.mixed]
        mix = tuple(
            EVEN if model is None or model.by != mixed.by else model.mix(dims)
            for mixed, model in zip(group.mixed, models, strict=True)
        )
        return Entry(version, group, _vector_key(group.names, group.mixed, mix), mix)


def compile_version(template: Template, begins: int, ends: int) -> Version:
    """Groups the indicators of a template by the events they count."""
    order: list[tuple[str, tuple[tuple[str, frozenset[str]], ...]]] = []
    members: dict[tuple[str, tuple[tuple[str, frozenset[str]], ...]], list[Indicator]] = {}
    for indicator in template.indicators:
        key = (indicator.source, tuple(sorted(indicator.where)))
        if key not in members:
            order.append(key)
        members.setdefault(key, []).append(indicator)
    groups = tuple(_group(index, key, members[key]) for index, key in enumerate(order))
    group_of = tuple(order.index((i.source, tuple(sorted(i.where)))) for i in template.indicators)
    return Version(template, begins, ends, groups, group_of, (template.template, template.version))


def measures_of(indicator: Indicator) -> tuple[str, ...]:
    """The measures named by `value` and `rate`, sorted."""
    formulas = (indicator.value, indicator.rate_good, indicator.rate_of)
    return tuple(sorted({name for formula in formulas if formula is not None for name in formula.names}))


def _group(
    index: int, key: tuple[str, tuple[tuple[str, frozenset[str]], ...]], indicators: Sequence[Indicator]
) -> Group:
    names = tuple(sorted({name for indicator in indicators for name in measures_of(indicator)}))
    windows = [window for indicator in indicators for window in indicator.windows]
    kept: dict[int, int] = {}
    for window in windows:
        if window.kind == "rolling":
            kept[window.grain] = max(kept.get(window.grain, 0), -(-window.minutes * 60_000 // window.grain))
    kinds = {window.kind for window in windows if window.kind != "rolling"}
    calendars = tuple(sorted(kinds, key=lambda kind: (kind == "shift", kind)))  # states of before know no shift
    own = [one for one in indicators if one.case_mix]
    mixed = tuple(Mixed(one.id, _name(one.rate_good), _name(one.rate_of), one.case_mix) for one in own)
    names = (*names, *(f"~{one.indicator}" for one in mixed))
    vector = _vector_key(names, mixed, [EVEN] * len(mixed))
    return Group(index, key[0], key[1], names, tuple(sorted(kept.items())), calendars, vector, mixed)


def _name(formula: Formula | None) -> str:
    tree = formula.tree if formula is not None else None
    assert isinstance(tree, Name)  # the template was checked
    return tree.name


def _vector_key(names: Sequence[str], mixed: Sequence[Mixed], mix: Sequence[Mix]) -> str:
    measures = names[: len(names) - len(mixed)]
    allowances = (f"{one.of}*{own.base - own.expected}" for one, own in zip(mixed, mix, strict=True))
    return " ".join((*measures, *allowances))


class Rulebook:
    """All published versions, models of case mix and shift calendars. `regime(role, t)` is what holds for a role at t.

    `published_at` is the log time of the newest publication among them (ms). Models are those that are valid, each
    indicator's in their order. `tree` says which unit belongs to which; nobody's own score depends on it. `ends`: up to
    which offsets of `templates` the log was read for it, by partition.
    """

    def __init__(
        self,
        templates: Iterable[Template] = (),
        published_at: int = -1,
        models: Iterable[Model] = (),
        calendars: Iterable[ShiftCalendar] = (),
        tree: UnitTree = NO_TREE,
        ends: Sequence[int] = (),
    ) -> None:
        self.published_at = published_at
        self.calendars = Calendars(calendars)
        self.tree = tree
        self.ends = list(ends)
        self.models: dict[tuple[str, str], list[Model]] = {}
        for model in models:
            self.models.setdefault((model.template, model.indicator), []).append(model)
        self.versions: dict[str, list[Version]] = {}
        by_id: dict[str, list[Template]] = {}
        for template in templates:
            by_id.setdefault(template.template, []).append(template)
        for name, published in sorted(by_id.items()):
            ordered = sorted(published, key=lambda t: (t.effective_from, t.version))
            ends = [t.effective_from for t in ordered[1:]] + [FOREVER]
            self.versions[name] = [
                compile_version(t, t.effective_from, end) for t, end in zip(ordered, ends, strict=True)
            ]
        self.by_shift = any(group.by_shift for own in self.versions.values() for v in own for group in v.groups)
        rules = [rule for t in self.templates() for one in t.indicators for rule in one.alerts]
        self.awaits_silence = bool(self.calendars.versions) and any(isinstance(rule, StaleRule) for rule in rules)
        self.awaits_units = any(not isinstance(rule, NaiveRule | StaleRule) for rule in rules)
        edges = {version.begins for versions in self.versions.values() for version in versions}
        edges.update(model.effective_from for own in self.models.values() for model in own)
        self._edges = [-FOREVER, *sorted(edges), FOREVER]
        self._regimes: dict[tuple[str | None, int], Regime] = {}

    def in_force(self, name: str, at: int) -> Version | None:
        """The version of a template in force at an instant, whoever it applies to."""
        versions = self.versions.get(name, [])
        index = bisect_right(versions, at, key=lambda version: version.begins) - 1
        return versions[index] if index >= 0 else None

    def version(self, name: str, number: int) -> Version | None:
        """A published version of a template, None when it is not known."""
        return next((v for v in self.versions.get(name, ()) if v.template.version == number), None)

    def regime(self, role: str | None, at: int) -> Regime:
        """What holds for a person in `role` (None: no role) at an instant."""
        index = bisect_right(self._edges, at) - 1
        found = self._regimes.get((role, index))
        if found is None:
            versions = (self.in_force(name, at) for name in self.versions)
            holding = tuple(v for v in versions if v is not None and v.applies_to(role))
            models = {name: model for name, own in self.models.items() if (model := in_force(own, at)) is not None}
            found = Regime(holding, self._edges[index], self._edges[index + 1], models)
            self._regimes[role, index] = found
        return found

    def templates(self) -> list[Template]:
        """Every published version, by id and effective date."""
        return [version.template for versions in self.versions.values() for version in versions]
