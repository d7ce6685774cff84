"""An alert that nobody takes up escalates at a tick, once: so late after it was raised as its rule says.

Said is only what follows from inputs, templates and ticks alone: not of alerts that any command names (of people, or of
a unit that stands for its members'), nor of those that were seen before the last thing that had somebody's past counted
anew.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator

from agents.oracle.alerts import Alert, Episode, episodes_of
from agents.oracle.known import Knowledge
from agents.oracle.log import MINUTE
from agents.oracle.rows import Person
from agents.oracle.rulebook import Rulebook, Version

TOLD_LATE = 60 * MINUTE  # what is older at the first tick that sees it is told to nobody, and waits for nobody


def escalating(person: Person, rulebook: Rulebook, known: Knowledge, handled: Collection[str]) -> Iterator[Alert]:
    """The alerts of one person that records have raised, with when they escalated; of the `handled` nothing is said.

    `known` is what is known at the ticks of the person's partition.
    """
    told = (known.since(event) for event in person.events if event.topic == "people-events")
    settled = max([known.newest, *told])
    for version in rulebook.versions:
        for episode in episodes_of(person, rulebook, version, rulebook):
            seen = known.since(episode.raised)
            is_unsaid = episode.alert.alert_id in handled or seen == len(known.ticks.times)
            if is_unsaid or (settled and seen <= settled):
                yield episode.alert
            else:
                yield episode.alert._replace(escalated_at=_when(episode, seen, person, (rulebook, version), known))


def _when(episode: Episode, seen: int, person: Person, under: tuple[Rulebook, Version], known: Knowledge) -> int | None:
    """The time of the tick, None without one; `seen` is the first tick that follows the raising record."""
    times, raised_at = known.ticks.times, episode.alert.raised_at
    if not episode.escalation or raised_at < times[seen] - TOLD_LATE:
        return None
    due = bisect_left(times, raised_at + episode.escalation, seen)
    over = len(times) if episode.over is None else known.since(episode.over)
    return times[due] if due < over and _is_in_force(*under, person, times[seen : due + 1]) else None


def _is_in_force(rulebook: Rulebook, version: Version, person: Person, times: Collection[int]) -> bool:
    """Whether a version applies to somebody at each of some ticks, which come in order."""
    ticks = list(times)
    edges = [edge for edge in (version.start, version.end, *person.assignments.times) if edge is not None]
    looked_at = {0, *(bisect_left(ticks, edge) for edge in edges)} - {len(ticks)}
    return all(version in rulebook.applying(ticks[at], person.assignments.role(ticks[at])) for at in looked_at)
