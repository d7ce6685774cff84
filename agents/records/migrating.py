"""A store is brought to this version's tables by Alembic, which only a store of another version needs."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.schema import SetColumnComment, SetTableComment

from agents.records import access_tables, appeal_tables, result_tables  # noqa: F401 - their tables are in the metadata
from agents.records.stand import MIGRATIONS
from agents.records.tables import metadata


def migrate(connection: Connection, current: str | None) -> bool:
    """From migration `current` to the newest, in the connection's transaction; False for one that nobody knows."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    if current is not None and current not in {
        one.revision for one in ScriptDirectory.from_config(config).walk_revisions()
    }:
        return False
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.supports_comments:
        _comment(connection)
    return True


def _comment(connection: Connection) -> None:
    """Tables and columns say what they mean to whoever looks at them with other tools."""
    for table in metadata.sorted_tables:
        if table.comment:
            connection.execute(SetTableComment(table))
        for column in table.columns:
            if column.comment:
                connection.execute(SetColumnComment(column))
