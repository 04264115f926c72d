"""All that is stored, as entities, in an order that can be imported, a bounded page at a time."""

from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.model import Entity
from authsvc.store.entities import entities_of
from authsvc.store.schema import locals_, organizations, roles, users
from authsvc.store.statements import Row

__all__ = ["all_entities"]

PAGE_SIZE = 1_000


async def all_entities(connection: AsyncConnection) -> AsyncGenerator[Entity]:
    """Organizations, locals, roles, users, each by id. `connection` holds a snapshot."""
    for table in (organizations, locals_, roles, users):
        last_id = ""  # below every id
        while page := await _page(connection, table, last_id):
            for entity in await entities_of(connection, table, page):
                yield entity
            last_id = page[-1].id


async def _page(connection: AsyncConnection, table: Table, last_id: str) -> Sequence[Row]:
    query = select(table).where(table.c.id > last_id).order_by(table.c.id).limit(PAGE_SIZE)
    return (await connection.execute(query)).all()
