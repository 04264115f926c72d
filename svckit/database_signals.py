"""Says when something may have been committed to a database, by this process or any other.

A hint and no more: a signal may come for nothing and one may be lost, so whoever must know polls as
well. SQLite: the file and its log are looked at. PostgreSQL: a connection of its own listens.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped] # it has no types
from sqlalchemy.ext.asyncio import AsyncEngine

from svckit.database_limits import DatabaseLimits

__all__ = ["commit_signals"]

LOOK_EVERY_S = 0.01
# A server that vanished says nothing, so the one that listens asks.
ALIVE_EVERY_S = 5.0
ALIVE_TIMEOUT_S = 2.0
RECONNECT_S_MIN = 0.1
RECONNECT_S_MAX = 2.0

Seen = tuple[tuple[int, int, int] | None, ...]


@asynccontextmanager
async def commit_signals(
    engine: AsyncEngine, *, channel: str, on_change: Callable[[], None]
) -> AsyncIterator[None]:
    """While entered, calls `on_change`, which must not raise. Raises nothing itself.

    PostgreSQL's writers notify `channel`. The engine is only asked where its database is.
    """
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        files = (path, path.with_name(f"{path.name}-wal"))
        # Looked at here: what is committed before the task first runs is news already.
        watching: Awaitable[None] = _watch(files, _look(files), on_change)
    else:
        watching = _keep_listening(engine, channel, on_change)
    task = asyncio.ensure_future(watching)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _watch(files: tuple[Path, ...], seen: Seen, on_change: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        now = _look(files)
        if now != seen:
            seen = now
            on_change()


def _look(files: tuple[Path, ...]) -> Seen:
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


async def _keep_listening(engine: AsyncEngine, channel: str, on_change: Callable[[], None]) -> None:
    wait_s = RECONNECT_S_MIN
    while True:
        try:
            connection = await _connect(engine)
            try:
                await connection.add_listener(channel, lambda *_: on_change())
                wait_s = RECONNECT_S_MIN
                # Whatever was committed while no one listened.
                on_change()
                await _wait_until_lost(connection)
            finally:
                # At once: a polite goodbye would wait for a server that may be silent.
                connection.terminate()
        except (
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ):
            pass
        # Not all processes at once when the server is back.
        await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 # a pause, not a secret
        wait_s = min(wait_s * 2, RECONNECT_S_MAX)


async def _connect(engine: AsyncEngine) -> Any:
    _, where = engine.dialect.create_connect_args(engine.url)
    return await asyncpg.connect(**where, timeout=DatabaseLimits().connect_timeout_s)


async def _wait_until_lost(connection: Any) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    while not lost.is_set():
        try:
            # Not wait_for: up to Python 3.11 it may swallow a cancellation.
            async with asyncio.timeout(ALIVE_EVERY_S):
                await lost.wait()
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=ALIVE_TIMEOUT_S)
