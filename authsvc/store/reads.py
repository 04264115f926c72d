"""What Auth asks its database on every call, each in one query."""

from typing import Any

from sqlalchemy import Select, and_, bindparam, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.decision import AccessFacts, PermissionFacts
from authsvc.model import LocalQuery, Status
from authsvc.store.schema import (
    locals_,
    organizations,
    role_permissions,
    user_locals,
    user_roles,
    users,
)

__all__ = ["access_facts", "permission_facts", "is_empty", "touch"]


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


async def is_empty(connection: AsyncConnection) -> bool:
    """Everything else belongs to an organization."""
    return await connection.scalar(select(organizations.c.id).limit(1)) is None


async def touch(connection: AsyncConnection) -> None:
    """Asks what a decision asks, of nobody; raises if one could not be made."""
    await access_facts(connection, LocalQuery(user_id="-", organization_id="-", local_id="-"))
