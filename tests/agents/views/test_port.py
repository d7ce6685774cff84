"""What both places of the views do alike: whole batches, in their order, of one log, for any id."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from agents.views.conflate import Published
from agents.views.port import (
    AlertKey,
    Change,
    PersonView,
    Place,
    Standing,
    UnitEntry,
    ViewsIncomplete,
    ViewsMoved,
    ViewsReader,
    ViewsWriter,
)
from stream.topics import ALERTS, SCORE_UPDATES, UNIT_UPDATES
from tests.agents.views.sites import LOG, Site, batch, replace
from tests.web.factories import NOW, TEMPLATE, alert, line, row, scores, template, unit_scores

AT = "2026-03-02T05:40:00.000Z"
HOSTILE = ["a:b", "a%3Ab", "a/b", "*", "[x]?", "..", "L03:board", "三号线/装配", "a b", "É", "\u2028", "'; DROP--", "%"]


async def test_where_nobody_has_written_there_is_nothing(reader: ViewsReader) -> None:
    """A web process may be the first that is started."""
    assert Standing() == await reader.standing()
    assert ([], [], {}, []) == (
        await reader.unit_entries(), await reader.unit_ids(), await reader.units(["L03"]), await reader.templates(),
    )  # fmt: skip
    assert ([], {}, [], (0, 0)) == (
        await reader.board("L03"), await reader.employees(["E1"]), await reader.employee_ids("", 9),
        await reader.counts(),
    )  # fmt: skip
    assert ([], {}, {}) == (
        await reader.alert_keys(), await reader.alerts(["a1"]), await reader.unit_alerts(["L03"])
    )  # fmt: skip


async def test_what_was_put_is_read(writer: ViewsWriter, reader: ViewsReader) -> None:
    """Units and people as they were published, lists, a board, templates, time."""
    await writer.begin(LOG, 1, [0])
    await writer.put(batch(*line(people=3)))
    assert [UnitEntry("L03", 3, AT, AT)] == await reader.unit_entries()
    assert ["L03"] == await reader.unit_ids()
    assert {"L03": unit_scores("L03", ["E0001", "E0002", "E0003"]).value} == await reader.units(["L03", "L04"])
    assert {"E0002": scores("E0002").value} == await reader.employees(["E0002", "E9"])
    assert ["E0001", "E0002", "E0003"] == await reader.board("L03")
    found = await reader.boards(["L03", "L04"])
    assert ({"L03"}, {"E0001", "E0002", "E0003"}) == (set(found.units), set(found.employees))
    assert [TEMPLATE.encode()] == await reader.templates()
    assert (3, 1) == await reader.counts()
    standing = await reader.standing()
    assert (True, NOW, NOW) == (standing.complete, standing.now, standing.heard)


async def test_views_that_have_not_reached_the_end_of_the_log_are_not_read(
    writer: ViewsWriter, reader: ViewsReader
) -> None:
    """Half of a company is a wrong answer."""
    await writer.begin(LOG, 1, [0])
    part = batch(*line(), caught_up=False)
    await writer.put(part)
    assert not (await reader.standing()).complete
    with pytest.raises(ViewsIncomplete):
        await reader.unit_ids()
    await writer.put(batch(before=part.after[0], offset=1))
    assert ["L03"] == await reader.unit_ids()


async def test_views_are_complete_when_every_partition_is(site: Site, reader: ViewsReader) -> None:
    """Each worker writes its own partitions, and none knows of the others."""
    one, two = site.writer(), site.writer()
    await one.begin(LOG, 2, [0])
    await two.begin(LOG, 2, [1])
    await one.put(batch(scores("E1", at=NOW + 5)))
    with pytest.raises(ViewsIncomplete):
        await reader.employees(["E1"])
    await two.put(batch(scores("E2", at=NOW), partition=1))
    assert {"E1", "E2"} == set(await reader.employees(["E1", "E2"]))
    assert NOW + 5 == (await reader.standing()).heard
    await one.close()
    await two.close()


async def test_a_writer_that_lost_its_place_writes_nothing(site: Site, reader: ViewsReader) -> None:
    """A zombie has the same partition and older values; it is told, and goes on from where the views are."""
    zombie, owner = site.writer(), site.writer()
    for each in (zombie, owner):
        assert {0: Place()} == await each.begin(LOG, 1, [0])
    newer = batch(scores("E1", row(50)), offset=7)
    await owner.put(newer)
    with pytest.raises(ViewsMoved):
        await zombie.put(batch(scores("E1", row(10)), scores("E2"), offset=3))
    assert {"E1": scores("E1", row(50)).value} == await reader.employees(["E1", "E2"])
    assert newer.after == await zombie.begin(LOG, 1, [0])
    await zombie.put(batch(scores("E1", row(51)), before=newer.after[0], offset=8))
    with pytest.raises(ViewsMoved):
        await owner.put(batch(scores("E1", row(52)), before=newer.after[0], offset=8))
    await zombie.close()
    await owner.close()


async def test_another_log_has_other_views(site: Site, writer: ViewsWriter, reader: ViewsReader) -> None:
    """What was there before is not read any longer, and who still writes it writes nothing."""
    await writer.begin(LOG, 1, [0])
    first = batch(*line("L03"))
    await writer.put(first)
    before = await reader.standing()
    other = site.writer()
    assert {0: Place()} == await replace(other, "log-2")
    with pytest.raises(ViewsIncomplete):
        await reader.unit_ids()
    with pytest.raises(ViewsMoved):
        await writer.put(batch(scores("E1"), before=first.after[0], offset=2))
    await other.put(batch(*line("L04")))
    assert ["L04"] == await reader.unit_ids()
    assert before.epoch != (await reader.standing()).epoch
    await other.close()


async def test_views_that_were_lost_begin_anew(site: Site, writer: ViewsWriter, reader: ViewsReader) -> None:
    """The writer is told at its next batch, the reader is not given an empty company."""
    await writer.begin(LOG, 1, [0])
    first = batch(*line())
    await writer.put(first)
    assert ["L03"] == await reader.unit_ids()
    site.lose()
    with pytest.raises(ViewsIncomplete):
        await reader.unit_ids()
    with pytest.raises(ViewsMoved):
        await writer.put(batch(scores("E1"), before=first.after[0], offset=2))
    assert {0: Place()} == await writer.begin(LOG, 1, [0])
    await writer.put(batch(*line()))
    assert ["L03"] == await reader.unit_ids()


async def test_a_writer_that_begins_again_goes_on(site: Site, writer: ViewsWriter) -> None:
    """A restart of the worker reads nothing twice."""
    await writer.begin(LOG, 1, [0])
    done = batch(*line(), offset=42)
    await writer.put(done)
    next_life = site.writer()
    assert done.after == await next_life.begin(LOG, 1, [0])
    await next_life.close()


async def test_what_was_erased_is_gone(writer: ViewsWriter, reader: ViewsReader) -> None:
    """A tombstone in the log takes a person or a unit out of every list."""
    await writer.begin(LOG, 1, [0])
    first = batch(*line(), scores("E9"))
    await writer.put(first)
    gone = [Published(SCORE_UPDATES, 0, NOW, b"E9", None), Published(UNIT_UPDATES, 0, NOW, b"L03", None)]
    await writer.put(batch(*gone, before=first.after[0], offset=2))
    assert ([], {}, []) == (await reader.unit_ids(), await reader.units(["L03"]), await reader.board("L03"))
    assert ({}, ["E0001", "E0002"]) == (await reader.employees(["E9"]), await reader.employee_ids("", 9))
    assert ((2, 0), []) == (await reader.counts(), await reader.unit_entries())


async def test_any_id_is_itself_and_nobody_else(writer: ViewsWriter, reader: ViewsReader) -> None:
    """Colons, stars, slashes and every letter: no id reaches the view of another one."""
    await writer.begin(LOG, 1, [0])
    people = ["a:b", "E1:unit", "unit", "-", ".", "E1"]
    records = [scores(who, row(place, 100)) for place, who in enumerate(people)]
    await writer.put(batch(*records, *(unit_scores(unit, [people[0]]) for unit in HOSTILE)))
    assert sorted(HOSTILE) == await reader.unit_ids()
    assert sorted(HOSTILE) == [entry.unit for entry in await reader.unit_entries()]
    for unit in HOSTILE:
        assert {unit: unit_scores(unit, [people[0]]).value} == await reader.units([unit])
        assert [people[0]] == await reader.board(unit)
    for record, who in zip(records, people, strict=True):
        assert {who: record.value} == await reader.employees([who])
    assert sorted(people) == await reader.employee_ids("", 99)


async def test_a_board_stands_in_the_order_of_ids_and_follows_its_members(
    writer: ViewsWriter, reader: ViewsReader
) -> None:
    """Who joins stands in their place, who leaves is gone, whatever their scores."""
    await writer.begin(LOG, 1, [0])
    first = batch(unit_scores("L03", ["E3", "E1", "e2", "E10"]))
    await writer.put(first)
    assert ["E1", "E10", "E3", "e2"] == await reader.board("L03")
    second = batch(unit_scores("L03", ["E4", "E1"]), before=first.after[0], offset=2)
    await writer.put(second)
    assert ["E1", "E4"] == await reader.board("L03")
    await writer.put(batch(unit_scores("L03", []), before=second.after[0], offset=3))
    assert ([], ["L03"]) == (await reader.board("L03"), await reader.unit_ids())


async def test_open_alerts_are_found_by_unit_and_employee(writer: ViewsWriter, reader: ViewsReader) -> None:
    """As published, oldest first; a unit's own are about nobody."""
    await writer.begin(LOG, 1, [0])
    records = [
        alert("a3", "E1", at=NOW + 3), alert("a1", "E1", at=NOW + 1), alert("a2", "E2", at=NOW + 1),
        alert("b1", "E1", unit="L04", at=NOW), alert("u1", None, at=NOW + 9),
    ]  # fmt: skip
    await writer.put(batch(*records))
    values = {(record.key or b"").decode(): record.value for record in records}
    assert [AlertKey(NOW, "b1"), AlertKey(NOW + 1, "a1")] == (await reader.alert_keys())[:2]
    asked = {
        "": await reader.alert_keys(), "L03": await reader.alert_keys(unit="L03"),
        "E1": await reader.alert_keys(employee="E1"), "L03 E1": await reader.alert_keys("L03", "E1"),
        "nowhere": await reader.alert_keys("L09", "E1"),
    }  # fmt: skip
    assert {
        "": ["b1", "a1", "a2", "a3", "u1"], "L03": ["a1", "a2", "a3", "u1"], "E1": ["b1", "a1", "a3"],
        "L03 E1": ["a1", "a3"], "nowhere": [],
    } == {name: [key.alert_id for key in keys] for name, keys in asked.items()}  # fmt: skip
    assert {"E1": 3, "E2": 1, "E3": 0} == await reader.alert_counts(["E1", "E2", "E3"])
    many = [f"N{number}" for number in range(1_200)]
    assert {"E2": 1} == {who: n for who, n in (await reader.alert_counts([*many, "E2"])).items() if n}
    assert {} == await reader.alert_counts([])
    assert {name: values[name] for name in ("a2", "u1")} == await reader.alerts(["a2", "u1", "a9"])
    on_board = [values[name] for name in ("a1", "a2", "a3", "u1")]
    assert {"L03": on_board, "L09": []} == await reader.unit_alerts(["L03", "L09"])


