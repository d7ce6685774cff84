"""Every topic is declared here once: its name, what kind of log it is, who writes it."""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.event import INPUT_TOPICS, TOPIC_OF


class Topic(NamedTuple):
    """A topic of contract section 1. All of them have the same number of partitions.

    `compacted`: the latest record of each key stays. `ledger`: only the owner of the state writes it, together with
    its offsets; anybody may append to the others. `kept`: the operator's retention applies to it.
    """

    name: str
    compacted: bool = False
    ledger: bool = False
    kept: bool = False


BUSINESS_EVENTS, QC_EVENTS, PEOPLE_EVENTS = INPUTS = INPUT_TOPICS
TEMPLATES: Final = "templates"
COMMANDS: Final = "commands"
TICKS: Final = "ticks"
CHANGELOG: Final = "scores-changelog"
SCORE_UPDATES: Final = "score-updates"
UNIT_UPDATES: Final = "unit-updates"
UNIT_SHARES: Final = "unit-shares"
ALERTS: Final = "alerts"
DEAD_LETTERS: Final = "dead-letters"
LATE_EVENTS: Final = "late-events"

ORGANISATION: Final = "organisation"  # the key of the tree of units in TEMPLATES
_NOT_TEMPLATES: Final = ("case-mix:", "calendar:")  # how keys of other records there begin

TOPICS: Final = (
    Topic(BUSINESS_EVENTS, kept=True),
    Topic(QC_EVENTS, kept=True),
    Topic(PEOPLE_EVENTS, kept=True),
    Topic(TEMPLATES, compacted=True),
    Topic(COMMANDS),
    Topic(TICKS),
    Topic(CHANGELOG, compacted=True, ledger=True),
    Topic(SCORE_UPDATES, compacted=True, ledger=True),
    Topic(UNIT_UPDATES, compacted=True, ledger=True),
    Topic(UNIT_SHARES, compacted=True, ledger=True),
    Topic(ALERTS, ledger=True),
    Topic(DEAD_LETTERS, ledger=True),
    Topic(LATE_EVENTS, ledger=True),
)


def topic_of(event_type: str) -> str | None:
    """The input topic of an event type by its prefix (`qc.inspection` -> `qc-events`); None when it has none."""
    prefix, dot, _ = event_type.partition(".")
    return TOPIC_OF.get(prefix) if dot else None


def is_template(key: str) -> bool:
    """Whether a record of TEMPLATES with this key is meant as one; models of case mix and the tree of units are not."""
    return key != ORGANISATION and not key.startswith(_NOT_TEMPLATES)
