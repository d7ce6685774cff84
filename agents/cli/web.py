"""`scorestream web`: boards, pages and API in a process of their own."""

from __future__ import annotations

import importlib
import ipaddress
from functools import partial
from typing import Annotated, Any

from cyclopts import Parameter

from agents.access.signing_in import Client
from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.opening import existing_log, now_ms
from agents.intake.intake import Intake, PlaceOf
from agents.limits import limits_in_force
from agents.settings import Settings
from agents.views.opening import reader_of


def web(
    *,
    demo: Annotated[
        Switch, Parameter(help="all scores open, and /choose to look as anybody of the records; on this machine only")
    ] = False,
    flags: Flags = NO_FLAGS,
) -> int:
    """Serve the boards, pages and the API; prints the address. Ctrl-C stops it.

    It reads the views that workers write (in the folder of an embedded log, or in Redis), takes events by HTTP into
    the log, may start before either, and any number of them may run. Single events are read from the log when somebody
    asks for them, and appeals are kept in the records.
    Who may see what is in the records (--records), too; `scorestream access` adds accounts and tokens.
    The language is each browser's own unless --language is given.

    For example

        scorestream web --port 8080
        scorestream web --demo --language zh
    """
    settings = flags.settings()
    language = settings.language if settings.origins.get("language", "default") != "default" else None
    _ = settings.access  # what is wrong with it is told at the start, not to the first who sends events
    reader = reader_of(settings)
    access = _demo(settings) if demo else _access(settings)
    # By name: the shell does not depend on the screens, it only starts them.
    server = importlib.import_module("dashboards.web.server")
    try:
        code: int = server.run(
            reader,
            settings.host,
            settings.port,
            language,
            stale_seconds=settings.stale_seconds,
            intake=Intake(PlaceOf(settings), now_ms),
            request_rate=settings.request_rate,
            intake_rate=settings.intake_rate,
            open_log=lambda: existing_log(settings),
            limits=lambda log: limits_in_force(log, settings),
            appeal_days=settings.appeal_days,
            **access,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    return code


def _demo(settings: Settings) -> dict[str, Any]:
    """Boards that are open to everybody are for nobody but this machine."""
    if not is_loopback(settings.host):
        raise UsageError(f"--host {settings.host}: with --demo boards are open, and only on this machine (127.0.0.1)")
    from agents.records.opening import records_of  # not for `--help`

    records = partial(records_of, settings)
    return {"records": records, "public_url": settings.public_url, "demo": True, "accounts": _company(settings)}


def _company(settings: Settings) -> Any:
    """Whom visitors of a demo may be: nobody where there are no records, or where people sign in for themselves."""
    from agents.records.sending import records_file

    there = settings.records is not None or records_file(settings).exists()
    return _opened(settings) if there and settings.oidc_issuer is None else None


def _opened(settings: Settings) -> Any:
    from agents.records.database import RecordsError, RecordsUnavailable  # not for `--help`
    from agents.records.opening import records_of

    try:
        return records_of(settings)
    except (RecordsError, RecordsUnavailable) as error:
        raise CommandError(str(error)) from None


def _access(settings: Settings) -> dict[str, Any]:
    """Where accounts are, and where people sign in."""
    client = None
    if settings.oidc_issuer is not None:
        secret = settings.oidc_secret
        client = Client(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_claim)
    records = _opened(settings)
    return {"records": lambda: records, "accounts": records, "client": client, "public_url": settings.public_url}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
