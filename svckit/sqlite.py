"""Engines on SQLite files: durable, with foreign keys, and no wait for a lock that cannot be ended.

Each connection is a thread of its own, and a thread inside SQLite hears of no cancellation. So it
waits for a lock in short turns, and we take as many turns as we have time for. A statement that is
running is waited for: ours are short.
"""

import asyncio
import os
import sqlite3
import stat
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import URL, event
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from svckit.database_errors import DatabaseError, shown, start_failures
from svckit.database_limits import DatabaseLimits

__all__ = ["DRIVER", "open_sqlite", "begin_immediate", "is_readable_by_others"]

DRIVER = "sqlite+aiosqlite"
FILE = "svckit.file"
BUSY_TIMEOUT_S = 0.25
OPENING_TIMEOUT_S = 5.0  # while another process opens, recovers or closes the same file


def open_sqlite(url: URL, limits: DatabaseLimits) -> AsyncEngine:
    """Makes the file, and the directories above it. Raises DatabaseError."""
    name = url.database or ""
    if not name or name.startswith((":memory:", "file:")):
        # Each connection would have a database of its own, or all would share one transaction.
        raise DatabaseError(f"{shown(url)} names no file; it must be {DRIVER}:///FILE")
    path = Path(name)
    with start_failures(url):
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        # It may hold private keys; SQLite gives the files beside it the same mode. Asked here,
        # because a driver that fails to open leaves a thread behind, and SQLite says less.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_async_engine(
        url,
        pool_size=limits.pool_size,
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        # An error goes into the log as it is, and a parameter may be a hash or a key.
        hide_parameters=True,
        connect_args={
            "async_creator_fn": partial(_connect, path),
            "timeout": OPENING_TIMEOUT_S,
            # No implicit BEGIN: the driver's own comes too late for a snapshot, never for DDL.
            "isolation_level": None,
        },
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "invalidate", _roll_back)
    _follow(engine, path)
    return engine


def is_readable_by_others(url: URL) -> bool:
    """Whether the file lets its group or everyone read it. No: there is no file, it is a server."""
    if url.drivername != DRIVER:
        return False
    mode = Path(url.database or "").stat().st_mode
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def _connect(path: Path, _name: str, **options: Any) -> aiosqlite.Connection:
    """To the file that is there: one that was deleted is not made anew, open to all and empty."""
    if _identity(path) is None:
        raise sqlite3.OperationalError("the database file is gone")
    connection = aiosqlite.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, **options)
    connection._thread.daemon = True  # noqa: SLF001 # as SQLAlchemy does where it connects itself
    return connection


def _follow(engine: AsyncEngine, path: Path) -> None:
    """A file that was deleted or replaced lives on in the connections that have it open.

    And with it every grant that was revoked since, so those connections are not used again.
    """

    def remember(_connection: Any, record: Any) -> None:
        record.info[FILE] = _identity(path)

    def refuse_replaced(_connection: Any, record: Any, _proxy: object) -> None:
        if record.info[FILE] != _identity(path):
            raise DisconnectionError

    event.listen(engine.sync_engine, "connect", remember)
    event.listen(engine.sync_engine, "checkout", refuse_replaced)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is, whatever its name; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Of two that switch a new file at once one is refused at once, for this SQLite never waits."""
    loop = asyncio.get_running_loop()
    until = loop.time() + OPENING_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if not _is_busy(exc) or loop.time() > until:
                raise
        else:
            return


def _roll_back(connection: Any, _record: object, _exception: object) -> None:
    # Closing does not end a transaction while a cursor lives, and the traceback of a cancellation
    # keeps one: the file would stay locked, for every process, until the garbage is collected.
    driver = connection.driver_connection
    if driver._connection is not None:  # noqa: SLF001 # the only way to ask without waiting
        driver._tx.put_nowait((None, driver._connection.rollback))  # noqa: SLF001 # as above


async def begin_immediate(connection: AsyncConnection) -> None:
    """Becomes the file's only writer. Waits as long as the caller lets it."""
    while True:
        try:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as exc:
            if not _is_busy(exc.orig):
                raise
        else:
            return


def _is_busy(exc: BaseException | None) -> bool:
    # The low byte is the kind of failure, the rest its detail.
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
