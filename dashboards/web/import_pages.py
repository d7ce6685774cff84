"""An organisation from files in the browser: first what they would do, then, if somebody says so, exactly that.

Nothing is kept here between the two: the files go out with the report and come back with the confirmation, and what
others changed meanwhile is told instead of undone.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy import Connection

from agents.access.editing import IMPORT, RIGHT, ChangedMeanwhile, Seen, Tried, doing, newest, trying
from agents.records.files import read_contents
from agents.records.statement import Problem, Statement, stating
from agents.records.tree import OrganisationError
from dashboards.web.desk import Desk, DeskClosed
from dashboards.web.edit_words import periods, told
from dashboards.web.forms import form_of
from dashboards.web.framing import AnyRequest
from dashboards.web.hr_frame import HrFrame, hr_frame
from dashboards.web.me_pages import RETRY
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.team_routes import who
from dashboards.web.web import Web
from dashboards.web.zones import MIDNIGHT, date_of, instant_at

MOST_BYTES: Final = 4 << 20  # of all files together
FORM_BYTES: Final = 2 * MOST_BYTES
MOST_FILES: Final = 8
SHOWN: Final = 200  # lines of a report
_EDIT: Final = {"right": RIGHT}
_packed: Final = msgspec.json.Decoder(list[tuple[str, bytes]])

Files = list[tuple[str, bytes]]


class Sent(NamedTuple):
    """What came: files, from when rows begin that do not say it (as a date), and the confirmation of a report."""

    files: Files
    date: str
    confirmed: int | None  # the number of the newest change that the report was made of


@get("/organisation/import", include_in_schema=False, opt=_EDIT)
async def import_form(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """Where files are chosen."""
    frame = await hr_frame(request, web, sight, "organisation")
    return _page(frame, {})


@post("/organisation/import", include_in_schema=False, opt=_EDIT, request_max_body_size=FORM_BYTES)
async def import_files(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """What the files would do; with the report's confirmation it is done."""
    frame, desk = await hr_frame(request, web, sight, "organisation"), web.desk
    if desk is None:
        return frame.notice("unavailable", 503)
    sent = await _sent(request)
    begins, wrong = _begins(frame, sent)
    if wrong:
        return _page(frame, {"wrong": [wrong], "date": sent.date}, status=400)
    statement = read_contents(sent.files, begins)
    try:
        if statement.problems:
            return _refused(frame, sent, statement.problems)
        return await _done(frame, desk, sent, statement)
    except OrganisationError as error:
        return _refused(frame, sent, statement.explain(error.breaches))
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)


HANDLERS: Final = (import_form, import_files)


async def _done(frame: HrFrame, desk: Desk, sent: Sent, statement: Statement) -> Response[Any]:
    edit, changed = stating(statement), False
    if sent.confirmed is not None:
        try:
            names = {"files": [name for name, _ in sent.files]}
            await desk.write(doing(edit, Seen(sent.confirmed), IMPORT, who(frame.request), frame.web.clock(), names))
            path = frame.link("/organisation", done=IMPORT)
            return Redirect(path, status_code=303, headers={"cache-control": "no-store"})
        except ChangedMeanwhile:
            changed = True  # what would be done now is another thing, and is shown

    def try_now(connection: Connection) -> Tried:
        return trying(edit, Seen(newest(connection)))(connection)

    tried = await desk.read(try_now)
    values = {
        "changed": changed, "changes": told(frame, tried.changes[:SHOWN]), "count": len(tried.changes),
        "counts": _counts(frame, tried), "date": sent.date, "number": tried.number, "packed": _pack(sent.files),
        "reached": periods(frame, tried.reached)[:SHOWN], "names": [name for name, _ in sent.files], "tried": True,
    }  # fmt: skip
    return _page(frame, values, status=409 if changed else 200)


def _refused(frame: HrFrame, sent: Sent, problems: Sequence[Problem]) -> Response[str]:
    """Every line that is wrong, and nothing was changed."""
    said = [(one.place, one.told(frame.words.language, frame.figures.moment)) for one in problems[:SHOWN]]
    values = {"date": sent.date, "problems": said, "wrong_count": len(problems)}
    return _page(frame, values, status=400)


def _page(frame: HrFrame, values: dict[str, Any], status: int = 200) -> Response[str]:
    nothing: dict[str, Any] = {
        "changed": False, "date": "", "most": MOST_BYTES >> 20, "problems": [], "tried": False, "wrong": [],
    }  # fmt: skip
    return frame.draw("import.html", {**nothing, **values}, status=status)


def _begins(frame: HrFrame, sent: Sent) -> tuple[int | None, str]:
    """From when rows begin that do not say it; or what is wrong with what came."""
    if not sent.files:
        return None, frame.words("organisation.import.none")
    day = date_of(sent.date)
    if sent.date and day is None:
        return None, frame.words("organisation.wrong.date")
    return (None if day is None else instant_at(day, MIDNIGHT, frame.zone)), ""


async def _sent(request: AnyRequest) -> Sent:
    form = await form_of(request)
    date, seen = str(form.get("date", "")).strip()[:20], str(form.get("seen", ""))
    packed = form.get("packed")
    if isinstance(packed, str) and packed:
        if not (seen.isascii() and seen.isdecimal() and len(seen) < 19):
            raise RequestProblem(400, "choose the files again: the report has no number", "seen", seen)
        return Sent(_unpack(packed), date, int(seen))
    uploads = [one for one in form.getall("files", []) if isinstance(one, UploadFile) and one.filename]
    if len(uploads) > MOST_FILES:
        raise RequestProblem(400, f"choose {MOST_FILES} files at most", "files", str(len(uploads)))
    files = [(one.filename[:128], await one.read()) for one in uploads]
    if sum(len(content) for _, content in files) > MOST_BYTES:
        detail = f"files have {MOST_BYTES >> 20} MiB at most together; larger ones take `scorestream org import`"
        raise RequestProblem(413, detail, "files")
    return Sent(files, date, None)


def _pack(files: Files) -> str:
    return base64.b64encode(msgspec.json.encode(files)).decode()


def _unpack(text: str) -> Files:
    try:
        return _packed.decode(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise RequestProblem(400, "choose the files again: these did not come back whole", "packed") from None


def _counts(frame: HrFrame, tried: Tried) -> list[tuple[str, int]]:
    """How many rows of each kind would be added, changed and removed."""
    found: dict[tuple[str, str], int] = {}
    for one in tried.changes:
        found[one.table, one.kind] = found.get((one.table, one.kind), 0) + 1
    words = frame.words
    return [
        (f"{words(f'organisation.table.{table}')}, {words(f'organisation.{kind}')}", number)
        for (table, kind), number in found.items()
    ]
