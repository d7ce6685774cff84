"""`scorestream send`: what is said to be sent is durable, whatever happens next."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from agents.cli.csv_mapping import csv_events, load_mapping
from agents.cli.errors import CommandError, UsageError
from agents.cli.event_order import in_event_order
from agents.cli.flags import NO_FLAGS, Flags, InputFile, Switch
from agents.cli.interrupts import interrupts_later
from agents.cli.lines import Block, blocks, file_size
from agents.cli.opening import demand_topic, now_ms, writable_log
from agents.cli.progress import Progress, say
from agents.cli.raw_records import BadRecord, from_line
from agents.cli.routing import Misplaced, Problems, Router
from agents.publishing import moving
from agents.transport.log import Append, Log, Outgoing
from stream.topics import TEMPLATES, TICKS, TOPICS

LEDGERS: Final = frozenset(topic.name for topic in TOPICS if topic.ledger)


def send(
    file: InputFile,
    /,
    *,
    topic: str | None = None,
    event_time: Switch = False,
    raw_records: Switch = False,
    csv: Switch = False,
    mapping: Path | None = None,
    flags: Flags = NO_FLAGS,
) -> int:
    """Send events from a file or a pipe into the log; what is said to be sent is on disk.

    One JSON object per line. Its bytes go in as they are; the topic follows from
    the type, the partition from the employee. A line that names no place (no JSON,
    no employee_id, a type without a topic) is reported and left out, and the exit
    code is 1; with --topic it goes in all the same and becomes a dead letter.

    For example

        scorestream send events.ndjson
        tail -f station.ndjson | scorestream send -
        scorestream send history.ndjson --event-time
        scorestream send results.csv --mapping results.yaml
        scorestream send qc-events.log --raw-records --topic qc-events

    A mapping is YAML. It names for each field of the event the column that it is
    in, or a text with {columns}; an empty cell leaves a measure or dim out:

        event_id: "{order}-{pos}"
        employee_id: operator
        occurred_at: finished
        measures: {inspected: qty, accepted: ok}
        dims: {product: sku, stage: station}
        constants: {type: qc.inspection, source: line-3, dims: {line: L03}}
        timezone: Asia/Shanghai    # of times without a zone
        delimiter: ";"             # default: ,
        encoding: gb18030          # default: utf-8

    Parameters
    ----------
    file
        NDJSON or CSV file, - for standard input
    topic
        topic for every line, whatever its type
    event_time
        log time = occurred_at, sorted before sending (for a history; held in memory)
    raw_records
        lines are records as `scorestream log` prints them, sent byte for byte; it is
        said when a `partition` is not the key's (leave it out: it follows from the key)
    csv
        the input is CSV (a file named .csv is anyway)
    mapping
        YAML file that maps CSV columns to fields
    """
    settings = flags.settings()
    is_csv = csv or file.lower().endswith(".csv")
    _check_options(is_csv=is_csv, mapping=mapping, raw_records=raw_records, event_time=event_time)
    if topic is not None:
        _check_topic(topic, raw_records=raw_records)
    with ExitStack() as stack:
        stream = _open(file, stack)
        plan = load_mapping(mapping) if mapping is not None else None
        log, partitions = stack.enter_context(writable_log(settings))
        if topic == TICKS:
            _demand_no_worker(log)
        source = blocks(stream) if plan is None else csv_events(stream, plan, file)
        problems, misplaced = Problems(), Misplaced(partitions)
        append, wrong = stack.enter_context(moving(log) if topic == TEMPLATES else nullcontext((log.append, _right)))
        if raw_records:
            batches = _raw(source, topic, partitions, problems, misplaced, wrong)
        else:
            router = Router(topic, partitions, problems.add)
            batches = _history(_watched(source, file), router) if event_time else _live(source, router)
        _send(append, batches, file)
        misplaced.tell()
    if problems.count:
        say(f"{problems.count:,} lines left out")
    return 1 if problems.count else 0


def _check_options(*, is_csv: bool, mapping: Path | None, raw_records: bool, event_time: bool) -> None:
    if is_csv and mapping is None:
        raise UsageError(
            "--mapping is missing: CSV needs a file that maps columns to fields, see `scorestream send --help`"
        )
    if mapping is not None and not is_csv:
        raise UsageError(f"--mapping {mapping}: only CSV has columns to map; add --csv if the input is CSV")
    if raw_records and (is_csv or event_time):
        raise UsageError("--raw-records: a record has its own form and timestamp; leave --csv and --event-time out")


def _check_topic(topic: str, *, raw_records: bool) -> None:
    """Worker's topics are closed; ticks and templates can be moved from another log, and not written otherwise."""
    demand_topic(topic)
    if topic in LEDGERS:
        raise UsageError(f"--topic {topic}: only the worker writes it")
    if topic == TEMPLATES and not raw_records:
        raise UsageError(f"--topic {topic}: `scorestream templates publish` checks and publishes a template")
    if topic == TICKS and not raw_records:
        raise UsageError(f"--topic {topic}: only the worker writes it; --raw-records moves those of another log")


def _demand_no_worker(log: Log) -> None:
    if (owner := log.owner()) is not None:
        who = f"process {owner} is the worker" if isinstance(owner, int) else f"{owner} are workers"
        raise CommandError(f"--topic {TICKS}: {who} of {log.name} and writes it; stop it first")


def _open(file: str, stack: ExitStack) -> BinaryIO:
    return sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))


Batch = tuple[list[Outgoing], int]
"""Records, and how many bytes of the input they took."""


def _live(source: Iterable[Block], router: Router) -> Iterator[Batch]:
    for block in source:
        yield router.route(block, itertools.repeat(now_ms())), block.size


def _history(source: Iterable[Block], router: Router) -> Iterator[Batch]:
    for block, times in in_event_order(source, now_ms()):
        yield router.route(block, times), block.size


def _watched(source: Iterable[Block], file: str) -> Iterator[Block]:
    with Progress("read", file_size(file)) as progress:
        for block in source:
            progress.advance(len(block.lines), block.size)
            yield block


def _right(_: Outgoing) -> None:
    """Nothing is wrong with a record."""


def _raw(
    source: Iterable[Block],
    topic: str | None,
    partitions: int,
    problems: Problems,
    misplaced: Misplaced,
    wrong: Callable[[Outgoing], str | None],
) -> Iterator[Batch]:
    for block in source:
        records = []
        for line, number in zip(block.lines, block.numbers, strict=True):
            try:
                if line.strip():
                    record = from_line(line, topic, partitions)
                    if (problem := wrong(record)) is not None:
                        raise BadRecord(problem)
                    records.append(record)
                    misplaced.see(number, record)
            except BadRecord as error:
                problems.add(number, line, str(error))
        yield records, block.size


def _send(append: Append, batches: Iterable[Batch], file: str) -> None:
    with Progress("sent", file_size(file)) as progress:
        try:
            for records, size in batches:
                with interrupts_later():
                    if records:
                        append(records)
                    progress.advance(len(records), size)
        finally:
            # Also when interrupted, or when the disk is full: what was appended stays.
            say(progress.summary())
