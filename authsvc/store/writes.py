"""Changing what is stored, where it differs. Runs in a transaction that is the only writer."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar, cast

from sqlalchemy import Table, and_, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.model import Entity, Local, Organization, Role, User
from authsvc.store.admission import Admission, Known, Mentions, fold_email
from authsvc.store.entities import entities_in
from authsvc.store.schema import (
    locals_,
    organizations,
    role_permissions,
    roles,
    user_locals,
    user_roles,
    users,
)
from authsvc.store.statements import (
    Values,
    delete_pairs,
    insert,
    insert_absent,
    select_in,
    upsert,
)
from authsvc.store.touches import Touch
from svckit.errors import Conflict, NotFound

__all__ = ["look_up", "write", "grant", "revoke"]

T = TypeVar("T", Organization, Local, Role, User)
# What each owner holds, and one thing that one of them holds.
Held = Mapping[str, frozenset[str]]
Pair = tuple[str, str]


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


async def write(connection: AsyncConnection, admission: Admission) -> list[Entity]:
    """Writes what differs from what is stored, and returns that.

    What a role or a user holds becomes exactly what it names.
    """
    new_organizations, _ = await _differing(connection, organizations, admission.organizations)
    await upsert(connection, organizations, [_organization(o) for o in new_organizations])
    new_locals, _ = await _differing(connection, locals_, admission.locals)
    await upsert(connection, locals_, [_local(local) for local in new_locals])
    new_roles, old_roles = await _differing(connection, roles, admission.roles)
    await _write_roles(connection, new_roles, old_roles)
    new_users, old_users = await _differing(connection, users, admission.users)
    await _write_users(connection, new_users, old_users)
    return [*new_organizations, *new_locals, *new_roles, *new_users]


async def _differing(
    connection: AsyncConnection, table: Table, wanted: Sequence[T]
) -> tuple[list[T], dict[str, T]]:
    """Those that are not stored as they are wanted; and all of them that are stored, by id."""
    stored = await entities_in(connection, table, [entity.id for entity in wanted])
    differing = [entity for entity in wanted if stored.get(entity.id) != entity]
    return differing, cast("dict[str, T]", stored)


async def _write_roles(
    connection: AsyncConnection, new: Sequence[Role], old: Mapping[str, Role]
) -> None:
    await upsert(connection, roles, [_role(role) for role in new])
    before = {id_: role.permissions for id_, role in old.items()}
    gone, added = _difference({role.id: role.permissions for role in new}, before)
    await delete_pairs(connection, role_permissions, gone)
    await insert(
        connection,
        role_permissions,
        [{"role_id": role_id, "permission": permission} for role_id, permission in added],
    )


async def _write_users(
    connection: AsyncConnection, new: Sequence[User], old: Mapping[str, User]
) -> None:
    await upsert(connection, users, [_user(user) for user in new])
    owners = {user.id: user.organization_id for user in new}
    for table, held_by in ((user_roles, _roles_held), (user_locals, _locals_held)):
        before = {id_: held_by(user) for id_, user in old.items()}
        gone, added = _difference({user.id: held_by(user) for user in new}, before)
        await delete_pairs(connection, table, gone)
        _, held, _ = table.columns.keys()
        rows = [{"user_id": u, held: h, "organization_id": owners[u]} for u, h in added]
        await insert(connection, table, rows)


def _roles_held(user: User) -> frozenset[str]:
    return user.roles


def _locals_held(user: User) -> frozenset[str]:
    return user.locals


def _difference(wanted: Held, stored: Held) -> tuple[list[Pair], list[Pair]]:
    """The pairs to delete and the pairs to insert."""
    nothing: frozenset[str] = frozenset()
    gone = [(id_, held) for id_ in wanted for held in stored.get(id_, nothing) - wanted[id_]]
    added = [(id_, held) for id_ in wanted for held in wanted[id_] - stored.get(id_, nothing)]
    return gone, added


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


async def grant(connection: AsyncConnection, user_id: str, local_id: str) -> Touch | None:
    """None when the user was assigned before. Raises NotFound, Conflict."""
    touch = await _assignment(connection, user_id, local_id)
    return touch if await insert_absent(connection, user_locals, touch._asdict()) else None


async def revoke(connection: AsyncConnection, user_id: str, local_id: str) -> Touch | None:
    """None when the user was not assigned before. Raises NotFound, Conflict."""
    touch = await _assignment(connection, user_id, local_id)
    assigned = and_(user_locals.c.user_id == user_id, user_locals.c.local_id == local_id)
    deleted = await connection.execute(delete(user_locals).where(assigned))
    return touch if deleted.rowcount > 0 else None


async def _assignment(connection: AsyncConnection, user_id: str, local_id: str) -> Touch:
    user_owner = (await _owners(connection, users, [user_id])).get(user_id)
    if user_owner is None:
        raise NotFound(f"user {user_id!r} does not exist")
    local_owner = (await _owners(connection, locals_, [local_id])).get(local_id)
    if local_owner is None:
        raise NotFound(f"local {local_id!r} does not exist")
    if local_owner != user_owner:
        raise Conflict(f"local {local_id!r} belongs to another organization than user {user_id!r}")
    return Touch(user_owner, user_id, local_id)
