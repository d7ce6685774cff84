"""What Faust must not do by itself: each test fails where Faust's own way comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from agents.transport.errors import LogError, TransportFailed
from agents.transport.hooks import Hooks, Prepared, Span, Wanted
from agents.transport.kafka import faust_internals
from agents.transport.kafka.cluster import Cluster
from agents.transport.kafka.driver import faust_options
from agents.transport.kafka.faust_internals import Consumer, demand_versions
from agents.transport.kafka.light import Chunk
from agents.transport.log import Record, TopicPartition

PLACE = TP("qc-events", 1)
GENERATION = 7


def chunk(begin: int, after: int, offsets: Collection[int] = ()) -> Chunk:
    """Records at these offsets (all of the span's by default)."""
    rows = [Record(offset, 1_000, b"k", b"v", None) for offset in offsets or range(begin, after)]
    return Chunk(PLACE, rows, Span(begin, after))


@dataclass
class Packed:
    """Records as only the application knows them."""

    after: int
    count: int
    size: int = 0
    logged: int = 2_000

    def __len__(self) -> int:
        return self.count


@dataclass
class FakeMember:
    """A membership that gives what a test says."""

    rounds: list[list[Chunk]] = field(default_factory=list)
    sought: list[dict[TopicPartition, int]] = field(default_factory=list)
    error: Exception | None = None
    ends_at: int = 0
    left_alone: list[TopicPartition] = field(default_factory=list)
    active: list[set[TopicPartition]] = field(default_factory=list)

    async def take(self, active: Collection[TopicPartition], patience: float) -> list[Chunk]:
        if self.error is not None:
            raise self.error
        self.active.append(set(active))
        await asyncio.sleep(0 if self.rounds else 0.01)
        return self.rounds.pop(0) if self.rounds else []

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.sought.append(dict(offsets))

    def end(self, place: TopicPartition) -> int:
        return self.ends_at

    async def leave_alone(self, places: Collection[TopicPartition]) -> None:
        self.left_alone += places


@dataclass
class Application:
    """The hooks of an application, and what was asked of it in which order."""

    asked: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    meanwhile: dict[str, Any] = field(default_factory=dict)  # what happens during a hook
    starts_at: int = 5
    much: int = 1_000_000  # records that are better read by itself
    ends: dict[TopicPartition, int] = field(default_factory=dict)
    wanted: list[Wanted] = field(default_factory=list)
    packed: list[Prepared] = field(default_factory=list)

    def hooks(self) -> Hooks:
        async def ask(what: str) -> None:
            self.asked.append(what)
            happens = self.meanwhile.get(what)
            if isinstance(happens, Exception):
                raise happens
            if happens is not None:
                await happens()

        async def starts(places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
            await ask("starts")
            return dict.fromkeys(places, self.starts_at)

        async def assigned(numbers: Collection[int]) -> bool:
            await ask(f"assigned {sorted(numbers)}")
            return "refuse" not in self.meanwhile

        async def commits() -> None:
            await ask("commits")

        async def revoked() -> None:
            await ask("revoked")

        return Hooks(
            starts,
            commits,
            assigned,
            revoked,
            lambda: self.asked.append("resumed"),
            self.errors.append,
            lambda: (),
            self.reads,
            lambda _, records: records >= self.much,
            lambda: self.ends,
        )

    def reads(self, wanted: Wanted, following: Sequence[Wanted]) -> Prepared | None:
        """As the application's own reader: packed records, or none."""
        self.wanted.append(wanted)
        return self.packed.pop(0) if self.packed else None


@pytest.fixture
def application() -> Application:
    """One that does what it is asked."""
    return Application()


@pytest.fixture
async def app(application: Application) -> AsyncIterator[faust.App]:
    """Faust's application on a member that is none, in a generation, with a partition."""
    log: Any = SimpleNamespace(cluster=Cluster("nowhere:1"))
    made = faust.App("internals", **faust_options(log, "me"), web_enabled=False, store="memory://", autodiscover=False)
    made.transport.serve(application.hooks(), chunk_records=1_000)
    made.consumer.member = FakeMember()
    made.consumer._assigned = {PLACE}
    made.consumer_generation_id = GENERATION
    yield made
    await made._fetcher.stop()


@pytest.fixture
def consumer(app: faust.App) -> Consumer:
    """Its consumer, reading at offset 5."""
    found: Consumer = app.consumer
    found._set_active_tps({PLACE})
    found._positions[PLACE] = 5
    found.resume_flow()
    return found


def fake(consumer: Consumer) -> FakeMember:
    """The membership of a consumer of these tests."""
    member: Any = consumer.member
    assert isinstance(member, FakeMember)
    return member


async def given(consumer: Consumer, *chunks: Chunk) -> list[Any]:
    """The messages of a round with these chunks."""
    fake(consumer).rounds = [list(chunks)]
    return [message async for _, message in consumer.getmany(0.1)]


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overrides fit what they were written against; the text says what to install."""
    demand_versions()
    monkeypatch.setitem(faust_internals.VERSIONS, "faust-streaming", "0.15.2")
    with pytest.raises(LogError, match=r"faust-streaming is .*, and reading from Kafka needs 0\.15\.2; install"):
        demand_versions()


async def test_a_message_is_a_whole_chunk(consumer: Consumer) -> None:
    """With the offsets that it stands for, which have gaps, and the generation that it was fetched in."""
    (message,) = await given(consumer, chunk(5, 12, [6, 9]))
    assert ("qc-events", 1, 9, GENERATION) == (
        message.topic, message.partition, message.offset, message.generation_id,
    )  # fmt: skip
    assert ([6, 9], Span(5, 12)) == ([row[0] for row in message.value], message.headers["span"])
    assert 12 == await consumer.position(PLACE)


async def test_offsets_without_records_are_passed_on(consumer: Consumer) -> None:
    """Else a log that ends with a marker would never be read to its end."""
    (message,) = await given(consumer, Chunk(PLACE, [], Span(5, 6)))
    assert ([], Span(5, 6)) == (message.value, message.headers["span"])


async def test_what_lies_further_on_is_not_handed_over(consumer: Consumer) -> None:
    """A chunk that was fetched before a seek would lose the records before it; they are fetched again."""
    assert [] == await given(consumer, chunk(8, 10))
    assert ([{PLACE: 5}], 5) == (fake(consumer).sought, await consumer.position(PLACE))
    assert 1 == len(await given(consumer, chunk(5, 8), chunk(4, 5)))


async def test_who_gives_only_what_lies_further_on_fails(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look alive and score nothing."""
    await given(consumer, chunk(8, 10))
    monkeypatch.setattr(faust_internals, "BEYOND_S", 0.0)
    with pytest.raises(TransportFailed, match="qc-events/1 gives offset 8, and 5 is next"):
        await given(consumer, chunk(8, 10))


async def test_what_was_handed_over_is_not_again(consumer: Consumer) -> None:
    """What overlaps comes whole, the state knows what it has; what lies before is dropped."""
    assert 1 == len(await given(consumer, chunk(3, 7)))
    assert [] == await given(consumer, chunk(5, 7))


async def test_a_backlog_is_read_beside_the_member(consumer: Consumer, application: Application) -> None:
    """It comes in order, each record once; the member leaves it alone and goes on where it ends, or cannot be read."""
    application.much, fake(consumer).ends_at = 100, 400
    await given(consumer, chunk(5, 12))
    assert [PLACE] == fake(consumer).left_alone
    application.packed = [Packed(300, 288)]
    (message,) = await given(consumer)
    assert (Span(12, 300), 299, 2.0) == (message.headers["span"], message.offset, message.timestamp)
    assert (set(), []) == (fake(consumer).active[-1], fake(consumer).sought)
    assert [] == await given(consumer)
    assert [(12, 400), (300, 400)] == [wanted[2:4] for wanted in application.wanted]
    assert ({PLACE}, [{PLACE: 300}]) == (fake(consumer).active[-1], fake(consumer).sought)
    (message,) = await given(consumer, chunk(300, 302))
    assert Span(300, 302) == message.headers["span"]


async def test_a_backlog_that_is_known_at_the_start_is_never_the_members(
    consumer: Consumer, application: Application
) -> None:
    """It would fetch some of it for nothing."""
    application.much, application.ends = 100, {PLACE: 400}
    await consumer.perform_seek()
    assert ([PLACE], [{}]) == (fake(consumer).left_alone, fake(consumer).sought)
    application.packed = [Packed(300, 295)]
    (message,) = await given(consumer)
    assert Span(5, 300) == message.headers["span"]


async def test_a_backlog_that_ends_is_the_members_again(consumer: Consumer, application: Application) -> None:
    """From behind its last chunk."""
    application.much, fake(consumer).ends_at = 100, 400
    await given(consumer, chunk(5, 12))
    application.packed = [Packed(400, 388)]
    assert 1 == len(await given(consumer))
    assert ([{PLACE: 400}], 400) == (fake(consumer).sought, await consumer.position(PLACE))
    assert {PLACE} == fake(consumer).active[-1]


async def test_a_backlog_of_another_generation_is_dropped(
    app: faust.App, consumer: Consumer, application: Application
) -> None:
    """A rebalance came while it was read."""
    application.much, fake(consumer).ends_at = 100, 400
    await given(consumer, chunk(5, 12))
    application.packed = [Packed(300, 288)]

    def moved(wanted: Wanted, following: Sequence[Wanted]) -> Prepared | None:
        app.consumer_generation_id += 1
        return Application.reads(application, wanted, following)

    consumer._backlog._hooks = replace(consumer._hooks, reader=moved)
    assert [] == await given(consumer)
    assert 12 == await consumer.position(PLACE)


async def test_a_rebalance_ends_a_round(consumer: Consumer, app: faust.App) -> None:
    """Nothing more of it is handed over once the flow is stopped, or the generation is another."""
    fake(consumer).rounds = [[chunk(5, 6), chunk(6, 7)]]
    seen = []
    async for _, message in consumer.getmany(0.1):
        seen.append(message.offset)
        consumer.stop_flow()
    assert [5] == seen
    consumer.resume_flow()
    fake(consumer).rounds = [[chunk(6, 7), chunk(7, 8)]]
    async for _, message in consumer.getmany(0.1):
        seen.append(message.offset)
        app.consumer_generation_id += 1
    assert [5, 6] == seen


async def test_nothing_is_asked_for_before_it_is_known_where_to_begin(consumer: Consumer) -> None:
    """And a pause is milliseconds long, not Faust's second."""
    consumer._positions.clear()
    begin = asyncio.get_running_loop().time()
    assert [] == await given(consumer, chunk(5, 6))
    assert asyncio.get_running_loop().time() - begin < 0.5


async def test_reading_that_fails_is_told(consumer: Consumer, application: Application) -> None:
    """Faust would log it and read nothing for ever."""
    fake(consumer).error = TransportFailed("planted")
    await consumer._drain_messages(SimpleNamespace(should_stop=False))
    assert [fake(consumer).error] == application.errors


async def test_faust_commits_nothing(consumer: Consumer, application: Application) -> None:
    """What was acknowledged is forgotten; the application commits, from its state."""
    consumer._acked[PLACE].extend([5, 6])
    consumer._acked_index[PLACE].update({5, 6})
    await consumer.commit()
    assert (["commits"], [], set()) == (application.asked, consumer._acked[PLACE], consumer._acked_index[PLACE])
    with pytest.raises(NotImplementedError):
        await consumer._commit({PLACE: 7})


async def test_partitions_go_after_the_last_commit(consumer: Consumer, application: Application) -> None:
    """The flow has stopped by then; Faust, which forgets acknowledgements first, comes after."""
    seen: list[bool] = []

    async def look() -> None:
        seen.append(consumer.flow_active or not consumer._active_partitions)

    application.meanwhile["revoked"] = look
    await consumer._revoke()
    assert (["revoked"], [False], set()) == (application.asked, seen, consumer._active_partitions)


async def test_a_last_commit_that_fails_is_told(consumer: Consumer, application: Application) -> None:
    """The client library would swallow it and go on."""
    application.meanwhile["revoked"] = TransportFailed("planted")
    await consumer._revoke()
    assert [application.meanwhile["revoked"]] == application.errors


async def test_an_assignment_is_taken_over_then_read(
    app: faust.App, consumer: Consumer, application: Application
) -> None:
    """Restored first, then sought to where the state says, then read; committed offsets are not asked for."""
    consumer.stop_flow()
    await app.tables.recovery._resume_streams(GENERATION)
    assert ["assigned [1]", "starts", "resumed"] == application.asked
    assert ([{PLACE: 5}], True) == (fake(consumer).sought, consumer.flow_active)


@pytest.mark.parametrize("when", ["assigned [1]", "starts"])
async def test_an_assignment_that_is_revoked_meanwhile_is_not_read(
    app: faust.App, consumer: Consumer, application: Application, when: str
) -> None:
    """Whenever the next rebalance comes; the one after it resumes."""
    consumer.stop_flow()
    application.meanwhile[when] = consumer._revoke
    await app.tables.recovery._resume_streams(GENERATION)
    assert ("resumed" in application.asked, consumer.flow_active) == (False, False)
    assert [] == application.errors


async def test_a_takeover_that_is_cut_off_is_not_read(
    app: faust.App, consumer: Consumer, application: Application
) -> None:
    """The application says that it is not whole."""
    application.meanwhile["refuse"] = None
    await app.tables.recovery._resume_streams(GENERATION)
    assert ["assigned [1]"] == application.asked


async def test_an_assignment_of_an_older_generation_is_left_alone(
    app: faust.App, consumer: Consumer, application: Application
) -> None:
    """Its own rebalance is over."""
    await app.tables.recovery._resume_streams(GENERATION - 1)
    assert [] == application.asked


@pytest.mark.parametrize("when", ["assigned [1]", "starts"])
async def test_a_takeover_that_fails_is_told(
    app: faust.App, consumer: Consumer, application: Application, when: str
) -> None:
    """Faust's own recovery logs and stays down."""
    application.meanwhile[when] = LogError("planted")
    await app.tables.recovery._resume_streams(GENERATION)
    assert [application.meanwhile[when]] == application.errors
    assert "resumed" not in application.asked


async def test_tables_start_at_once(app: faust.App) -> None:
    """Faust waits a second for tables, of which there are none."""
    begin = asyncio.get_running_loop().time()
    await app.tables.on_start()
    assert asyncio.get_running_loop().time() - begin < 0.5
    await app.tables.recovery.stop()


async def test_nothing_is_sent_through_faust(app: faust.App) -> None:
    """Its producer would not be part of a transaction."""
    with pytest.raises(NotImplementedError, match="write with the log"):
        await app.producer.send("qc-events", b"k", b"v", 0, None, None)
