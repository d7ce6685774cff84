"""Every score follows from the log alone: one pass decides each record, rows are read off when asked for."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from agents.oracle.admission import Admission, Limits
from agents.oracle.alerts import Alert
from agents.oracle.commands import Command, read_command
from agents.oracle.escalation import escalating
from agents.oracle.event import Rejected, read_event
from agents.oracle.expiry import Expiry
from agents.oracle.known import AllKnown
from agents.oracle.log import DAY, INPUT_TOPICS, Event, LogRecord
from agents.oracle.person import Assignments, Targets
from agents.oracle.rows import Contribution, Person, contributions_of, entered, inside, rows_of
from agents.oracle.rulebook import Rulebook, rulebook_of
from agents.oracle.score import Row
from agents.oracle.silence import silences_of
from agents.oracle.ticks import AllTicks
from agents.oracle.units import Decided, Sources, UnitAlerts, unit_alerts

LATE_MS = 7 * DAY
HORIZON_MS = 35 * DAY
CORRECTION_MS = 400 * DAY
HELD_MS = 400 * DAY


class Recomputed:
    """What the log says.

    `outcomes` counts every record of the input topics once ("scored", "rejected:bad_id", "late", ...), `last` is the
    newest T of a scored event and `now` the newest tick (ms, 0 when there is none), `employees` all that have rows.
    """

    def __init__(
        self,
        outcomes: Counter[str],
        people: dict[str, Person],
        rulebook: Rulebook,
        known: AllKnown,
        last: int,
        now: int,
        commands: Sequence[Command] = (),
        partitions: int = 1,
    ) -> None:
        self.outcomes: dict[str, int] = dict(sorted(outcomes.items()))
        self.last = last
        self.now = now
        self._people = people
        self._rulebook = rulebook
        self._known = known
        self._commands = commands
        self._handled = {command.alert_id for command in commands}
        self._partitions = partitions

    @property
    def employees(self) -> list[str]:
        """The ids of the employees with a record that ended held, unused or scored, sorted."""
        return list(self._people)

    def rows(self, as_of: int, employee: str | None = None) -> Iterator[Row]:
        """The contract's rows as of `as_of` (ms), of one employee or of all; `window_start` and `as_of` are ms."""
        for name in self._people if employee is None else [employee]:
            if name in self._people:
                yield from rows_of(self._people[name], self._rulebook, as_of)

    def alerts(self, employee: str | None = None) -> Iterator[Alert]:
        """The alerts that follow from the log, of one employee or of all, by employee; times are ms."""
        for name in self._people if employee is None else [employee]:
            if name in self._people:
                person = self._people[name]
                known = self._known.of(person.events[0].partition)
                yield from escalating(person, self._rulebook, known, self._handled)
                yield from silences_of(person, known)

    def unit_alerts(self, decided: Decided | None = None) -> UnitAlerts:
        """What units have said of themselves and of their members, as far as they had `decided`; times are ms."""
        known = [self._known.of(number) for number in range(self._partitions)]
        people = list(self._people.values())
        return unit_alerts(Sources(people, known, self._commands, self._rulebook), decided)

    def contributions(
        self, employee: str, template: str, indicator: str, window: str, as_of: int
    ) -> list[Contribution]:
        """The events, by T, whose measures add up to the sums of that row; empty when there is no such row."""
        person = self._people.get(employee)
        if person is None:
            return []
        for version in self._rulebook.applying(as_of, person.assignments.role(as_of)):
            for column, events in (
                entered(person, version, self._rulebook) if version.template.template == template else []
            ):
                for candidate in column.windows if column.id == indicator else ():
                    if candidate.text == window:
                        counting = inside(person, version, self._rulebook, candidate, as_of, events)
                        return contributions_of(column, counting)
        return []


def recompute(
    records: Iterable[LogRecord],
    *,
    partitions: int,
    known_at: int | None = None,
    late_ms: int = LATE_MS,
    horizon_ms: int = HORIZON_MS,
    correction_ms: int = CORRECTION_MS,
    held_ms: int = HELD_MS,
) -> Recomputed:
    """All outcomes and scores of a log of `partitions` partitions per input topic.

    `records` are those of the input topics, `templates`, `ticks` and `commands`: per topic partition in offset order,
    topics in any order among each other. With `known_at` (ms) only records with a log time up to it exist.
    """
    admission = Admission(Limits(late_ms, horizon_ms, correction_ms))
    outcomes: Counter[str] = Counter()
    admitted: dict[str, list[Event]] = {}
    templates: list[LogRecord] = []
    ticks = AllTicks()
    commands: list[Command] = []
    for record in records:
        if known_at is not None and record.timestamp > known_at:
            continue
        if record.topic == "templates":
            templates.append(record)
        elif record.topic == "ticks":
            ticks.read(record)
        elif record.topic == "commands":
            command = read_command(record)
            commands += [] if command is None else [command]
        elif record.topic in INPUT_TOPICS:
            event = _admit(record, partitions, admission, outcomes)
            if event is not None:
                admitted.setdefault(event.employee, []).append(event)
    return _settle(admitted, templates, ticks, outcomes, held_ms, commands, partitions)


def _admit(record: LogRecord, partitions: int, admission: Admission, outcomes: Counter[str]) -> Event | None:
    try:
        event = read_event(record, partitions)
        outcome = admission.outcome(event, record.timestamp)
    except Rejected as rejected:
        outcomes[f"rejected:{rejected.reason}"] += 1
        return None
    if outcome is None:
        return event
    outcomes[outcome] += 1
    return None


def _settle(
    admitted: dict[str, list[Event]],
    templates: list[LogRecord],
    ticks: AllTicks,
    outcomes: Counter[str],
    held_ms: int,
    commands: Sequence[Command],
    partitions: int,
) -> Recomputed:
    """Held, unused or scored: in the end state, with every assignment and template known."""
    known = AllKnown(ticks, templates)
    rulebook = rulebook_of(templates)
    people: dict[str, Person] = {}
    last = 0
    for employee in sorted(admitted):
        events = admitted.pop(employee)
        expiry = Expiry(known.of(events[0].partition), _of_people(events), held_ms)
        kept = [event for event in events if event.topic == "people-events" or not expiry.is_late(event)]
        outcomes["late"] += len(events) - len(kept)
        if not kept:
            continue
        person = _person(employee, kept)
        for event in person.events:
            outcome = _outcome(event, person, rulebook)
            outcomes[outcome] += 1
            last = max(last, event.at) if outcome == "scored" else last
        people[employee] = person
    return Recomputed(+outcomes, people, rulebook, known, last, ticks.newest(), commands, partitions)


def _of_people(events: list[Event]) -> list[Event]:
    return [event for event in events if event.topic == "people-events"]


def _person(employee: str, events: list[Event]) -> Person:
    people = _of_people(events)
    events.sort(key=lambda event: (event.at, event.topic, event.offset))
    return Person(employee, events, Assignments(people), Targets(people))


def _outcome(event: Event, person: Person, rulebook: Rulebook) -> str:
    if event.topic == "people-events":
        return "scored"
    versions = rulebook.applying(event.at, person.assignments.role(event.at))
    if not versions:
        # The training gate, the contract's other cause, is opened and shut by no event described so far.
        return "held"
    return "scored" if any(version.entered(event.kind) for version in versions) else "unused"
