"""What Auth asks its database on every call, each in one query."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, literal, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.decision import AccessFacts, PermissionFacts
from authsvc.model import LocalQuery, Status, User
from authsvc.store.schema import (
    locals_,
    organizations,
    role_permissions,
    roles,
    user_locals,
    user_roles,
    users,
)

__all__ = ["Counts", "access_facts", "permission_facts", "find_user", "counts", "is_empty", "touch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many there are of each kind."""

    organizations: int = 0
    locals: int = 0
    roles: int = 0
    users: int = 0


def _access_statement() -> Select[Any]:
    # From one row that always is, so that what does not exist shows as NULL and not as no answer.
    asked = select(literal_column("1").label("one")).subquery("asked")
    organization_id = bindparam("organization_id", type_=organizations.c.id.type)
    local = and_(
        locals_.c.id == bindparam("local_id"), locals_.c.organization_id == organization_id
    )
    assignment = and_(user_locals.c.user_id == users.c.id, user_locals.c.local_id == locals_.c.id)
    return select(
        users.c.status.label("user_status"),
        users.c.organization_id.label("user_organization_id"),
        organizations.c.status.label("organization_status"),
        locals_.c.status.label("local_status"),
        locals_.c.name.label("local_name"),
        user_locals.c.local_id.label("assigned_id"),
    ).select_from(
        asked.outerjoin(users, users.c.id == bindparam("user_id"))
        .outerjoin(organizations, organizations.c.id == organization_id)
        .outerjoin(locals_, local)
        .outerjoin(user_locals, assignment)
    )


ACCESS = _access_statement()


async def access_facts(connection: AsyncConnection, query: LocalQuery) -> AccessFacts:
    row = (await connection.execute(ACCESS, _parameters(query))).one()
    return AccessFacts(
        user_status=_status(row.user_status),
        organization_status=_status(row.organization_status),
        is_member=row.user_organization_id == query.organization_id,
        local_status=_status(row.local_status),
        local_name=row.local_name or "",
        is_assigned=row.assigned_id is not None,
    )


def _parameters(query: LocalQuery) -> dict[str, str]:
    return {
        "user_id": query.user_id,
        "organization_id": query.organization_id,
        "local_id": query.local_id,
    }


def _status(value: str | None) -> Status | None:
    return None if value is None else Status(value)


PERMISSIONS = (
    select(
        users.c.organization_id,
        users.c.status,
        organizations.c.status,
        role_permissions.c.permission,
    )
    .select_from(
        users.join(organizations, organizations.c.id == users.c.organization_id)
        .outerjoin(user_roles, user_roles.c.user_id == users.c.id)
        .outerjoin(role_permissions, role_permissions.c.role_id == user_roles.c.role_id)
    )
    .where(users.c.id == bindparam("user_id"))
)


async def permission_facts(connection: AsyncConnection, user_id: str) -> PermissionFacts | None:
    """None: there is no such user."""
    rows = (await connection.execute(PERMISSIONS, {"user_id": user_id})).all()
    if not rows:
        return None
    organization_id, user_status, organization_status, _ = rows[0]
    return PermissionFacts(
        organization_id=organization_id,
        user_status=Status(user_status),
        organization_status=Status(organization_status),
        role_permissions=frozenset(row[3] for row in rows if row[3] is not None),
    )


# One row per held role or local: a join of both would be their product.
USER = (
    select(users, user_roles.c.role_id, literal(None).label("local_id"))
    .select_from(users.outerjoin(user_roles, user_roles.c.user_id == users.c.id))
    .where(users.c.id == bindparam("user_id"))
    .union_all(
        select(users, literal(None), user_locals.c.local_id)
        .select_from(users.join(user_locals, user_locals.c.user_id == users.c.id))
        .where(users.c.id == bindparam("user_id"))
    )
)


async def find_user(connection: AsyncConnection, user_id: str) -> User | None:
    rows = (await connection.execute(USER, {"user_id": user_id})).all()
    if not rows:
        return None
    return User(
        id=rows[0].id,
        organization_id=rows[0].organization_id,
        email=rows[0].email,
        status=Status(rows[0].status),
        roles=frozenset(row.role_id for row in rows if row.role_id is not None),
        locals=frozenset(row.local_id for row in rows if row.local_id is not None),
    )


async def counts(connection: AsyncConnection) -> Counts:
    tables = (organizations, locals_, roles, users)
    each = [select(func.count()).select_from(table).scalar_subquery() for table in tables]
    row = (await connection.execute(select(*each))).one()
    return Counts(organizations=row[0], locals=row[1], roles=row[2], users=row[3])


async def is_empty(connection: AsyncConnection) -> bool:
    """Everything else belongs to an organization."""
    return await connection.scalar(select(organizations.c.id).limit(1)) is None


async def touch(connection: AsyncConnection) -> None:
    """Asks what a decision asks, of nobody; raises if one could not be made."""
    await access_facts(connection, LocalQuery(user_id="-", organization_id="-", local_id="-"))
