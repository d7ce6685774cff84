"""Alembic's way into the migrations: over the connection that agents/records/database.py has opened."""

from __future__ import annotations

from alembic import context

from agents.records import access_tables, appeal_tables, result_tables  # noqa: F401 - their tables are in the metadata
from agents.records.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True)
context.run_migrations()
