"""Partitions are shared out evenly, stay where they are, and come back to whom has their state."""

from __future__ import annotations

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from hypothesis import given
from hypothesis import strategies as st

from agents.transport.kafka.assignor import Assignor, Claim, share

NOTHING = Claim([], [])


@given(
    st.integers(0, 40),
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3),
        st.builds(Claim, st.lists(st.integers(0, 45)), st.lists(st.integers(0, 45))),
        min_size=1,
        max_size=7,
    ),
)
def test_every_partition_has_one_worker_and_workers_differ_by_one(partitions: int, claims: dict[str, Claim]) -> None:
    """Whatever anybody claims, also twice, or of partitions that do not exist."""
    shares = share(partitions, claims)
    assert sorted(number for own in shares.values() for number in own) == list(range(partitions))
    assert claims.keys() == shares.keys()
    sizes = {len(own) for own in shares.values()}
    assert max(sizes) - min(sizes) <= 1


def test_nothing_moves_without_need() -> None:
    """Another rebalance of the same workers gives everybody what it holds."""
    held = {"a": Claim([0, 3, 5], []), "b": Claim([1, 2, 4], [])}
    assert {"a": {0, 3, 5}, "b": {1, 2, 4}} == share(6, held)


def test_a_newcomer_takes_only_its_share() -> None:
    """The others keep the rest."""
    shares = share(6, {"a": Claim([0, 1, 2], []), "b": Claim([3, 4, 5], []), "c": NOTHING})
    assert (2, 2, 2) == tuple(len(own) for own in shares.values())
    assert shares["a"] < {0, 1, 2}
    assert shares["b"] < {3, 4, 5}


def test_who_comes_back_gets_what_lies_on_its_disk() -> None:
    """A worker that was away takes what it need not restore; those who had it meanwhile let go of just that."""
    back = {"a": Claim([0, 1, 2, 3], [0, 1, 2, 3]), "b": NOTHING._replace(stored=[1, 3])}
    assert {"a": {0, 2}, "b": {1, 3}} == share(4, back)


def test_more_workers_than_partitions() -> None:
    """Some wait, with nothing."""
    shares = share(2, {"a": NOTHING, "b": NOTHING, "c": NOTHING})
    assert [0, 1, 1] == sorted(len(own) for own in shares.values())


class Cluster(ClusterMetadata):  # type: ignore[misc]  # aiokafka is untyped here
    """Knows two topics of three partitions."""

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0, 1, 2}


def test_a_number_goes_to_one_worker_in_all_topics() -> None:
    """What an assignor tells the leader, and the leader gives back, fits together; strangers' words mean nothing."""
    mine = Assignor(lambda: {2})
    mine.on_assignment(ConsumerProtocolMemberAssignment(0, [("qc", [1]), ("people", [1])], b""))
    members = {
        "me": mine.metadata({"qc", "people"}),
        "you": ConsumerProtocolMemberMetadata(0, ["people", "qc"], b"not ours"),
    }
    given = mine.assign(Cluster(), members)
    assert [("people", [1, 2]), ("qc", [1, 2])] == given["me"].assignment
    assert [("people", [0]), ("qc", [0])] == given["you"].assignment
