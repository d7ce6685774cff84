"""What an alert says to people, in Chinese and English: what happened, since when, how sure that is, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor, log10
from typing import Final
from zoneinfo import ZoneInfo

from schemas.alerts import Message
from schemas.instants import MINUTE
from stream.interval import wilson
from stream.rulebook import Version
from stream.watch_plan import Drift, Ewma, Gap, Level, Rule, Stale
from stream.watched import Open
from stream.window import Kind, Window

_CALENDAR: Final[Mapping[Kind, tuple[str, str]]] = {
    "shift": ("班次", "the shift"), "day": ("当日", "the day"), "week": ("当周", "the week"),
    "month": ("当月", "the month"), "quarter": ("当季度", "the quarter"), "year": ("当年", "the year"),
    "all": ("自生效以来", "all that counts"),
}  # fmt: skip
_UNITS: Final = ((1_440, "天", "days"), (60, "小时", "hours"))  # by minutes; what is not two of them is said in minutes


def message(version: Version, rule: Rule, alert: Open) -> Message:
    """The words of an alert; the template's own next step is the last of them."""
    name, step = rule.indicator.name, rule.indicator.next_step
    value, limit, since = _value(rule, alert.value), _value(rule, alert.threshold), local(version, alert.window_start)
    match rule:
        case Level():
            window = window_words(rule.window)
            zh = f"{name.zh}：{window[0]}（{since}起）为{value}，低于{limit}"
            en = f"{name.en} is {value} in {window[1]} (since {since}), below {limit}"
        case Drift():
            if rule.mixed < 0:
                zh = f"{name.zh}自{since}起下降：{value}，正常应为{limit}"
                en = f"{name.en} has dropped since {since}: {value} where {limit} is normal"
            else:  # easy work may lie above the limit, and have dropped all the same
                zh = f"{name.zh}自{since}起下降：{value}，就所做工作的难易而言偏低（难易平均的工作正常为{limit}）"
                en = f"{name.en} has dropped since {since}: {value} is too little for the kind of work that was done ("
                en += f"of average difficulty, {limit} is normal)"
        case Ewma():
            if rule.sigma is not None:
                value, limit = (_rounded(number, rule.sigma) for number in (alert.value, alert.threshold))
            way, end, side = ("偏高", "上限", "high") if rule.high else ("偏低", "下限", "low")
            zh = f"{name.zh}的移动平均自{since}起{way}：{value}，{end}{limit}"
            en = f"The moving average of {name.en} is {side} since {since}: {value}, its limit is {limit}"
        case Gap():
            window = window_words(rule.window)
            zh = f"{name.zh}：{window[0]}（{since}起）为{value}，明显低于本单位的{limit}"
            en = f"{name.en} is {value} in {window[1]} (since {since}), well below the unit's {limit}"
        case Stale():
            minutes = _number((rule.after + rule.pending) / MINUTE)
            zh = f"{name.zh}：{since}开始的班次中，在岗{minutes}分钟没有任何记录"
            en = f"{name.en}: nothing was recorded for {minutes} minutes at work in the shift that started {since}"
    evidence = _evidence(rule, alert)
    return Message(_sentences("。", zh + evidence[0], step.zh), _sentences(". ", en + evidence[1], step.en))


def window_words(window: Window) -> tuple[str, str]:
    """A window as people say it, in Chinese and English, so that it is right whenever it is read."""
    if window.kind != "rolling":
        return _CALENDAR[window.kind]
    fitting = (unit for unit in _UNITS if not window.minutes % unit[0] and window.minutes >= 2 * unit[0])
    length, zh, en = next(fitting, (1, "分钟", "min"))
    return f"最近 {window.minutes // length} {zh}", f"the last {window.minutes // length} {en}"


def _sentences(stop: str, *parts: str) -> str:
    said = stop.join(part for part in parts if part)
    return said if said.endswith((".", "!", "。", "！")) else said + stop.strip()


def local(version: Version, at: int) -> str:
    """An instant as people of the template's zone write it, to the minute."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(version.timezone)).strftime("%Y-%m-%d %H:%M")


def _evidence(rule: Rule, alert: Open) -> tuple[str, str]:
    if rule.measure.of is None or alert.n is None or alert.good is None:
        return "", ""
    counted = f"{_number(alert.good)}/{_number(alert.n)}"
    interval = wilson(alert.good, alert.n)
    if interval is None:
        return f"（{counted}）", f" ({counted})"
    low, high = (f"{100 * bound:.1f}" for bound in interval)
    return f"（{counted}，95 % 区间 {low}–{high} %）", f" ({counted}, 95 % interval {low} to {high} %)"


def _value(rule: Rule, value: float | None) -> str:
    if value is None:
        return "?"
    return f"{100 * value:.1f} %" if rule.measure.of is not None else _number(value)


def _rounded(value: float | None, sigma: float) -> str:
    """A value to a hundredth of its standard deviation: more digits say nothing."""
    if value is None:
        return "?"
    digits = 2 - floor(log10(sigma))
    return _number(round(value, max(0, digits)))


def _number(value: float) -> str:
    return f"{value:,.6f}".rstrip("0").rstrip(".")
