"""The first platform admin, whom no other could make."""

import secrets
from dataclasses import dataclass, field, replace
from functools import partial

from authsvc.admin_rules import PLATFORM_ADMIN
from authsvc.audit import Actor
from authsvc.backend import Backend
from authsvc.model import Entity, Organization, Role, Status, User
from authsvc.store import Scene
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
    administration = backend.administration
    found = await administration.find(User, user_id, confined_to=None)
    if isinstance(found, User):
        organization_id = found.organization_id  # which it never changes
    elif "@" not in user_id:
        raise NotFound(f"there is no user {user_id!r}; a new one needs an email")
    role_id = f"{organization_id}:platform-admin"

    # Each is judged in the transaction that writes it: nothing that was taken comes back.
    def with_organization(scene: Scene) -> Entity:
        return scene.before or Organization(id=organization_id, name=organization_id)

    def with_role(scene: Scene) -> Entity:
        return _admins_role(scene.before, role_id, organization_id)

    def with_admin(scene: Scene) -> Entity:
        before = scene.before
        if not isinstance(before, User):
            before = User(id=user_id, organization_id=organization_id, email=user_id)
        return replace(before, status=Status.ACTIVE, roles=before.roles | {role_id})

    edit = partial(administration.edit, confined_to=None, by=by)
    await edit(Organization, organization_id, with_organization)
    await edit(Role, role_id, with_role)
    before, admin = await edit(User, user_id, with_admin)
    assert isinstance(admin, User)
    password = secrets.token_urlsafe(PASSWORD_BYTES) if before is None else None
    if password is not None:
        await backend.sessions.set_password(admin.id, password, by=by)
    return NewAdmin(user=admin, password=password)


def _admins_role(before: Entity | None, id_: str, organization_id: str) -> Entity:
    if before is None:
        return Role(
            id=id_,
            organization_id=organization_id,
            name="platform admin",
            permissions=frozenset({PLATFORM_ADMIN}),
        )
    if not isinstance(before, Role) or PLATFORM_ADMIN not in before.permissions:
        # Whoever holds it would become a platform admin with this one.
        raise Conflict(f"role {id_!r} exists and is no platform admin's; look who made it")
    return before
