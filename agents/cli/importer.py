"""`scorestream import`: real data of other systems as events, with the template that fits them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from agents.cli.errors import CommandError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import now_ms, writable_log
from agents.cli.progress import Progress, say
from agents.publishing import PublicationRefused, is_published, publish
from agents.transport.log import Log, Outgoing, partition_for

app: Final = App(name="import", help="Import real people and production data as events.", help_format="plaintext")
_BATCH: Final = 5_000


@app.command
def adventureworks(
    folder: Annotated[Path, Parameter(help="the folder with hr/ and purchasing/ of the AdventureWorks sample company")],
    /,
    *,
    flags: Flags = NO_FLAGS,
) -> int:
    """Import the people, purchase orders and order lines of AdventureWorks, and publish the template that fits.

    Ids follow from the source's keys, so a second import changes no score. Log time is each event's own time.

    For example

        scorestream import adventureworks ../shared/data/adventureworks
        scorestream scores --indicator receiving_yield --window all
    """
    from agents.importers.adventureworks import load
    from agents.importers.tsv import SourceError

    settings = flags.settings()
    try:
        found = load(folder)
    except SourceError as error:
        raise CommandError(str(error)) from None
    with writable_log(settings) as (log, partitions), Progress("imported", len(found.messages)) as progress:
        _publish(log, found.template)
        for begin in range(0, len(found.messages), _BATCH):
            batch = [
                Outgoing(m.topic, partition_for(m.key, partitions), m.timestamp, m.key, m.value)
                for m in found.messages[begin : begin + _BATCH]
            ]
            log.append(batch)
            progress.advance(len(batch))
        say(progress.summary())
    return 0


def _publish(log: Log, text: str) -> None:
    if is_published(log, text):
        say("the template is published already")
        return
    try:
        published = publish(log, text, now_ms())
    except PublicationRefused as refused:
        raise CommandError(f"the template cannot be published: {refused}") from None
    say(f"published {published.template.template}@{published.template.version}")
