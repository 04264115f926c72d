"""The first platform admin, whom no other could make."""

import secrets
from dataclasses import dataclass, field, replace

from authsvc.admin_rules import PLATFORM_ADMIN
from authsvc.audit import Actor
from authsvc.backend import Backend
from authsvc.model import Entity, Organization, Role, Status, User
from svckit.errors import Conflict, NotFound

__all__ = ["NewAdmin", "make_admin"]

PASSWORD_BYTES = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdmin:
    """`password` is that of a user who was made just now, and is known to nobody else."""

    user: User
    password: str | None = field(repr=False)


async def make_admin(
    backend: Backend, user_id: str, *, organization_id: str, by: Actor
) -> NewAdmin:
    """Gives a user platform:admin. One who is not there, and whose id is an email, is made.

    Raises NotFound, and Conflict when the role for it exists as another one.
    """
    find = backend.administration.find
    found = await find(User, user_id, confined_to=None)
    is_new = not isinstance(found, User)
    if not isinstance(found, User):
        if "@" not in user_id:
            raise NotFound(f"there is no user {user_id!r}; a new one needs an email")
        found = User(id=user_id, organization_id=organization_id, email=user_id)
    role = Role(
        id=f"{found.organization_id}:platform-admin",
        organization_id=found.organization_id,
        name="platform admin",
        permissions=frozenset({PLATFORM_ADMIN}),
    )
    stored = await find(Role, role.id, confined_to=None)
    if isinstance(stored, Role) and PLATFORM_ADMIN not in stored.permissions:
        # Whoever holds it would become a platform admin with this one.
        raise Conflict(f"role {role.id!r} exists and is no platform admin's; look who made it")
    admin = replace(found, status=Status.ACTIVE, roles=found.roles | {role.id})
    entities: list[Entity] = [stored or role, admin]
    if await find(Organization, found.organization_id, confined_to=None) is None:
        entities.append(Organization(id=found.organization_id, name=found.organization_id))
    for rejection in await backend.store.put_each(entities, by=by):
        raise rejection.error
    password = secrets.token_urlsafe(PASSWORD_BYTES) if is_new else None
    if password is not None:
        await backend.sessions.set_password(admin.id, password, by=by)
    return NewAdmin(user=admin, password=password)
