"""Changing what is stored, where it differs. Runs in a transaction that is the only writer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.edits import Edit
from authsvc.model import Entity, Local, Organization, Role, Status, User
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
    select_in,
    upsert,
)
from svckit.errors import Conflict, NotFound

__all__ = ["look_up", "keep_inactive", "plan", "write", "assignable"]

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


async def keep_inactive(
    connection: AsyncConnection, entities: Sequence[Entity], indexes: Collection[int]
) -> list[Entity]:
    """Those at `indexes` do not make active what is stored as inactive, or becomes so before."""
    kept = list(entities)
    kinds = ((Organization, organizations), (Local, locals_), (User, users))
    for kind, table in kinds if indexes else ():
        ids = {entities[index].id for index in indexes if isinstance(entities[index], kind)}
        columns = (table.c.id, table.c.status)
        stored = await select_in(connection, columns, table.c.id, ids)
        inactive = {row.id for row in stored if row.status == Status.INACTIVE}
        for index, entity in enumerate(entities):
            if isinstance(entity, kind) and entity.status is Status.INACTIVE:
                inactive.add(entity.id)
            elif isinstance(entity, kind) and index in indexes and entity.id in inactive:
                kept[index] = replace(entity, status=Status.INACTIVE)
    return kept


async def plan(connection: AsyncConnection, admission: Admission) -> list[Edit]:
    """What differs from what is stored, in the order in which it can be written."""
    return [
        *await _differing(connection, organizations, admission.organizations),
        *await _differing(connection, locals_, admission.locals),
        *await _differing(connection, roles, admission.roles),
        *await _differing(connection, users, admission.users),
    ]


async def _differing(
    connection: AsyncConnection, table: Table, wanted: Sequence[Entity]
) -> list[Edit]:
    stored = await entities_in(connection, table, [entity.id for entity in wanted])
    return [
        Edit(before=stored.get(entity.id), after=entity)
        for entity in wanted
        if stored.get(entity.id) != entity
    ]


async def write(connection: AsyncConnection, edits: Sequence[Edit]) -> None:
    """What a role or a user holds becomes exactly what it names."""
    await upsert(connection, organizations, [_organization(o) for o in _made(edits, Organization)])
    await upsert(connection, locals_, [_local(local) for local in _made(edits, Local)])
    await _write_roles(connection, _made(edits, Role), _found(edits, Role))
    await _write_users(connection, _made(edits, User), _found(edits, User))


def _made(edits: Sequence[Edit], kind: type[T]) -> list[T]:
    return [edit.after for edit in edits if isinstance(edit.after, kind)]


def _found(edits: Sequence[Edit], kind: type[T]) -> dict[str, T]:
    """Those that are not new, as they were, by id."""
    return {edit.before.id: edit.before for edit in edits if isinstance(edit.before, kind)}


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


async def assignable(connection: AsyncConnection, user_id: str, local_id: str) -> User:
    """The user, whom this local may be assigned to. Raises NotFound, Conflict."""
    user = (await entities_in(connection, users, [user_id])).get(user_id)
    if not isinstance(user, User):
        raise NotFound(f"user {user_id!r} does not exist")
    local_owner = (await _owners(connection, locals_, [local_id])).get(local_id)
    if local_owner is None:
        raise NotFound(f"local {local_id!r} does not exist")
    if local_owner != user.organization_id:
        raise Conflict(f"local {local_id!r} belongs to another organization than user {user_id!r}")
    return user
