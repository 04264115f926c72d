"""Brings a database to the schema the code expects: Alembic, run by the service itself.

A database that is there already costs one SELECT, and Alembic is not imported at all (~140 ms).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Text, column, inspect, select, table

from svckit.database import DatabaseError, DatabaseLimits, exclusive, open_database
from svckit.database_errors import start_failures

__all__ = ["Migrations", "migrate"]

MIGRATION_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """One service's schema history. `head` is its newest revision, named so that no one must look.

    `version_table` is the service's own, so two services may share a database.
    """

    directory: Path
    head: str
    version_table: str


async def migrate(url: str, migrations: Migrations) -> None:
    """To the head, in one transaction, one process at a time; nothing changes if it fails.

    Raises DatabaseError when the database cannot be reached or written, or is newer than the code.
    """
    limits = replace(DatabaseLimits(), statement_timeout_s=MIGRATION_TIMEOUT_S)
    engine = open_database(url, limits=limits)
    try:
        with start_failures(engine.url):
            async with exclusive(
                engine, lock=migrations.version_table, wait_s=MIGRATION_TIMEOUT_S
            ) as connection:
                await connection.run_sync(_to_head, migrations)
    finally:
        await engine.dispose()


def _to_head(connection: Connection, migrations: Migrations) -> None:
    if _revisions(connection, migrations.version_table) != [migrations.head]:
        _upgrade(connection, migrations)


def _revisions(connection: Connection, version_table: str) -> Sequence[str]:
    if not inspect(connection).has_table(version_table):
        return []
    version = column("version_num", Text)
    return connection.scalars(select(version).select_from(table(version_table, version))).all()


def _upgrade(connection: Connection, migrations: Migrations) -> None:
    # Imported here: a start that has nothing to migrate must not pay for it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # Alembic reads its options with interpolation: a bare % in a path would be one.
    config.set_main_option("script_location", str(migrations.directory).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = migrations.version_table
    try:
        command.upgrade(config, "head")
    except CommandError as exc:
        found = ", ".join(_revisions(connection, migrations.version_table))
        raise DatabaseError(
            f"the database is at schema revision {found!r}, which this version does not know; "
            "it was written by a newer one"
        ) from exc
