"""The migrations make the schema that the code expects."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from catalogsvc.migrations import MIGRATIONS
from catalogsvc.store import ProductStore, metadata
from svckit.database import open_database
from svckit.migrations import migrate


async def test_a_migrated_database_has_the_schema_of_the_code(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> object:
        options = {"version_table": MIGRATIONS.version_table, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_the_head_we_name_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS.directory))

    assert ScriptDirectory.from_config(config).get_heads() == [MIGRATIONS.head]


async def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    await asyncio.gather(*(migrate(database_url, MIGRATIONS) for _ in range(3)))

    engine = open_database(database_url)
    assert await ProductStore(engine).is_empty()
    await engine.dispose()
