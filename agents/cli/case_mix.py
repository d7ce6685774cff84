"""`scorestream case-mix`: what each kind of work usually gives, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from cyclopts import App

from agents.cli.errors import CommandError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import existing_log, now_ms, writable_log
from agents.cli.output import FormatFlag, print_rows, time_text
from agents.cli.progress import Progress
from agents.learning import learn as learn_all
from agents.rules import Learned, models
from schemas.measures import MICRO
from schemas.unreadable import UNREADABLE

app = App(
    name="case-mix",
    help="What each kind of work (product, machine, stage) usually gives: learn it, show it.",
    help_format="plaintext",
)

_MODEL: Final = (
    "template",
    "indicator",
    "number",
    "effective_from",
    "published_at",
    "by",
    "base",
    "kinds",
    "n",
    "state",
)
_KIND: Final = ("kind", "expected", "base", "difference", "n", "good", "share", "people")
_LESSON: Final = ("template", "indicator", "model", "n", "why")


class _Count(msgspec.Struct):
    dims: list[str]
    n: float
    good: float
    people: int


class _Counts(msgspec.Struct):
    """What a model that was learned says besides; one that was written by hand need not."""

    n: float | None = None
    counts: list[_Count] = []


@app.command
def learn(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Learn now what each kind of work usually gives, and publish it; a worker does so every day.

    For every indicator with `case_mix` of the templates in force. A model takes effect an hour later at the earliest,
    so that every worker knows it by then; what happened before stays as it was counted. Exit code 1 when nothing
    could be learned.

    For example

        scorestream case-mix learn
    """
    settings = flags.settings()
    with writable_log(settings) as (log, _), Progress("read") as progress:
        lessons = learn_all(log, now_ms(), progress.advance)
    if not lessons:
        raise CommandError("no indicator of the templates in force has `case_mix`: there is nothing to learn")
    rows = (
        {"template": one.template, "indicator": one.indicator, "model": one.key, "n": round(one.n, 3), "why": one.why}
        for one in lessons
    )
    print_rows(rows, _LESSON, format)
    return 0 if any(one.key for one in lessons) else 1


@app.command(name="list")
def list_(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """List all models: which are in effect, from how many units they were learned.

    For example

        scorestream case-mix list
    """
    settings = flags.settings()
    with existing_log(settings) as log:
        found = models(log)
    now = now_ms()
    print_rows((_row(one, found, now) for one in found), _MODEL, format)
    return 0


@app.command
def show(model: str, /, *, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Print what a model expects of each kind of work, and the counts that it was learned from.

    `share` is what was counted, `expected` what is made of it: the fewer units, the nearer to the coarser kind.
    `difference` is the part of a good unit that is allowed for each unit of this kind (base - expected).

    For example

        scorestream case-mix show production-operator/semi_finished_yield
        scorestream case-mix show production-operator/semi_finished_yield@12 --format csv

    Parameters
    ----------
    model
        TEMPLATE/INDICATOR or TEMPLATE/INDICATOR@NUMBER; without a number the newest
    """
    settings = flags.settings()
    with existing_log(settings) as log:
        found = models(log)
    name, _, number = model.partition("@")
    own = [one for one in found if f"{one.model.template}/{one.model.indicator}" == name]
    chosen = [one for one in own if number in ("", str(one.model.number))]
    if not chosen:
        there = ", ".join(sorted({f"{one.model.template}/{one.model.indicator}" for one in found}))
        numbers = (
            f"its numbers are 1 to {own[-1].model.number}"
            if own
            else f"there are: {there}"
            if there
            else "there is none"
        )
        raise CommandError(f"model {model!r} is not in the log; {numbers}")
    print_rows(_kinds(chosen[-1]), _KIND, format)
    return 0


def _row(one: Learned, found: list[Learned], now: int) -> dict[str, Any]:
    model = one.model
    own = [other.model for other in found if other.model.key.rpartition("@")[0] == model.key.rpartition("@")[0]]
    begun = [other for other in own if other.effective_from <= now]
    state = "to come" if model.effective_from > now else "in effect" if begun[-1] is model else "over"
    return {
        "template": model.template,
        "indicator": model.indicator,
        "number": model.number,
        "effective_from": time_text(model.effective_from),
        "published_at": time_text(one.published_at),
        "by": ", ".join(model.by),
        "base": model.base / MICRO,
        "kinds": len(model.cells),
        "n": _counts(one).n,
        "state": state,
    }


def _kinds(one: Learned) -> Iterator[dict[str, Any]]:
    model = one.model
    counts = {tuple(count.dims): count for count in _counts(one).counts}
    for kind, expected in sorted(model.cells.items()):
        count = counts.get(kind)
        yield {
            "kind": " / ".join(kind),
            "expected": expected / MICRO,
            "base": model.base / MICRO,
            "difference": (model.base - expected) / MICRO,
            "n": None if count is None else count.n,
            "good": None if count is None else count.good,
            "share": None if count is None or not count.n else count.good / count.n,
            "people": None if count is None else count.people,
        }


def _counts(one: Learned) -> _Counts:
    try:
        return msgspec.json.decode(one.value, type=_Counts)
    except UNREADABLE:
        return _Counts()
