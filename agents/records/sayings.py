"""What can be wrong with an organisation, in words: one table, Chinese and English, for commands and pages alike.

A saying names the field of an edit that has to be changed, so that a form can say it there. Values are put in as they
are: texts, instants in ms, spans, rows, and kinds of units, which each language writes in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from schemas.instants import format_rfc3339

Instant = Callable[[int], str]
_KINDS: Final = {"company": "公司", "branch": "分公司", "store": "门店", "department": "部门", "team": "班组"}
_NOUNS: Final = {
    "unit": "单位",
    "employee": "员工",
    "units": "单位",
    "employees": "员工",
    "assignments": "任职",
    "managers": "负责人",
    "file": "文件",
}
_OPEN: Final = {"en": "still", "zh": "至今"}


class Kinds(tuple[str, ...]):
    """Kinds of units to choose from."""

    __slots__ = ()


class Instants(tuple[int, ...]):
    """Instants in ms, or none."""

    __slots__ = ()


class Spans(tuple[tuple[int, int | None], ...]):
    """Spans in ms, or never."""

    __slots__ = ()


class Fields(tuple[tuple[str, str | int | None], ...]):
    """A row as a file states it: columns with their values, instants in ms; what is empty is left out."""

    __slots__ = ()


class Saying(NamedTuple):
    """A sentence and what to do, both languages; `field`: of the edit, the one to change ("": none of its own)."""

    field: str
    en: tuple[str, str]
    zh: tuple[str, str]


class Said(NamedTuple):
    """A saying of the table with its values."""

    code: str
    values: Mapping[str, Any]

    @property
    def field(self) -> str:
        """Which field of an edit it is about."""
        return SAYINGS[self.code].field

    def told(self, language: str, instant: Instant = format_rfc3339) -> tuple[str, str]:
        """What is wrong and the remedy, in a language (zh or en); `instant` writes instants."""
        saying = SAYINGS[self.code]
        what, remedy = saying.zh if language == "zh" else saying.en
        shown = {name: _shown(value, language, instant) for name, value in self.values.items()}
        return what.format_map(shown), remedy.format_map(shown)


def said(code: str, **values: Any) -> Said:
    """A saying with these values."""
    return Said(code, values)


class About(NamedTuple):
    """Whom it is about: `noun` is unit, employee, or a table of a file; `manager`: of the unit, who is in charge."""

    noun: str
    id: str = ""
    manager: str = ""

    def told(self, language: str) -> str:
        """In a language."""
        noun = _NOUNS[self.noun] if language == "zh" else self.noun
        charge = f"，负责人 {self.manager}" if language == "zh" else f", manager {self.manager}"
        return f"{noun} {self.id}".strip() + (charge if self.manager else "")

    def __str__(self) -> str:
        return self.told("en")


def _shown(value: Any, language: str, instant: Instant) -> Any:
    match value:
        case Kinds():
            return _or([_KINDS.get(kind, kind) if language == "zh" else kind for kind in value], language)
        case Instants():
            return ", ".join(map(instant, value)) or ("没有" if language == "zh" else "none")
        case Spans():
            to = " 至 " if language == "zh" else " to "
            spans = (f"{instant(begins)}{to}{_end(ends, language, instant)}" for begins, ends in value)
            return ", ".join(spans) or ("从未" if language == "zh" else "never")
        case Fields():
            given = ((name, text) for name, text in value if text not in (None, ""))
            return ", ".join(f"{name} {instant(text) if isinstance(text, int) else text}" for name, text in given)
        case int() | None:
            return _end(value, language, instant)
    return value


def _end(at: int | None, language: str, instant: Instant) -> str:
    return _OPEN[language] if at is None else instant(at)


def _or(words: Sequence[str], language: str) -> str:
    comma, last = ("、", "或") if language == "zh" else (", ", " or ")
    return comma.join(words[:-1]) + last + words[-1] if len(words) > 1 else "".join(words)


SAYINGS: Final[Mapping[str, Saying]] = {
    # An edit that makes no sense (edits.py)
    "other-kind": Saying(
        "kind",
        ("it is a {kind} already", "give another id, or that kind"),
        ("它已经是{kind}", "换一个编号，或用同一种类"),
    ),
    "begins-already": Saying(
        "at",
        ("it begins at this instant already", "move or rename it"),
        ("它已从这一时刻开始", "改为移动或改名"),
    ),
    "called-so": Saying(
        "name_en",
        ("it is called so already", "nothing is to be done"),
        ("它已经叫这个名称", "无需更改"),
    ),
    "there-already": Saying("parent", ("it is there already", "nothing is to be done"), ("它已经属于那里", "无需更改")),
    "not-then": Saying(
        "at",
        ("it does not exist then", "it exists: {spans}"),
        ("它在那时不存在", "它存在的时间：{spans}"),
    ),
    "here-since": Saying(
        "employee",
        ("they have been here since {since}", "rehire or transfer them, or correct that assignment"),
        ("该员工自 {since} 起已在职", "改为重新入职或调动，或更正那条任职"),
    ),
    "no-employee": Saying("employee", ("there is no such employee", "hire them"), ("没有这名员工", "先办理入职")),
    "same-place": Saying(
        "unit",
        ("they are {role} in {unit} already", "nothing is to be done"),
        ("该员工已在 {unit} 任 {role}", "无需更改"),
    ),
    "never-here": Saying(
        "employee", ("they were never here before", "hire them"), ("该员工以前从未在职", "先办理入职")
    ),
    "still-here": Saying(
        "employee",
        ("they are here: {role} in {unit} since {since}", "transfer them"),
        ("该员工在职：自 {since} 起在 {unit} 任 {role}", "改为调动"),
    ),
    "not-here-yet": Saying("at", ("they are not here yet", "hire them"), ("该员工那时尚未入职", "先办理入职")),
    "left": Saying(
        "at",
        ("they left at {at}", "rehire them, or choose an earlier instant"),
        ("该员工已于 {at} 离职", "改为重新入职，或选择更早的时刻"),
    ),
    "no-assignment": Saying(
        "begins",
        ("no assignment begins at this instant", "they begin at: {begins}"),
        ("没有任职从这一时刻开始", "任职开始于：{begins}"),
    ),
    "assignment-already": Saying(
        "at",
        ("an assignment begins at this instant already", "correct that one instead"),
        ("已有任职从这一时刻开始", "改为更正那一条"),
    ),
    "charge-already": Saying(
        "at",
        ("they begin at this instant already", "unset them first"),
        ("该负责人已从这一时刻开始", "先结束那一条"),
    ),
    "not-in-charge": Saying(
        "at",
        ("they are not in charge of it then", "they are: {spans}"),
        ("该员工那时不是其负责人", "任负责人的时间：{spans}"),
    ),
    "unit-named": Saying(
        "unit",
        ("there is no such unit", "name one that `scorestream org show` has"),
        ("没有这个单位", "填写 `scorestream org show` 中的单位"),
    ),
    # What is no organisation (tree.py)
    "never-exists": Saying(
        "at",
        ("it never exists", "say from when on it does, and what it belongs to"),
        ("它从未存在", "说明它从何时起存在、属于哪里"),
    ),
    "no-unit": Saying("unit", ("there is no such unit", "say of which kind it is"), ("没有这个单位", "说明它的种类")),
    "two-spans": Saying(
        "at",
        ("two spans hold at once: one since {first}, one since {second}", "end the first at {second} or before"),
        ("两段时间重叠：一段自 {first} 起，一段自 {second} 起", "让前一段在 {second} 或更早结束"),
    ),
    "two-roots": Saying(
        "parent",
        ("there are two roots, {root} and this one", "let it belong to {root}, or end that one"),
        ("有两个最上级单位：{root} 和这一个", "让它属于 {root}，或结束那一个"),
    ),
    "parent-unknown": Saying(
        "parent",
        ("its parent {parent!r} is no unit", "name one that exists, or add it"),
        ("上级“{parent}”不是单位", "填写已有的单位，或先新建它"),
    ),
    "parent-needed": Saying(
        "parent",
        ("a {kind} has no parent", "name one: it belongs to a {kinds}"),
        ("{kind}没有上级", "填写上级：它属于{kinds}"),
    ),
    "parent-wrong": Saying(
        "parent",
        ("a {kind} cannot belong to a {other} ({parent})", "it belongs to a {kinds}"),
        ("{kind}不能属于{other}（{parent}）", "它属于{kinds}"),
    ),
    "root-parent": Saying(
        "parent",
        ("a {kind} cannot belong to a {other} ({parent})", "it is the root and has no parent"),
        ("{kind}不能属于{other}（{parent}）", "它是最上级，没有上级"),
    ),
    "parent-gone": Saying(
        "at",
        ("its parent {parent} does not exist then", "move it or close it by then"),
        ("它的上级 {parent} 那时不存在", "在那之前移动它或撤销它"),
    ),
    "cycle": Saying(
        "parent",
        ("it would belong to itself ({way})", "choose a parent that is not below it"),
        ("它会属于它自己（{way}）", "选择不在它之下的上级"),
    ),
    "employee-unknown": Saying(
        "employee", ("there is no such employee", "add the employee first"), ("没有这名员工", "先添加该员工")
    ),
    "no-work-then": Saying(
        "employee",
        ("{employee} has no assignment then", "end it by then, or assign them a role and unit first"),
        ("{employee} 那时没有任职", "在那之前结束，或先给其岗位和单位"),
    ),
    "unit-gone": Saying(
        "at",
        ("unit {unit} does not exist then", "name a unit that exists, or end it by then"),
        ("单位 {unit} 那时不存在", "填写存在的单位，或在那之前结束"),
    ),
    "unit-unknown": Saying(
        "unit",
        ("unit {unit} does not exist", "name a unit that exists, or end it by then"),
        ("单位 {unit} 不存在", "填写存在的单位，或在那之前结束"),
    ),
    # A row's own fields (fields.py)
    "bad-kind": Saying(
        "kind", ("kind {value!r} is none", "write one of {kinds}"), ("没有“{value}”这种单位", "填写其中之一：{kinds}")
    ),
    "bad-shown": Saying(
        "",
        ("names {value!r} is none", "write one of {names}, or inherit"),
        ("没有“{value}”这种 names", "填写其中之一：{names}，或 inherit"),
    ),
    "bad-id": Saying(
        "employee",
        ("employee {value!r} is no id", "write 1 to 64 of A-Z a-z 0-9 _ . : -"),
        ("员工编号“{value}”不合规", "用 1 至 64 个字符：A-Z a-z 0-9 _ . : -"),
    ),
    "bad-email": Saying(
        "email",
        ("email {value!r} is none", "write name@host, or leave it out"),
        ("“{value}”不是邮箱", "写成 name@host，或留空"),
    ),
    "bad-language": Saying(
        "language",
        ("language {value!r} is none", "write zh or en, or leave it out"),
        ("没有语言“{value}”", "写 zh 或 en，或留空"),
    ),
    "half": Saying(
        "role",
        ("role {role} with unit {unit}", "give both; neither means that they are not here"),
        ("岗位 {role} 与单位 {unit} 不成对", "两者都填；都不填表示不在职"),
    ),
    "too-far": Saying(
        "at",
        ("{name} {at} is too far away", "instants lie between 2000 and 2100"),
        ("{name} {at} 太远", "时刻须在 2000 年至 2100 年之间"),
    ),
    "backwards": Saying(
        "ends",
        ("it ends at {ends}, not after it begins at {begins}", "let it end later, or leave it out"),
        ("它结束于 {ends}，不晚于开始的 {begins}", "让它更晚结束，或留空"),
    ),
    **{
        f"bad-{name}": Saying(
            name,
            (f"{name} {{value!r}} cannot be used", "write 1 to {longest} characters, no control characters"),
            (f"{words}“{{value}}”不能使用", "用 1 至 {longest} 个字符，不含控制字符"),
        )
        for name, words in (
            ("unit", "单位编号"),
            ("name_zh", "中文名称"),
            ("name_en", "英文名称"),
            ("name", "姓名"),
            ("role", "岗位"),
        )
    },
    # A file that cannot be read as one (statement.py, files.py)
    "missing": Saying("", ("{name} is missing", "{table} have {columns}"), ("缺少 {name}", "{table} 须有 {columns}")),
    "twice": Saying(
        "",
        ("it is stated twice, first in {file} line {line}: {row}", "leave one out"),
        ("它出现了两次，第一次在 {file} 第 {line} 行：{row}", "删去其中之一"),
    ),
    "no-instant": Saying(
        "at",
        ("{name} {value!r} is no instant", "write RFC 3339 with a zone, e.g. 2026-03-01T00:00:00+08:00"),
        ("{name} “{value}”不是时刻", "写成带时区的 RFC 3339，例如 2026-03-01T00:00:00+08:00"),
    ),
    "no-begin": Saying(
        "at",
        ("begins is missing", "write it, or import with --at INSTANT for all rows without one"),
        ("缺少 begins", "写上它，或为没有写的各行指定起始时刻（--at）"),
    ),
    "no-names": Saying(
        "name_en",
        ("name_zh and name_en are missing", "write one of them at least; it stands for the other too"),
        ("缺少 name_zh 和 name_en", "至少写一个；它也用作另一个"),
    ),
    "no-utf8": Saying("", ("not UTF-8", "save it as UTF-8"), ("不是 UTF-8", "另存为 UTF-8")),
    "no-columns": Saying(
        "",
        ("these are no columns of {table}: {header}", "they are {columns}"),
        ("这些不是 {table} 的列：{header}", "列为 {columns}"),
    ),
    "cells": Saying("", ("{cells} cells", "there are {columns} columns"), ("有 {cells} 个单元格", "共有 {columns} 列")),
    "no-csv": Saying("", ("not CSV: {why}", "quote cells with commas"), ("不是 CSV：{why}", "含逗号的单元格加引号")),
    "no-yaml": Saying("", ("not YAML: {why}", "mind indentation"), ("不是 YAML：{why}", "注意缩进")),
    "no-mapping": Saying("", ("no mapping", "write fields: {names}"), ("不是字段", "写字段：{names}")),
    "no-field": Saying(
        "", ("there is no field {name!r} here", "there are {names}"), ("这里没有字段“{name}”", "有 {names}")
    ),
    "field-twice": Saying("", ("{name} stands here twice", "leave one out"), ("{name} 在这里出现两次", "删去其中之一")),
    "no-list": Saying("", ("{name} is no list", "begin each row with -"), ("{name} 不是列表", "每行以 - 开头")),
    "no-value": Saying("", ("{name} is no plain value", "write one text"), ("{name} 不是单个值", "写一段文字")),
}
