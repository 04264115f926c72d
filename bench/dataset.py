"""Fills Auth's database from a shape, past its store: ten million rows at a time of one's own.

The schema is made by Auth's own migrations; rows come in the order of their keys.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from authsvc.migrations import MIGRATIONS
from authsvc.password_rules import password_bytes
from authsvc.passwords import Passwords
from bench.shape import PASSWORD, Shape
from svckit.migrations import migrate

__all__ = ["build_sqlite", "sqlite_url", "chunks", "hashed_password", "Chunk", "Progress"]

# (table, columns, rows)
Chunk: TypeAlias = tuple[str, tuple[str, ...], list[tuple[str | int, ...]]]
Progress: TypeAlias = Callable[[int], None]  # the organizations that are done

# A crash costs a file that would be thrown away anyhow.
FAST = (
    *("PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"),
    *("PRAGMA cache_size = -262144", "PRAGMA foreign_keys = OFF", "BEGIN"),
)
PLACE = ("id", "organization_id", "name", "code", "status")
PERSON = ("id", "organization_id", "email", "email_folded", "status")
CREDENTIAL = ("user_id", "hash", "changed_at", "known_networks")


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


async def build_sqlite(path: Path, shape: Shape, on_progress: Progress) -> None:
    """Makes the file. One organization at a time, so that Ctrl-C need not wait for all."""
    await migrate(sqlite_url(path), MIGRATIONS)
    password_hash = await hashed_password()
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in FAST:
            connection.execute(pragma)
        for organization in range(shape.organizations):
            for table, columns, rows in chunks(shape, organization, password_hash):
                marks = ", ".join("?" * len(columns))
                names = ", ".join(columns)
                statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 # ours
                connection.executemany(statement, rows)
            on_progress(organization + 1)
            await asyncio.sleep(0)
        connection.execute("COMMIT")
    finally:
        connection.close()


async def hashed_password() -> str:
    """As Auth does it today, or it would hash it once more at each first login."""
    passwords = Passwords()
    try:
        with passwords.place("bench"):
            return await passwords.hash(password_bytes(PASSWORD))
    finally:
        passwords.close()


def chunks(shape: Shape, organization: int, password_hash: str) -> Iterator[Chunk]:
    """All rows of one organization, in an order that foreign keys allow."""
    name = shape.organization_id(organization)
    users = range(organization * shape.users_each, (organization + 1) * shape.users_each)
    yield "organizations", ("id", "name", "status"), [(name, f"Chain {organization}", "active")]
    yield (
        "locals",
        PLACE,
        [
            (
                *(shape.local_id(organization, local), name),
                *(shape.local_name(organization, local), f"C{local}", "active"),
            )
            for local in range(shape.locals_each)
        ],
    )
    yield (
        "users",
        PERSON,
        [
            (shape.user_id(user), name, shape.email(user), shape.email(user), "active")
            for user in users
        ],
    )
    now = int(time.time())
    yield (
        "passwords",
        CREDENTIAL,
        [
            (shape.user_id(user), password_hash, now, "[]")
            for user in shape.with_password(organization)
        ],
    )
    yield (
        "user_locals",
        ("user_id", "organization_id", "local_id"),
        [assigned[:3] for user in users for assigned in shape.assigned(user)],
    )
