"""Stored rows as the entities they are, with what each holds."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.store.schema import (
    locals_,
    organizations,
    role_permissions,
    roles,
    user_locals,
    user_roles,
)
from authsvc.store.statements import Row, select_in

__all__ = ["entities_of", "entities_in", "is_empty"]


async def is_empty(connection: AsyncConnection) -> bool:
    """Everything else belongs to an organization."""
    return await connection.scalar(select(organizations.c.id).limit(1)) is None


async def entities_in(
    connection: AsyncConnection, table: Table, ids: Collection[str]
) -> dict[str, Entity]:
    """Those of the ids that are stored."""
    rows = await select_in(connection, tuple(table.columns), table.c.id, ids)
    return {entity.id: entity for entity in await entities_of(connection, table, rows)}


async def entities_of(
    connection: AsyncConnection, table: Table, rows: Sequence[Row]
) -> Iterable[Entity]:
    """`rows` are whole rows of the table; the order stays."""
    if table is organizations:
        return [_organization(row) for row in rows]
    if table is locals_:
        return [_local(row) for row in rows]
    ids = [row.id for row in rows]
    if table is roles:
        permissions = await _held(connection, role_permissions, ids)
        return [_role(row, permissions[row.id]) for row in rows]
    held_roles = await _held(connection, user_roles, ids)
    held_locals = await _held(connection, user_locals, ids)
    return [_user(row, held_roles[row.id], held_locals[row.id]) for row in rows]


async def _held(
    connection: AsyncConnection, table: Table, owners: Collection[str]
) -> defaultdict[str, set[str]]:
    """What each owner holds, by the table's two-column primary key."""
    owner, held = table.primary_key.columns
    sets: defaultdict[str, set[str]] = defaultdict(set)
    for row in await select_in(connection, (owner, held), owner, owners):
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
