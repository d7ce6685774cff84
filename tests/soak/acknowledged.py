"""Nothing acknowledged is missing, nothing is there twice, and every byte is as it was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from agents.transport.embedded.log import Record
from tests.soak.evidence import Evidence
from tests.soak.sender import Journal, Span, mark_of
from tests.soak.senders import SenderProcess

Found = dict[tuple[str, int, int], list[tuple[str, int, Record]]]  # by seed, number and life


def acknowledged(evidence: Evidence, senders: Iterable[SenderProcess]) -> Iterator[object]:
    """Of every sender of the folder."""
    found: Found = {}
    for (topic, partition, _), record in evidence.records.items():
        mark = mark_of(record[4])
        if mark is not None:
            found.setdefault(mark, []).append((topic, partition, record))
    for sender in senders:
        yield from _of_sender(sender, found)


def _of_sender(sender: SenderProcess, found: Found) -> Iterator[object]:
    journal = Journal.read(sender.journal)
    sent = dict(enumerate(sender.records(), 1))
    for span in journal.tried:
        there = Counter({n: len(found.get((sender.seed, n, span.life), ())) for n in range(span.first, span.behind)})
        missing = [n for n, count in there.items() if not count]
        if span in journal.acknowledged and missing:
            yield f"{sender.seed}: acknowledged and not in the log: {missing[:5]} of {span}"
        if sender.topic is None and missing and len(missing) < len(there):
            yield f"{sender.seed}: half of an append is in the log: {span} without {missing[:5]}"
    tried = {(sender.seed, n, span.life) for span in journal.tried for n in range(span.first, span.behind)}
    for mark, places in found.items():
        if mark[0] != sender.seed:
            continue
        if len(places) != 1:
            yield f"{mark}: in the log {len(places)} times"
        if mark not in tried:
            yield f"{mark}: in the log and never sent"
        for topic, partition, (_, timestamp, key, value, _) in places:
            if (topic, partition, timestamp, key, value) != sent[mark[1]][:5]:
                yield f"{mark}: not what was sent"
    if journal.following != sender.total + 1:
        yield f"{sender.seed}: {Span(journal.following, sender.total + 1, sender.lives)} never acknowledged"
