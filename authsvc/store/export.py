"""All that is stored, as entities, in an order that can be imported, a bounded page at a time."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence

from sqlalchemy import Table, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.store.schema import (
    locals_,
    organizations,
    role_permissions,
    roles,
    user_locals,
    user_roles,
    users,
)
from authsvc.store.statements import Row

__all__ = ["all_entities"]

PAGE_SIZE = 1_000

Page = Sequence[Row]


async def all_entities(connection: AsyncConnection) -> AsyncGenerator[Entity]:
    """Organizations, locals, roles, users, each by id. `connection` holds a snapshot."""
    for table in (organizations, locals_, roles, users):
        last_id = ""  # below every id
        while page := await _page(connection, table, last_id):
            for entity in await _entities(connection, table, page):
                yield entity
            last_id = page[-1].id


async def _page(connection: AsyncConnection, table: Table, last_id: str) -> Page:
    query = select(table).where(table.c.id > last_id).order_by(table.c.id).limit(PAGE_SIZE)
    return (await connection.execute(query)).all()


async def _entities(connection: AsyncConnection, table: Table, page: Page) -> Iterable[Entity]:
    if table is organizations:
        return [_organization(row) for row in page]
    if table is locals_:
        return [_local(row) for row in page]
    if table is roles:
        permissions = await _held(connection, role_permissions, page)
        return [_role(row, permissions[row.id]) for row in page]
    held_roles = await _held(connection, user_roles, page)
    held_locals = await _held(connection, user_locals, page)
    return [_user(row, held_roles[row.id], held_locals[row.id]) for row in page]


async def _held(
    connection: AsyncConnection, table: Table, page: Page
) -> defaultdict[str, set[str]]:
    """What each owner on this page holds, by the table's two-column primary key."""
    owner, held = table.primary_key.columns
    # Not BETWEEN: PostgreSQL's grammar takes no collation within it.
    on_page = and_(owner >= page[0].id, owner <= page[-1].id)
    sets: defaultdict[str, set[str]] = defaultdict(set)
    for row in await connection.execute(select(owner, held).where(on_page)):
        sets[row[0]].add(row[1])
    return sets


def _organization(row: Row) -> Organization:
    return Organization(id=row.id, name=row.name, status=Status(row.status))


def _local(row: Row) -> Local:
    return Local(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        code=row.code,
        status=Status(row.status),
    )


def _role(row: Row, permissions: set[str]) -> Role:
    return Role(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        permissions=frozenset(permissions),
    )


def _user(row: Row, role_ids: set[str], local_ids: set[str]) -> User:
    return User(
        id=row.id,
        organization_id=row.organization_id,
        email=row.email,
        status=Status(row.status),
        roles=frozenset(role_ids),
        locals=frozenset(local_ids),
    )
