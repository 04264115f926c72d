"""A database to talk to: SQLAlchemy Core on SQLite or PostgreSQL, every wait bounded.

Single statements run in autocommit, one round trip each (`reading`); a transaction is asked for by
name (`writing`, `snapshot`). What stops a start becomes `DatabaseError`, what fails later becomes
`Unavailable`. Schemas are the business of `migrations.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, Select, func, make_url, select
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from svckit import postgresql, sqlite
from svckit.database_errors import DatabaseError, outages, start_failures
from svckit.database_limits import DatabaseLimits

__all__ = [
    "open_database",
    "DatabaseLimits",
    "DatabaseError",
    "reading",
    "writing",
    "snapshot",
    "exclusive",
    "outages",
]

ACCEPTED = f"{sqlite.DRIVER}:///FILE or {postgresql.DRIVER}://USER:PASSWORD@HOST/DATABASE"
# Of a URL's query. Anything else would go to the driver unseen, a password included.
OPTIONS = ("host", "ssl")
LOCK_WAIT_S = 4.0  # below the time of a call, so that there is some left to say so
# Less than a writer waits for another.
STILL_S = 2.0


def open_database(url: str, *, limits: DatabaseLimits | None = None) -> AsyncEngine:
    """An engine whose owner disposes of it. Connects to nothing yet: `migrate` is the first to.

    Raises DatabaseError for a URL that is not accepted or a file that cannot be made.
    """
    parsed = _parse(url)
    limits = limits or DatabaseLimits()
    with start_failures(parsed):
        if parsed.drivername == sqlite.DRIVER:
            return sqlite.open_sqlite(parsed, limits)
        return postgresql.open_postgresql(parsed, limits)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The cause quotes the text it could not read, which may be a piece of a password.
        raise DatabaseError(f"the database URL cannot be read; it must be {ACCEPTED}") from None
    if parsed.drivername not in (sqlite.DRIVER, postgresql.DRIVER):
        raise DatabaseError(f"cannot use a {parsed.drivername!r} database; it must be {ACCEPTED}")
    if "@" in (parsed.host or ""):
        # It would be shown as the host, and is the end of a password.
        raise DatabaseError("the database URL has a bare @ in its password; write it as %40")
    for name in parsed.query:
        if name not in OPTIONS:
            raise DatabaseError(f"the database URL has an option {name!r} that is not known")
    return parsed


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for single statements, each its own snapshot. Raises as `outages` does."""
    with outages():
        async with engine.connect() as connection:
            yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine, *, lock: str) -> AsyncIterator[AsyncConnection]:
    """`exclusive`, for running time. Raises as `outages` does."""
    with outages():
        async with exclusive(engine, lock=lock) as connection:
            yield connection


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction whose statements all see one state of the data. Raises as `outages` does."""
    with outages():
        async with _transaction(engine, isolation="REPEATABLE READ") as connection:
            if _is_sqlite(engine):
                await connection.exec_driver_sql("BEGIN")
            yield connection


@asynccontextmanager
async def exclusive(
    engine: AsyncEngine, *, lock: str, wait_s: float = LOCK_WAIT_S
) -> AsyncIterator[AsyncConnection]:
    """A transaction that is alone, in all processes, under the name `lock`.

    So what it has read stays true until it commits. On SQLite every writer shares one lock.
    Raises TimeoutError after `wait_s`.
    """
    async with _transaction(engine, isolation="READ COMMITTED") as connection:
        async with asyncio.timeout(wait_s):
            if _is_sqlite(engine):
                await sqlite.begin_immediate(connection)
            else:
                await connection.execute(_alone_in_postgresql(lock))
        yield connection


@asynccontextmanager
async def _transaction(engine: AsyncEngine, *, isolation: str) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        if not _is_sqlite(engine):
            await connection.execution_options(isolation_level=isolation)
        async with connection.begin():
            yield connection


def _alone_in_postgresql(lock: str) -> Select[tuple[str, None]]:
    # Whoever stands still with the lock would keep everybody else from writing, and no access could
    # be taken away: such a one the server ends.
    still_ms = str(int(STILL_S * 1000))
    return select(
        func.set_config("idle_in_transaction_session_timeout", still_ms, True),
        func.pg_advisory_xact_lock(func.hashtext(lock)),
    )


def _is_sqlite(engine: AsyncEngine) -> bool:
    return engine.dialect.name == "sqlite"
