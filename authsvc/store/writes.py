"""Changing what is stored. Runs in a transaction that is the only writer."""

from collections.abc import Collection, Sequence

from sqlalchemy import Table, and_, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.model import Local, Organization, Role, User
from authsvc.store.admission import Admission, Known, Mentions, fold_email
from authsvc.store.schema import (
    locals_,
    organizations,
    role_permissions,
    roles,
    user_locals,
    user_roles,
    users,
)
from authsvc.store.statements import Values, insert_absent, make_exact, select_in, upsert
from svckit.errors import Conflict, NotFound

__all__ = ["look_up", "write", "grant", "revoke"]


async def look_up(connection: AsyncConnection, mentions: Mentions) -> Known:
    """What of the mentions exists."""
    key = organizations.c.id
    found = await select_in(connection, (key,), key, mentions.organizations)
    email = users.c.email_folded
    with_email = (users.c.organization_id, email, users.c.id)
    holders = await select_in(connection, with_email, email, mentions.emails)
    return Known(
        organizations=frozenset(row[0] for row in found),
        locals=await _owners(connection, locals_, mentions.locals),
        roles=await _owners(connection, roles, mentions.roles),
        users=await _owners(connection, users, mentions.users),
        emails={(row[0], row[1]): row[2] for row in holders},
    )


async def _owners(
    connection: AsyncConnection, table: Table, ids: Collection[str]
) -> dict[str, str]:
    columns = (table.c.id, table.c.organization_id)
    return {row[0]: row[1] for row in await select_in(connection, columns, table.c.id, ids)}


async def write(connection: AsyncConnection, admission: Admission) -> None:
    """Writes all that was admitted; what a role or a user holds becomes exactly what it names."""
    await upsert(connection, organizations, [_organization(o) for o in admission.organizations])
    await upsert(connection, locals_, [_local(local) for local in admission.locals])
    await _write_roles(connection, admission.roles)
    await _write_users(connection, admission.users)


async def _write_roles(connection: AsyncConnection, written: Sequence[Role]) -> None:
    await upsert(connection, roles, [_role(role) for role in written])
    permissions: list[Values] = [
        {"role_id": role.id, "permission": permission}
        for role in written
        for permission in role.permissions
    ]
    await make_exact(connection, role_permissions, [role.id for role in written], permissions)


async def _write_users(connection: AsyncConnection, written: Sequence[User]) -> None:
    await upsert(connection, users, [_user(user) for user in written])
    ids = [user.id for user in written]
    held_roles: list[Values] = [
        {"user_id": user.id, "role_id": role_id, "organization_id": user.organization_id}
        for user in written
        for role_id in user.roles
    ]
    await make_exact(connection, user_roles, ids, held_roles)
    held_locals: list[Values] = [
        {"user_id": user.id, "local_id": local_id, "organization_id": user.organization_id}
        for user in written
        for local_id in user.locals
    ]
    await make_exact(connection, user_locals, ids, held_locals)


def _organization(organization: Organization) -> Values:
    return {
        "id": organization.id,
        "name": organization.name,
        "status": organization.status.value,
    }


def _local(local: Local) -> Values:
    return {
        "id": local.id,
        "organization_id": local.organization_id,
        "name": local.name,
        "code": local.code,
        "status": local.status.value,
    }


def _role(role: Role) -> Values:
    return {"id": role.id, "organization_id": role.organization_id, "name": role.name}


def _user(user: User) -> Values:
    return {
        "id": user.id,
        "organization_id": user.organization_id,
        "email": user.email,
        "email_folded": fold_email(user.email),
        "status": user.status.value,
    }


async def grant(connection: AsyncConnection, user_id: str, local_id: str) -> bool:
    """True when the user was not assigned before. Raises NotFound, Conflict."""
    assignment = await _assignment(connection, user_id, local_id)
    return await insert_absent(connection, user_locals, assignment)


async def revoke(connection: AsyncConnection, user_id: str, local_id: str) -> bool:
    """True when the user was assigned before. Raises NotFound, Conflict."""
    await _assignment(connection, user_id, local_id)
    assigned = and_(user_locals.c.user_id == user_id, user_locals.c.local_id == local_id)
    return (await connection.execute(delete(user_locals).where(assigned))).rowcount > 0


async def _assignment(connection: AsyncConnection, user_id: str, local_id: str) -> Values:
    user_owner = (await _owners(connection, users, [user_id])).get(user_id)
    if user_owner is None:
        raise NotFound(f"user {user_id!r} does not exist")
    local_owner = (await _owners(connection, locals_, [local_id])).get(local_id)
    if local_owner is None:
        raise NotFound(f"local {local_id!r} does not exist")
    if local_owner != user_owner:
        raise Conflict(f"local {local_id!r} belongs to another organization than user {user_id!r}")
    return {"user_id": user_id, "local_id": local_id, "organization_id": user_owner}
