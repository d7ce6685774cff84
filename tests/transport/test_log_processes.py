"""Several processes, and sudden death: what was acknowledged is there, and every batch is whole."""

from collections import Counter
from itertools import islice
from pathlib import Path

from agents.transport.embedded.log import EmbeddedLog
from tests.transport.conftest import everything, values
from tests.transport.processes import BATCH, lines, running


def test_killed_appender_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """kill -9 at any moment, again and again: acknowledged records stay at their offsets, no batch is torn."""
    acknowledged: dict[int, bytes] = {}
    for attempt in range(6):
        with running("append_batches", tmp_path, f"p{attempt}", 0) as process:
            for batch, offset in islice(lines(process), 20 + 13 * attempt):
                acknowledged[int(offset)] = b"p%d:%s:0" % (attempt, batch.encode())
            process.kill()
            for batch, offset in lines(process):
                acknowledged[int(offset)] = b"p%d:%s:0" % (attempt, batch.encode())
    with EmbeddedLog.open(tmp_path, create=False) as log:
        found = {record[0]: record[3] for record in everything(log)}
    assert list(range(len(found))) == list(found)
    assert acknowledged == {offset: found.get(offset) for offset in acknowledged}
    batches = Counter((value or b"").rsplit(b":", 1)[0] for value in found.values())
    assert {BATCH} == set(batches.values())
    assert len(acknowledged) >= 6 * 20


def test_two_processes_append_at_once(tmp_path: Path) -> None:
    """Batches of two processes interleave; offsets are dense, each process's records keep their order."""
    with running("append_batches", tmp_path, "a", 150) as a, running("append_batches", tmp_path, "b", 150) as b:
        assert len(list(lines(a))) == 150
        assert len(list(lines(b))) == 150
        assert (a.wait(), b.wait()) == (0, 0)
    with EmbeddedLog.open(tmp_path, create=False) as log:
        found = list(everything(log))
    assert list(range(300 * BATCH)) == [record[0] for record in found]
    for name in (b"a", b"b"):
        expected = [b"%s:%d:%d" % (name, batch, index) for batch in range(150) for index in range(BATCH)]
        assert expected == [record[3] for record in found if (record[3] or b"").startswith(name)]


def test_killed_owner_leaves_state_outputs_and_offsets_agreeing(tmp_path: Path) -> None:
    """kill -9 of the ledger's writer: the committed offset is that of the last state and the last output."""
    for attempt in range(4):
        with running("transact_forever", tmp_path) as process:
            said = [int(offset) for (offset,) in islice(lines(process), 10 + 7 * attempt)]
            process.kill()
            said += [int(offset) for (offset,) in lines(process)]
        with EmbeddedLog.open(tmp_path, create=False) as log:
            committed = log.committed()[("events", 0)]
            expected = [b"%d" % n for n in range(1, committed + 1)]
            assert expected == values(log, "state") == values(log, "outputs")
        assert said[-1] <= committed <= said[-1] + 1
