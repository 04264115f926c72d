"""Statements over sets of rows, the same for SQLite and PostgreSQL, cut into bounded parts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Column, Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Row", "Values", "select_in", "upsert", "insert", "delete_pairs"]

# Below both databases' limit of about 32,000 parameters, and below the time for one statement.
PART_SIZE = 5_000

# A row as it is read, and one to be written, by column name.
Row = sqlalchemy.Row[*tuple[Any, ...]]
Values = Mapping[str, str | int | None]

T = TypeVar("T")


async def select_in(
    connection: AsyncConnection,
    columns: Sequence[Column[Any]],
    key: Column[str],
    values: Collection[str],
) -> list[Row]:
    """The columns of all rows whose key is one of the values."""
    rows: list[Row] = []
    for part in _parts(sorted(values)):
        rows += (await connection.execute(select(*columns).where(key.in_(part)))).all()
    return rows


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[Values]) -> None:
    """Inserts, or updates by primary key what the rows name, all of them the same columns.

    But not the owner: a row never changes organization.
    """
    if not rows:
        return
    statement = _insert(connection, table)
    # A column that is not named keeps its value, where its default would take its place.
    names = rows[0].keys() - table.primary_key.columns.keys()
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in names - {"organization_id"}},
    )
    for part in _parts(rows):
        await connection.execute(statement, part)


async def insert(connection: AsyncConnection, table: Table, rows: Sequence[Values]) -> None:
    for part in _parts(rows):
        await connection.execute(table.insert(), part)


async def delete_pairs(
    connection: AsyncConnection, table: Table, pairs: Sequence[tuple[str, str]]
) -> None:
    """Rows by the table's two-column primary key."""
    owner, held = table.primary_key.columns
    forget = delete(table).where(owner == bindparam("owner"), held == bindparam("held"))
    for part in _parts([{"owner": pair[0], "held": pair[1]} for pair in pairs]):
        await connection.execute(forget, part)


def _insert(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _parts(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), PART_SIZE):
        yield list(items[start : start + PART_SIZE])
