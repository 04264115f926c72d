"""When the database fails: a typed failure within its bound, and a store that recovers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from authsvc.migrations import MIGRATIONS
from authsvc.store import Store
from svckit.database import DatabaseLimits, exclusive, open_database
from svckit.errors import Unavailable
from svckit.migrations import migrate
from tests.contract.store.entities import WORLD, query
from tests.contract.store.stored import facts, put
from tests.postgres import PostgresServer

QUESTION = query("ana", "acme", "centro")
IMPATIENT = DatabaseLimits(
    connect_timeout_s=0.5, statement_timeout_s=0.3, pool_wait_s=0.2, pool_size=2
)


@asynccontextmanager
async def opened(url: str, limits: DatabaseLimits = IMPATIENT) -> AsyncIterator[AsyncEngine]:
    engine = open_database(url, limits=limits)
    try:
        yield engine
    finally:
        await engine.dispose()


async def test_a_database_without_the_schema_does_not_answer_a_ping(empty_url: str) -> None:
    async with opened(empty_url) as engine:
        with pytest.raises(Unavailable):
            await Store(engine).ping()


async def test_a_writer_that_waits_too_long_for_another_gives_up(
    store: Store, engine: AsyncEngine, database_url: str
) -> None:
    async with (
        asyncio.timeout(10),
        exclusive(engine, lock="auth_write"),
        opened(database_url) as other,
    ):
        with pytest.raises(TimeoutError):
            async with exclusive(other, lock="auth_write", wait_s=0.1):
                pass

    await put(store, *WORLD)


async def test_a_full_pool_is_a_refusal_and_not_a_longer_wait(database_url: str) -> None:
    async with opened(database_url) as engine:
        async with engine.connect() as one, engine.connect() as two:
            await one.execute(text("SELECT 1"))
            await two.execute(text("SELECT 1"))
            with pytest.raises(Unavailable):
                async with asyncio.timeout(5):
                    await facts(Store(engine), QUESTION)

        await Store(engine).ping()


async def test_a_caller_that_leaves_is_let_go_and_the_store_goes_on(
    store: Store, engine: AsyncEngine, database_url: str
) -> None:
    loop = asyncio.get_running_loop()
    patient = DatabaseLimits()
    async with opened(database_url, patient) as other:
        async with exclusive(engine, lock="auth_write"):
            started = loop.time()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await put(Store(other), *WORLD)
            waited_s = loop.time() - started
        await put(Store(other), *WORLD)

    assert waited_s < 1.0


async def test_a_database_file_with_broken_pages_is_an_outage(tmp_path: Path) -> None:
    path = tmp_path / "auth.db"
    url = f"sqlite+aiosqlite:///{path}"
    await migrate(url, MIGRATIONS)

    def break_all_but_the_first_page() -> None:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))

    await asyncio.to_thread(break_all_but_the_first_page)

    async with opened(url) as engine:
        with pytest.raises(Unavailable):
            await Store(engine).ping()
        with pytest.raises(Unavailable):
            await put(Store(engine), *WORLD)


async def test_a_silent_server_holds_neither_a_call_nor_one_that_gives_up(
    postgres: PostgresServer, postgres_url: str
) -> None:
    await migrate(postgres_url, MIGRATIONS)
    loop = asyncio.get_running_loop()
    async with silenceable(postgres) as (address, passes):
        url = make_url(postgres_url).set(host=address[0], port=address[1], query={})
        async with opened(url.render_as_string()) as engine:
            store = Store(engine)
            await asyncio.gather(store.ping(), store.ping())
            passes.clear()

            started = loop.time()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await facts(store, QUESTION)
            given_up_s = loop.time() - started
            with pytest.raises(Unavailable):
                async with asyncio.timeout(5):
                    await facts(store, QUESTION)
            passes.set()
            await store.ping()

    # The driver alone would say goodbye for two seconds first.
    assert given_up_s < 1.0


@asynccontextmanager
async def silenceable(
    server: PostgresServer,
) -> AsyncIterator[tuple[tuple[str, int], asyncio.Event]]:
    """A TCP address of the server, over which nothing passes while the event is clear."""
    passes = asyncio.Event()
    passes.set()
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                await passes.wait()
                writer.write(chunk)
        except OSError:
            pass
        finally:
            writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = server.socket_directory / ".s.PGSQL.5432"
        up_reader, up_writer = await asyncio.open_unix_connection(path)
        pumps.add(asyncio.create_task(pump(reader, up_writer)))
        pumps.add(asyncio.create_task(pump(up_reader, writer)))

    listener = await asyncio.start_server(connect, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname(), passes
    finally:
        passes.set()
        listener.close()
        await asyncio.wait(pumps, timeout=5)


async def test_connections_that_the_server_closed_cost_no_call(
    postgres: PostgresServer, postgres_url: str
) -> None:
    await migrate(postgres_url, MIGRATIONS)
    async with opened(postgres_url) as engine:
        both_closed = asyncio.Event()
        async with engine.connect() as one, engine.connect() as two:
            await set_when_closed(both_closed, one, two)
        name = make_url(postgres_url).database
        await asyncio.to_thread(
            postgres.execute,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",  # noqa: S608 # our own database name
        )
        async with asyncio.timeout(5):
            await both_closed.wait()

        for _ in range(4):
            await Store(engine).ping()


async def set_when_closed(all_closed: asyncio.Event, *connections: AsyncConnection) -> None:
    left = set(connections)

    for connection in connections:

        def closed(_driver_connection: object, connection: AsyncConnection = connection) -> None:
            left.discard(connection)
            if not left:
                all_closed.set()

        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        raw.add_termination_listener(closed)
