"""The edits of the organisation as forms: which fields each has, and what becomes of what was entered.

Dates are local; an instant is made of them here and nowhere else. What is wrong is named by field; what the rules of
the organisation say against it comes later (agents/records/tree.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from agents.access.editing import Subject
from agents.records import edits
from agents.records.edits import Edit
from agents.records.rows import Employee
from agents.records.tables import KINDS
from dashboards.web.zones import MIDNIGHT, date_of, instant_at, known_zone, time_of

Values = Mapping[str, str]
Times = Mapping[str, int]
LONGEST: Final = 300  # characters of a field
OPTIONAL: Final = frozenset(("parent", "name_zh", "name_en", "email", "language", "ends"))
INSTANTS: Final = ("at", "ends")


class Wrong(NamedTuple):
    """A field that cannot be used; `word`: of the catalogue, why."""

    field: str
    word: str


class Form(NamedTuple):
    """An edit that people can make. `about`: whose page it belongs to."""

    name: str
    about: Literal["unit", "employee"]
    fields: tuple[str, ...]
    make: Callable[[Values, Times], Edit]


class Filled(NamedTuple):
    """What was entered: the edit and whom it is about, or what is wrong. `times` in ms, by field."""

    edit: Edit | None
    subjects: tuple[Subject, ...]
    times: Times
    wrong: tuple[Wrong, ...]


def _employee(values: Values) -> Employee:
    return Employee(values["employee"], values["name"], values.get("email") or None, values.get("language") or None)


def _names(values: Values) -> tuple[str, str]:
    """One of the two does for both, as in files."""
    zh, en = values.get("name_zh", ""), values.get("name_en", "")
    return zh or en, en or zh


def _moved(times: Times) -> int | None:
    """Another instant; None where it is the same to the second, which is all that a form can say."""
    return None if times["at"] // 1000 == times["begins"] // 1000 else times["at"]


_ABOUT_UNIT: Final[tuple[Form, ...]] = (
    Form(
        "add-unit", "unit", ("unit", "kind", "parent", "name_zh", "name_en", "at"),
        lambda v, t: edits.add_unit(v["unit"], v["kind"], v.get("parent") or None, *_names(v), t["at"]),
    ),
    Form(
        "rename-unit", "unit", ("unit", "name_zh", "name_en", "at"),
        lambda v, t: edits.rename_unit(v["unit"], *_names(v), t["at"]),
    ),
    Form(
        "move-unit", "unit", ("unit", "parent", "at"),
        lambda v, t: edits.move_unit(v["unit"], v.get("parent") or None, t["at"]),
    ),
    Form("close-unit", "unit", ("unit", "at"), lambda v, t: edits.close_unit(v["unit"], t["at"])),
    Form(
        "set-manager", "unit", ("unit", "employee", "at", "ends"),
        lambda v, t: edits.set_manager(v["unit"], v["employee"], t["at"], t.get("ends")),
    ),
    Form(
        "unset-manager", "unit", ("unit", "employee", "at"),
        lambda v, t: edits.unset_manager(v["unit"], v["employee"], t["at"]),
    ),
)  # fmt: skip
_ABOUT_PEOPLE: Final[tuple[Form, ...]] = (
    Form(
        "hire", "employee", ("employee", "name", "email", "language", "role", "unit", "at"),
        lambda v, t: edits.hire(_employee(v), v["role"], v["unit"], t["at"]),
    ),
    Form(
        "transfer", "employee", ("employee", "role", "unit", "at"),
        lambda v, t: edits.transfer(v["employee"], v["role"], v["unit"], t["at"]),
    ),
    Form("leave", "employee", ("employee", "at"), lambda v, t: edits.leave(v["employee"], t["at"])),
    Form(
        "rehire", "employee", ("employee", "role", "unit", "at"),
        lambda v, t: edits.rehire(v["employee"], v["role"], v["unit"], t["at"]),
    ),
    Form(
        "describe", "employee", ("employee", "name", "email", "language"),
        lambda v, _: edits.describe(_employee(v)),
    ),
    Form(
        "correct", "employee", ("employee", "begins", "role", "unit", "at"),
        lambda v, t: edits.correct_assignment(v["employee"], t["begins"], v["role"], v["unit"], _moved(t)),
    ),
    Form(
        "remove", "employee", ("employee", "begins"),
        lambda v, t: edits.remove_assignment(v["employee"], t["begins"]),
    ),
)  # fmt: skip
FORMS: Final[Mapping[str, Form]] = {form.name: form for form in (*_ABOUT_UNIT, *_ABOUT_PEOPLE)}


def cleaned(form: Form, values: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a form as texts without spaces around them."""
    names = [name for one in form.fields for name in ((one, f"{one}_time") if one in INSTANTS else (one,))]
    found = {name: value for name in (*names, "zone") if isinstance(value := values.get(name), str)}
    return {name: value.strip() for name, value in found.items()}


def filled(form: Form, values: Values) -> Filled:
    """What the values come to."""
    wrong, times = list(_missing(form, values)), {}
    for name in form.fields:
        if name in INSTANTS and values.get(name):
            found = _instant(name, values)
            if isinstance(found, Wrong):
                wrong.append(found)
            else:
                times[name] = found
        elif name == "begins" and values.get(name):
            text = values[name]
            if text.isascii() and text.isdecimal() and len(text) < 16:
                times[name] = int(text)
            else:
                wrong.append(Wrong(name, "instant"))
    if "kind" in form.fields and values.get("kind") and values["kind"] not in KINDS:
        wrong.append(Wrong("kind", "kind"))
    subject = Subject(form.about, values.get(form.about, ""))
    return Filled(None if wrong else form.make(values, times), (subject,), times, tuple(wrong))


def _missing(form: Form, values: Values) -> list[Wrong]:
    found = [Wrong(name, "needed") for name in form.fields if name not in OPTIONAL and not values.get(name)]
    found += [Wrong(name, "long") for name, value in values.items() if len(value) > LONGEST]
    if "name_zh" in form.fields and not (values.get("name_zh") or values.get("name_en")):
        found.append(Wrong("name_en", "names"))
    return found


def _instant(name: str, values: Values) -> int | Wrong:
    """Of a date, a time of day (midnight unless one is given) and a zone."""
    day, clock, zone = date_of(values[name]), values.get(f"{name}_time", ""), values.get("zone", "UTC")
    time = time_of(clock) if clock else MIDNIGHT
    if day is None:
        return Wrong(name, "date")
    if time is None:
        return Wrong(name, "time")
    if not known_zone(zone):
        return Wrong("zone", "zone")
    at = instant_at(day, time, zone)
    return Wrong(name, "gap") if at is None else at
