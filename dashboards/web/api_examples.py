"""Answers as OpenAPI shows them; made as the types that the handlers give, so that they cannot drift from them."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from msgspec.structs import replace

from agents.intake.judge import LineAnswer
from dashboards.web.api_types import (
    AlertList,
    AuditChain,
    AuditEntry,
    AuditList,
    EmployeeScores,
    EventAnswers,
    OpenAlert,
    PeopleList,
    PersonEntry,
    ResultCause,
    ResultEntry,
    ResultHistory,
    ResultList,
    ResultStep,
    ScoreList,
    ScoreNow,
    TrendPane,
    UnitEntry,
    UnitList,
    UnitScores,
)
from dashboards.web.problems import Problem
from schemas.alerts import FIRING, Message
from schemas.rows import ScoreRow, UnitRow

_AS_OF: Final = "2026-03-02T05:40:00.000Z"
_STARTS: Final = "2026-03-02T04:41:00.000Z"
_RATE: Final = ("production-operator", 2, "semi_finished_yield", "rolling 60m", _STARTS, _AS_OF, "ok")
_PANE: Final = TrendPane("2026-03-02T05:35:00.000Z", 40, 39)
_TRENDS: Final = {"production-operator/semi_finished_yield/rolling 60m": [_PANE]}

ROW: Final = ScoreRow("E0261", *_RATE, 0.96, 101.05, 100, 96, 0.9016, 0.9843, {"accepted": 96, "inspected": 100})
UNIT_ROW: Final = UnitRow("L03", *_RATE, 0.955, 100.5, 2000, 1910, 0.945, 0.963, {"accepted": 1910, "inspected": 2000})

UNITS: Final = UnitList(_AS_OF, [UnitEntry("L03", 12, _AS_OF, _AS_OF, "/api/v1/units/L03", "/board/L03")], None)
UNIT: Final = UnitScores("L03", _AS_OF, _AS_OF, ["E0261"], [UNIT_ROW], _TRENDS, {})
EMPLOYEE: Final = EmployeeScores("E0261", "L03", _AS_OF, _AS_OF, [ROW], _TRENDS, None)
SCORES: Final = ScoreList(_AS_OF, [ROW], "E0261")
ALERT: Final = OpenAlert(
    alert_id="8dbc851137371ff246c7", rule="default", employee_id="E0261", unit="L03", indicator="semi_finished_yield",
    template="production-operator", version=2, state=FIRING, severity="warning", raised_at="2026-03-02T05:21:07.120Z",
    changed_at="2026-03-02T05:21:07.120Z", cleared_at=None, window="", window_start="2026-03-02T05:02:00.000Z",
    value=0.78125, n=32, good=25, low=0.6125, high=0.8898, threshold=0.95, folded_into=None, first_event="pol-8845-1",
    last_event="pol-8846-3", message=Message(
        "半成品良品率自2026-03-02 13:02起下降：78.1 %，正常应为95.0 %（25/32，95 % 区间 61.3–89.0 %）。"
        "您的良品率指标未达标，请查看生产记录调整流程。",
        "Semi-finished yield has dropped since 2026-03-02 13:02: 78.1 % where 95.0 % is normal (25/32, 95 % interval "
        "61.3 to 89.0 %). Your yield is below target; check the production record and adjust the process.",
    ),
)  # fmt: skip
ALERTS: Final = AlertList(_AS_OF, [ALERT], None)
_NOW: Final = ScoreNow("production-operator", "day", 101.05)
PEOPLE: Final = PeopleList(
    _AS_OF,
    [PersonEntry("E0261", "Li Na", "operator", "L03", "here", _NOW, 1, "/api/v1/employees/E0261", "/people/E0261")],
    "E0261",
)
_OF_DAY: Final = (
    "WyJlbXBsb3llZSIsIkUwMjYxIiwxNzcyMzgwODAwMDAwLDE3NzIyOTQ0MDAwMDAsImRheSIsInByb2R1Y3Rpb24tb3BlcmF0b3IiLCJAdG90YWwiXQ"
)
RESULT: Final = ResultEntry(
    subject_kind="employee", subject="E0261", template="production-operator", version=2, indicator="@total",
    window_kind="day", window_start="2026-02-28T16:00:00.000Z", window_end="2026-03-01T16:00:00.000Z", number=1,
    status="ok", value=97.2, points=97.2, n=None, good=None, low=None, high=None, allowance=None, adjusted=None,
    target=None, sums={}, was_value=98.4, was_points=98.4, shift=None, calendar=None, shift_start=None, shift_end=None,
    cause=["correction"], as_of="2026-03-01T15:59:59.999Z", known_at="2026-03-02T01:12:40.118Z",
    computed_at="2026-03-02T01:12:41.020Z",
    href=f"/api/v1/results/{_OF_DAY}", page=f"/hr/result?key={_OF_DAY}",
)  # fmt: skip
RESULTS: Final = ResultList("2026-03-01T16:00:00.000Z", [RESULT], None)
_CLOSED: Final = replace(
    RESULT, number=0, value=98.4, points=98.4, was_value=None, was_points=None, cause=[],
    known_at="2026-02-28T16:03:11.472Z", computed_at="2026-02-28T16:03:12.006Z",
)  # fmt: skip
_CORRECTED: Final = ResultCause(
    kind="correction", at="2026-03-02T01:12:40.118Z", about="qc-8845-9", by="mes-01",
    since="2026-02-28T23:41:07.000Z", corrects="qc-8845-7", role=None, place=None, times=1,
)  # fmt: skip
HISTORY: Final = ResultHistory([ResultStep(_CLOSED, [], []), ResultStep(RESULT, ["value", "points"], [_CORRECTED])])
AUDIT: Final = AuditList(
    AuditChain(_AS_OF, 4711, f"{'9f3c' * 16}@4711", None),
    [
        AuditEntry(
            4711, "2026-03-02T05:39:58.204Z", "account:li.na", "read", "unit:L03", "allowed", "read-scores", "",
            {"count": 1, "employees": ["E0261"]},
        )
    ],
    "4711",
)  # fmt: skip
FORBIDDEN: Final = Problem("Forbidden", 403, "this takes the right 'read-people': none of your roles may do this")
BAD_FILTER: Final = Problem(
    "Bad Request", 400, "it is no date: write YYYY-MM-DD, or an instant as RFC 3339 with a zone", "since", "yesterday"
)
NO_RECORDS: Final = Problem(
    "Service Unavailable", 503, "the records are not available at the moment; ask again in a few seconds"
)
BAD_KEY: Final = Problem("Bad Request", 400, "'E0261' is no key of a result", "key", "E0261")
NO_RESULT: Final = Problem(
    "Not Found", 404, "there is no such result; the list of results has those that there are", "key", _OF_DAY
)
NO_ALERT: Final = Problem("Not Found", 404, "no alert '8dbc8511' is open", "alert_id", "8dbc8511")
NOBODY: Final = Problem("Not Found", 404, "nothing was published for employee 'E0999'", "employee", "E0999")
_PROBLEM: Final = "A problem (RFC 9457); where a field is at fault it names it and its value."
TOO_MANY: Final = Problem("Bad Request", 400, "limit: Expected `int` <= 10000", "limit", "99999")

UNAVAILABLE: Final = Problem(
    "Service Unavailable", 503, "the views are not available at the moment; ask again in a few seconds"
)


TOO_OFTEN: Final = Problem(
    "Too Many Requests", 429, "requests: 1,000 a second for each client, 1,000 at once; come again in 1 s"
)
BAD_PARAMETER: Final = Problem(
    "Bad Request", 400, "there is no parameter 'limt' at /api/v1/units; did you mean limit?", "limt", "5"
)

EVENTS: Final = EventAnswers(
    1, 2, 2,
    [
        LineAnswer(1, "accepted", True, "pol-8845-1"),
        LineAnswer(2, "refused", True, "pol-8845-2", "bad_time", "occurred_at: 'today' is not RFC 3339 with zone"),
        LineAnswer(3, "refused", False, None, "not_json", "value is not UTF-8 JSON: Expecting value"),
    ],
)  # fmt: skip
_KEY: Final = ("Idempotency-Key", "shift-7")
_AGAIN: Final = "send the same batch again: what is there already counts once"
EVENT_PROBLEMS: Final = (
    Problem("Bad Request", 400, "there is no line in the body; one event a line"),
    Problem("Request Timeout", 408, "the body did not come within 30 s"),
    Problem("Conflict", 409, "the request with this key is under way; ask again in 2 s", *_KEY),
    Problem("Request Entity Too Large", 413, "a batch has at most 8,388,608 bytes; send it in parts"),
    Problem("Unsupported Media Type", 415, "it must be application/x-ndjson", "Content-Type", "text/csv"),
    Problem("Unprocessable Entity", 422, "it stands for another request of the last 24 hours", *_KEY),
    Problem("Too Many Requests", 429, f"the log is busy: others write at this moment; {_AGAIN}"),
    Problem("Service Unavailable", 503, f"the log has no room left on its disk; {_AGAIN}"),
)


# Of every address: who asks is found out first, and what they may.
AT_THE_DOOR: Final = (
    Problem("Unauthorized", 401, "sign in, or send a token: Authorization: Bearer TOKEN"),
    Problem("Forbidden", 403, "this takes the right 'read-scores': this token has no scope 'read-scores'"),
    Problem("Misdirected Request", 421, "this service is at https://scores.example.org", "Host", "10.0.0.5:8080"),
)


def answers(
    example: msgspec.Struct, description: str, *problems: Problem, status: int = 200, named: bool = False
) -> dict[int, ResponseSpec]:
    """What a handler answers: this when all is well, these problems, and those at the door. `named`: it has a name, so
    304 too.
    """
    found = {status: _spec(example, description)}
    if named:
        found[304] = ResponseSpec(None, generate_examples=False, description="It is the answer named in If-None-Match.")
    return found | {problem.status: _spec(problem, _PROBLEM) for problem in (*AT_THE_DOOR, *problems)}


def _spec(example: msgspec.Struct, description: str) -> ResponseSpec:
    value: Any = msgspec.to_builtins(example)
    kind = "application/problem+json" if isinstance(example, Problem) else "application/json"
    return ResponseSpec(
        type(example), generate_examples=False, description=description, media_type=kind,
        examples=[Example(id="example", summary=description, value=value)],
    )  # fmt: skip