async def test_a_board_is_read_with_its_alerts(writer: ViewsWriter, reader: ViewsReader) -> None:
    """A screen that comes has them at once."""
    await writer.begin(LOG, 1, [0])
    await writer.put(batch(*line(), alert("a1")))
    assert {"L03": [alert("a1").value], "L04": []} == (await reader.boards(["L03", "L04"])).alerts


async def test_a_page_about_somebody_is_read_at_once(writer: ViewsWriter, reader: ViewsReader) -> None:
    """Their update, their unit's, their open alerts, oldest first and no more than asked for; nobody has nothing."""
    nothing = PersonView()
    assert nothing == await reader.person("E0001", 20)
    await writer.begin(LOG, 1, [0])
    told = [alert(f"a{number}", at=NOW + number) for number in (3, 1, 2)]
    mine, unit, lonely = scores("E0001"), unit_scores("L03", ["E0001"]), scores("E0009", unit="")
    await writer.put(batch(mine, unit, lonely, scores("E0002", unit="L09"), *told, alert("x", "E0002")))
    mine_now = await reader.person("E0001", 2)
    assert (mine.value, unit.value, [told[1].value, told[2].value]) == mine_now
    there = await reader.person("E0002", 20)
    assert (None, 1) == (there.unit, len(there.alerts))
    assert (lonely.value, None, []) == (*(alone := await reader.person("E0009", 20))[:2], list(alone.alerts))
    gone = await reader.person("E0007", 20)
    assert (None, None, []) == (gone.scores, gone.unit, list(gone.alerts))


