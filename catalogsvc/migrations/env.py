"""Alembic runs this file; the connection and its transaction are the caller's."""

from alembic import context

from catalogsvc.store import metadata

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    target_metadata=metadata,
)
with context.begin_transaction():
    context.run_migrations()
