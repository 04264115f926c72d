"""The schema in the database is the one in the code, and guards what the code promises."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.audit import SYSTEM
from authsvc.migrations import MIGRATIONS
from authsvc.model import Local, Organization, User
from authsvc.store import Store, StoredKey
from authsvc.store.schema import metadata
from svckit.database import open_database
from svckit.migrations import migrate
from tests.contract.store.entities import WORLD
from tests.contract.store.stored import changes_since, here, put, stored


async def test_the_migrations_make_exactly_the_schema_of_the_code(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"version_table": MIGRATIONS.version_table, "compare_type": True}
        )
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_migrations_make_every_constraint_of_the_code(engine: AsyncEngine) -> None:
    def names(connection: Connection) -> set[str | None]:
        inspector = inspect(connection)
        return {
            constraint["name"]
            for table in metadata.tables
            for constraint in (
                *inspector.get_foreign_keys(table),
                *inspector.get_unique_constraints(table),
                *inspector.get_check_constraints(table),
            )
        }

    expected = {
        constraint.name
        for table in metadata.tables.values()
        for constraint in table.constraints
        if not str(constraint.name).startswith("pk_")
    }
    async with engine.connect() as connection:
        assert await connection.run_sync(names) == expected


def test_the_head_that_is_named_is_the_one_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS.directory))

    assert ScriptDirectory.from_config(config).get_current_head() == MIGRATIONS.head


async def test_a_database_of_the_first_schema_is_brought_on_with_all_that_it_holds(
    empty_url: str,
) -> None:
    engine = open_database(empty_url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(make_first_schema)
            for statement in FIRST_DATA:
                await connection.execute(text(statement))

        await migrate(empty_url, MIGRATIONS)

        store = Store(engine)
        assert await stored(store) == FIRST_ENTITIES
        assert await store.signing_keys() == (FIRST_KEY,)
        start = await here(store)
        assert (start.revision, start.changes) == (1, ())
        assert await store.revoke("ana", "centro", by=SYSTEM)
        assert len(await changes_since(store, start)) == 1
    finally:
        await engine.dispose()


def make_first_schema(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS.directory))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = MIGRATIONS.version_table
    command.upgrade(config, "0001")
    assert not inspect(connection).has_table("feed")


async def test_each_database_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids: set[str] = set()
    for name in ("one", "two"):
        url = f"sqlite+aiosqlite:///{tmp_path}/{name}.db"
        await migrate(url, MIGRATIONS)
        engine = open_database(url)
        ids.add((await here(Store(engine))).database_id)
        await engine.dispose()

    assert len(ids) == 2


FIRST_DATA = (
    "INSERT INTO organizations VALUES ('acme', 'Acme', 'active')",
    "INSERT INTO locals VALUES ('centro', 'acme', 'Centro', '', 'active')",
    "INSERT INTO users VALUES ('ana', 'acme', 'ana@a', 'ana@a', 'active')",
    "INSERT INTO user_locals VALUES ('ana', 'centro', 'acme')",
    "INSERT INTO signing_keys VALUES ('k', 'ES256', 'private', 'public', 7)",
)
# It signs as it did, and is kept for the longest that a token could be told to live.
FIRST_KEY = StoredKey(
    kid="k",
    algorithm="ES256",
    private_key="private",
    public_key="public",
    created_at=7,
    signs_from=7,
    token_ttl_s=86_400,
)
FIRST_ENTITIES = [
    Organization(id="acme", name="Acme"),
    Local(id="centro", organization_id="acme", name="Centro"),
    User(id="ana", organization_id="acme", email="ana@a", locals=frozenset({"centro"})),
]


async def test_two_services_may_migrate_one_database_at_once(empty_url: str) -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(migrate(empty_url, MIGRATIONS))

    engine = open_database(empty_url)
    try:
        await put(Store(engine), *WORLD)
        assert not await Store(engine).is_empty()
    finally:
        await engine.dispose()


async def test_processes_that_migrate_at_once_all_succeed(empty_url: str) -> None:
    program = (
        "import asyncio, sys; from svckit.migrations import migrate;"
        "from authsvc.migrations import MIGRATIONS;"
        "asyncio.run(migrate(sys.argv[1], MIGRATIONS))"
    )
    async with asyncio.timeout(60):
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", program, empty_url)
            for _ in range(3)
        ]
        assert [await process.wait() for process in processes] == [0, 0, 0]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO user_locals VALUES ('ana', 'puerto', 'acme')",
        "INSERT INTO user_locals VALUES ('ana', 'puerto', 'bazar')",
        "INSERT INTO user_roles VALUES ('bea', 'idle', 'bazar')",
        "INSERT INTO user_roles VALUES ('bea', 'idle', 'acme')",
        "UPDATE users SET organization_id = 'bazar' WHERE id = 'ana'",
        "UPDATE users SET status = 'other' WHERE id = 'ana'",
        "UPDATE locals SET organization_id = 'bazar' WHERE id = 'centro'",
        "DELETE FROM organizations WHERE id = 'acme'",
        "INSERT INTO feed VALUES (2, 'd', 0, 0)",
    ],
)
async def test_the_database_itself_keeps_organizations_apart(
    store: Store, engine: AsyncEngine, statement: str
) -> None:
    await put(store, *WORLD)

    with pytest.raises(IntegrityError):
        async with engine.connect() as connection:
            await connection.execute(text(statement))
