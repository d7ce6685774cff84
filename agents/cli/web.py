"""`scorestream web`: boards, pages and API in a process of their own."""

from __future__ import annotations

import importlib
from functools import partial

from agents.cli.errors import UsageError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import now_ms
from agents.intake.intake import Intake, PlaceOf
from agents.records.opening import records_of
from agents.views.opening import reader_of


def web(*, flags: Flags = NO_FLAGS) -> int:
    """Serve the boards, pages and the API; prints the address. Ctrl-C stops it.

    It reads the views that workers write (in the folder of an embedded log, or in Redis), takes events by HTTP into
    the log, may start before either, and any number of them may run.
    The language is each browser's own unless --language is given.

    For example

        scorestream web --port 8080
        scorestream web --host 0.0.0.0 --language zh
    """
    settings = flags.settings()
    language = settings.language if settings.origins.get("language", "default") != "default" else None
    _ = settings.access  # what is wrong with it is told at the start, not to the first who sends events
    # By name: the shell does not depend on the screens, it only starts them.
    server = importlib.import_module("dashboards.web.server")
    try:
        code: int = server.run(
            reader_of(settings),
            settings.host,
            settings.port,
            language,
            stale_seconds=settings.stale_seconds,
            intake=Intake(PlaceOf(settings), now_ms),
            records=partial(records_of, settings),
            request_rate=settings.request_rate,
            intake_rate=settings.intake_rate,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    return code