OVER = [
    alert("a1", state="cleared", cleared_at="2026-03-02T05:41:00.000Z", at=NOW),
    alert("a1", notify=False),
    alert("a1", notify=None),
    alert("a1", state="cleared", reason="withdrawn"),
    Published(ALERTS, 0, NOW, b"a1", None),
]


@pytest.mark.parametrize("over", OVER, ids=["cleared", "imported", "undecided", "withdrawn", "erased"])
async def test_an_alert_that_is_over_or_not_told_is_not_there(
    writer: ViewsWriter, reader: ViewsReader, over: Published
) -> None:
    """It leaves every list, and its unit's screens hear of it; one that was never there changes nothing."""
    await writer.begin(LOG, 1, [0])
    first = batch(*line(), alert("a1"), alert("a2"))
    await writer.put(first)
    async with asyncio.timeout(60), aclosing(reader.changes()) as changes:
        await anext(changes)
        second = batch(over, over._replace(key=b"a9", value=None), before=first.after[0], offset=2)
        await writer.put(second)
        assert {"L03"} == set((await something(changes)).alerts)
    assert ([AlertKey(NOW, "a2")], {}) == (await reader.alert_keys("L03"), await reader.alerts(["a1"]))
    assert [AlertKey(NOW, "a2")] == await reader.alert_keys(employee="E0001") == await reader.alert_keys()
    await writer.put(batch(alert("a1"), before=second.after[0], offset=3))  # raised again by a past counted anew
    assert {"L03": [alert("a1").value, alert("a2").value]} == await reader.unit_alerts(["L03"])


