"""A fresh, migrated product store on each database that we promise to run on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from catalogsvc.migrations import MIGRATIONS
from catalogsvc.store import ProductStore
from svckit.database import open_database
from svckit.migrations import migrate
from tests.postgres import postgres, postgres_url

__all__ = ["database_url", "engine", "postgres", "postgres_url", "store"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/catalog.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    await migrate(database_url, MIGRATIONS)
    engine = open_database(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine) -> ProductStore:
    return ProductStore(engine)
