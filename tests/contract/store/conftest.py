"""The store on a fresh database of each kind: every test of the contract runs on both."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.migrations import MIGRATIONS
from authsvc.store import Store
from authsvc.store.schema import feed, metadata
from svckit.database import open_database
from svckit.migrations import migrate
from tests.postgres import PostgresServer, postgres, postgres_url

__all__ = ["postgres", "postgres_url"]

EMPTY_ALL = "; ".join(
    (
        "ALTER TABLE audit DISABLE TRIGGER ALL",  # the audit log is not meant to be emptied
        *(
            "UPDATE feed SET revision = 1, trimmed_to = 1"
            if table is feed
            else f"DELETE FROM {table}"  # noqa: S608 # our own table names
            for table in reversed(metadata.sorted_tables)
        ),
        "ALTER TABLE audit ENABLE TRIGGER ALL",
    )
)
BOTH = ("sqlite", "postgresql")


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the schema at its head, and nothing in it.

    Migrated once a session, then copied or emptied: both are cheaper than most tests here.
    """
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "auth.db")
        return f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    url: str = request.getfixturevalue("postgres_migrated_url")
    server.execute(EMPTY_ALL, database=make_url(url).database or "")
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "auth.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}", MIGRATIONS))
    return path


@pytest.fixture(scope="session")
def postgres_migrated_url(postgres: PostgresServer) -> str:
    url = postgres.new_database()
    asyncio.run(migrate(url, MIGRATIONS))
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_database(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine) -> Store:
    return Store(engine)