async def test_an_alert_that_moves_leaves_its_unit(writer: ViewsWriter, reader: ViewsReader) -> None:
    """An assignment that arrives late can tell that it happened elsewhere: both boards hear of it."""
    await writer.begin(LOG, 1, [0])
    first = batch(*line(), alert("a1"))
    await writer.put(first)
    async with asyncio.timeout(60), aclosing(reader.changes()) as changes:
        await anext(changes)
        await writer.put(batch(alert("a1", unit="a:b"), before=first.after[0], offset=2))
        assert {"L03", "a:b"} == set((await something(changes)).alerts)
    assert {"L03": [], "a:b": [alert("a1", unit="a:b").value]} == await reader.unit_alerts(["L03", "a:b"])
    assert ["a1"] == [key.alert_id for key in await reader.alert_keys(employee="E0001")]


async def test_a_unit_has_the_people_of_those_below_it_too(writer: ViewsWriter, reader: ViewsReader) -> None:
    """What is pooled of a plant of two people and two lines is of all of them."""
    await writer.begin(LOG, 1, [0])
    parts: list[dict[str, object]] = [
        {"unit": unit, "name": {}, "people": people, "newest": None, "rows": [], "trends": {}}
        for unit, people in (("L1", 6), ("L2", 3))
    ]
    await writer.put(batch(unit_scores("plant", ["E1", "E2"], parts=parts)))
    assert [("plant", 11)] == [(entry.unit, entry.people) for entry in await reader.unit_entries()]


