"""Whom to ask, on a person's pages: by name and address, as the records have them."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from agents.records.contacts import Contact
from dashboards.web.contacts import People
from dashboards.web.framing import Frame


def drawn(frame: Frame, people: People) -> Markup | str:
    """The part of a page that names them; nothing where nobody is known."""
    groups = list(_groups(frame, people))
    if not groups:
        return ""
    stencil = frame.web.stencils.get(
        "me_contacts.html", (frame.words.language, people), lambda: {"groups": groups, "words": frame.words}
    )
    return stencil.fill({})


def _groups(frame: Frame, people: People) -> Iterator[tuple[str, tuple[Contact, ...]]]:
    if people.leads:
        yield frame.words("me.contacts.leads"), people.leads
    if answering := answerers(people):
        yield frame.words("me.contacts.answer"), answering


def answerers(people: People) -> tuple[Contact, ...]:
    """Who may answer an appeal: who leads the person before HR, each once."""
    return tuple(dict.fromkeys((*people.supervisors, *people.personnel)))
