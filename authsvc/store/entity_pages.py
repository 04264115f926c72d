"""Entities for those who administer them: one by its id, or a filtered page in the ids' order."""

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.listing import EntityFilter
from authsvc.model import Entity, Local, Organization, Role, User
from authsvc.store.admission import fold_email
from authsvc.store.entities import entities_of
from authsvc.store.schema import locals_, organizations, roles, users

__all__ = ["find", "page"]

TABLES: dict[type[Entity], Table] = {
    Organization: organizations,
    Local: locals_,
    Role: roles,
    User: users,
}


async def find(
    connection: AsyncConnection, kind: type[Entity], id_: str, organization_id: str | None
) -> Entity | None:
    """None also for what is of another organization than this."""
    table = TABLES[kind]
    question = select(table).where(table.c.id == id_)
    if organization_id is not None:
        question = question.where(_owner(table) == organization_id)
    rows = (await connection.execute(question)).all()
    return next(iter(await entities_of(connection, table, rows)), None)


async def page(
    connection: AsyncConnection,
    kind: type[Entity],
    wanted: EntityFilter,
    after_id: str,
    limit: int,
) -> tuple[Entity, ...]:
    table = TABLES[kind]
    question = (
        select(table)
        .where(table.c.id > after_id, *_conditions(table, wanted))
        .order_by(table.c.id)
        .limit(limit)
    )
    rows = (await connection.execute(question)).all()
    return tuple(await entities_of(connection, table, rows))


def _conditions(table: Table, wanted: EntityFilter) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.organization_id is not None:
        conditions.append(_owner(table) == wanted.organization_id)
    if wanted.status is not None:
        conditions.append(table.c.status == wanted.status.value)
    if wanted.prefix:
        is_user = table is users
        column = users.c.email_folded if is_user else table.c.name
        prefix = fold_email(wanted.prefix) if is_user else wanted.prefix
        # Not LIKE, which has characters of its own and which the databases fold differently.
        conditions.append(func.substr(column, 1, len(prefix)) == prefix)
    return conditions


def _owner(table: Table) -> ColumnElement[str]:
    owner: ColumnElement[str] = table.c.id if table is organizations else table.c.organization_id
    return owner
