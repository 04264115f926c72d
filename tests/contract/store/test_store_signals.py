"""A commit by anyone wakes those who wait for one, and whoever stops waiting leaves nothing."""

import asyncio
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.audit import SYSTEM
from authsvc.migrations import MIGRATIONS
from authsvc.store import Store
from svckit.database import open_database
from svckit.migrations import migrate
from tests.contract.store.entities import WORLD
from tests.contract.store.stored import put
from tests.postgres import PostgresServer

WAKE_TIMEOUT_S = 1.0
GRANT = (
    "import asyncio, sys; from authsvc.audit import SYSTEM; from authsvc.store import Store;"
    "from svckit.database import *;"
    "asyncio.run(Store(open_database(sys.argv[1])).grant('ana', 'sur', by=SYSTEM))"
)


class Waker:
    """Counts the calls, and waits for one more."""

    def __init__(self) -> None:
        self._called = asyncio.Event()

    def __call__(self) -> None:
        self._called.set()

    async def wait_called(self, timeout_s: float = WAKE_TIMEOUT_S) -> None:
        async with asyncio.timeout(timeout_s):
            await self._called.wait()

    def forget(self) -> None:
        self._called.clear()

    @property
    def was_called(self) -> bool:
        return self._called.is_set()


async def settle(waker: Waker, engine: AsyncEngine) -> None:
    """Until it listens; PostgreSQL says so by a first call."""
    if engine.dialect.name == "postgresql":
        await waker.wait_called(5.0)
    waker.forget()


async def test_a_commit_of_another_engine_wakes_every_time(
    store: Store, engine: AsyncEngine, database_url: str
) -> None:
    await put(store, *WORLD)
    other = open_database(database_url)
    waker = Waker()
    try:
        async with store.signals(waker):
            await settle(waker, engine)
            for write in (Store(other).grant, Store(other).revoke, store.grant):
                assert await write("ana", "sur", by=SYSTEM)
                await waker.wait_called()
                waker.forget()
    finally:
        await other.dispose()


async def test_a_commit_of_another_process_wakes(
    store: Store, engine: AsyncEngine, database_url: str
) -> None:
    await put(store, *WORLD)
    waker = Waker()
    async with store.signals(waker):
        await settle(waker, engine)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", GRANT, database_url)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
        await waker.wait_called()


async def test_a_write_that_changes_nothing_wakes_no_one(store: Store, engine: AsyncEngine) -> None:
    await put(store, *WORLD)
    waker = Waker()
    async with store.signals(waker):
        await settle(waker, engine)
        await put(store, *WORLD)
        assert not await store.revoke("ana", "sur", by=SYSTEM)
        # Time enough for what must not come.
        await asyncio.sleep(0.1)
        assert not waker.was_called


async def test_a_context_that_is_left_leaves_no_task_and_no_connection(
    store: Store, engine: AsyncEngine, database_url: str, request: pytest.FixtureRequest
) -> None:
    before = asyncio.all_tasks()
    waker = Waker()
    async with store.signals(waker):
        await settle(waker, engine)

    assert asyncio.all_tasks() == before
    if engine.dialect.name == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        async with asyncio.timeout(5):
            while await asyncio.to_thread(listeners, server, database_url):
                pass  # each look takes its while


async def test_a_body_that_fails_fails_as_it_is(store: Store) -> None:
    with pytest.raises(KeyError):
        async with store.signals(Waker()):
            raise KeyError


async def test_a_listener_whose_connection_was_cut_listens_again_and_says_so(
    postgres: PostgresServer, postgres_url: str
) -> None:
    await migrate(postgres_url, MIGRATIONS)
    engine = open_database(postgres_url)
    store = Store(engine)
    await put(store, *WORLD)
    waker = Waker()
    try:
        async with store.signals(waker):
            await settle(waker, engine)
            await asyncio.to_thread(cut_listeners, postgres, postgres_url)
            await settle(waker, engine)
            await store.grant("ana", "sur", by=SYSTEM)
            await waker.wait_called()
    finally:
        await engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://me:s3cret@127.0.0.1:1/x",
        "postgresql+asyncpg://me@/x?host=/nowhere",
    ],
)
async def test_a_server_that_is_not_there_is_waited_for_in_silence(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_database(url)
    waker = Waker()

    async with Store(engine).signals(waker):
        await asyncio.sleep(0.3)  # some attempts

    assert not waker.was_called
    assert caplog.records == []
    await engine.dispose()


async def test_a_replaced_file_wakes(tmp_path: Path) -> None:
    path, backup = tmp_path / "auth.db", tmp_path / "backup.db"
    for file in (path, backup):
        await migrate(f"sqlite+aiosqlite:///{file}", MIGRATIONS)
    engine = open_database(f"sqlite+aiosqlite:///{path}")
    waker = Waker()
    try:
        async with Store(engine).signals(waker):
            waker.forget()
            backup.replace(path)
            await waker.wait_called()
            waker.forget()
            path.unlink()
            await waker.wait_called()
    finally:
        await engine.dispose()


def listeners(server: PostgresServer, url: str) -> int:
    return len(server.execute(LISTENERS.format(make_url(url).database)).split())


def cut_listeners(server: PostgresServer, url: str) -> None:
    server.execute(
        f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS.format(make_url(url).database)}) x"  # noqa: S608 # our own database name
    )


LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND query ILIKE 'LISTEN%'"