async def test_people_are_listed_in_pages(writer: ViewsWriter, reader: ViewsReader) -> None:
    """Ten thousand of them are not asked for at once."""
    await writer.begin(LOG, 1, [0])
    await writer.put(batch(*(scores(f"E{number}") for number in range(25))))
    seen: list[str] = []
    while page := await reader.employee_ids(seen[-1] if seen else "", 10):
        assert len(page) <= 10
        seen += page
    assert sorted(f"E{number}" for number in range(25)) == seen


async def test_the_first_text_of_a_template_stays(writer: ViewsWriter, reader: ViewsReader) -> None:
    """A version is immutable, whatever is appended under its number later."""
    await writer.begin(LOG, 1, [0])
    first = batch(template())
    await writer.put(first)
    await writer.put(batch(template("another text"), before=first.after[0], offset=2))
    assert [TEMPLATE.encode()] == await reader.templates()


async def test_changes_are_told_as_they_come(site: Site, writer: ViewsWriter, reader: ViewsReader) -> None:
    """First everything may have changed, then only what did; views that were lost are everything again."""
    await writer.begin(LOG, 1, [0])
    first = batch(*line())
    await writer.put(first)
    async with asyncio.timeout(60), aclosing(reader.changes()) as changes:
        change = await anext(changes)
        assert (True, True) == (change.anew, change.standing.complete)
        second = batch(scores("E7"), unit_scores("a:b", ["E7"]), before=first.after[0], offset=2)
        await writer.put(second)
        change = await something(changes)
        assert ({"a:b"}, {"E7"}) == (set(change.units), set(change.employees))
        assert (False, False) == (change.templates, change.anew)
        third = batch(template()._replace(key=b"other@1"), before=second.after[0], offset=3)
        await writer.put(third)
        assert (await something(changes)).templates
        fourth = batch(alert("a1", "E7", unit="L04"), before=third.after[0], offset=4)
        await writer.put(fourth)
        change = await something(changes)
        assert ({"L04"}, set(), set()) == (set(change.alerts), set(change.units), set(change.employees))
        site.lose()
        change = await something(changes)
        assert (True, False) == (change.anew, change.standing.complete)
        await writer.begin(LOG, 1, [0])
        await writer.put(batch(*line("L04")))
        while not (change := await anext(changes)).standing.complete:
            pass
        assert ["L04"] == await reader.unit_ids()


async def something(changes: object) -> Change:
    """The next change that says anything."""
    while True:
        change: Change = await anext(changes)  # type: ignore[call-overload]
        if change.anew or change.units or change.employees or change.templates or change.alerts:
            return change


async def test_a_reader_is_told_that_nothing_changed(writer: ViewsWriter, reader: ViewsReader) -> None:
    """So it knows that the views can be read still; what it is told of time goes on."""
    await writer.begin(LOG, 1, [0])
    first = batch(*line())
    await writer.put(first)
    async with asyncio.timeout(60), aclosing(reader.changes()) as changes:
        await anext(changes)
        beat = batch(before=first.after[0])
        beat = beat._replace(after={0: Place(first.after[0].offsets, True, NOW + 1000, NOW + 1000)})
        await writer.put(beat)
        while (change := await anext(changes)).standing.now != NOW + 1000:
            pass
        assert (frozenset(), frozenset(), False) == (change.units, change.employees, change.anew)


async def test_several_readers_read_the_same(site: Site, writer: ViewsWriter) -> None:
    """Any number of web processes serve the same boards."""
    await writer.begin(LOG, 1, [0])
    await writer.put(batch(*line(people=20)))
    readers = [site.reader() for _ in range(3)]
    found = [await each.boards(["L03"]) for each in readers]
    assert [found[0]] * 3 == found
    for each in readers:
        await each.close()
