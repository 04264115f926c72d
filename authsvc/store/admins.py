"""Who holds the platform, as the writer sees it in its transaction."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.admin_rules import PLATFORM, PLATFORM_ADMIN
from authsvc.model import Status
from authsvc.store.schema import organizations, role_permissions, roles, user_roles, users

__all__ = ["has_platform_admin", "permissions_now", "platform_roles"]

ACTIVE = Status.ACTIVE.value
HOLDERS = (
    user_roles.join(users, users.c.id == user_roles.c.user_id)
    .join(organizations, organizations.c.id == users.c.organization_id)
    .join(role_permissions, role_permissions.c.role_id == user_roles.c.role_id)
)
ALL_ACTIVE = (users.c.status == ACTIVE, organizations.c.status == ACTIVE)
# All that begin so, by the index: what follows them is the first with the next character.
OF_PLATFORM = (
    role_permissions.c.permission >= PLATFORM,
    role_permissions.c.permission < PLATFORM[:-1] + chr(ord(PLATFORM[-1]) + 1),
)


async def has_platform_admin(connection: AsyncConnection) -> bool:
    """Someone active, in an active organization."""
    holder = (
        select(users.c.id)
        .select_from(HOLDERS)
        .where(role_permissions.c.permission == PLATFORM_ADMIN, *ALL_ACTIVE)
        .limit(1)
    )
    return await connection.scalar(holder) is not None


async def permissions_now(connection: AsyncConnection, user_id: str) -> frozenset[str]:
    """None for one who is not active."""
    held = (
        select(role_permissions.c.permission)
        .select_from(HOLDERS)
        .where(users.c.id == user_id, *ALL_ACTIVE)
    )
    return frozenset((await connection.scalars(held)).all())


async def platform_roles(connection: AsyncConnection, organization_id: str) -> frozenset[str]:
    """The organization's roles that hold a permission of the platform."""
    held = (
        select(roles.c.id)
        .join(role_permissions, role_permissions.c.role_id == roles.c.id)
        .where(*OF_PLATFORM, roles.c.organization_id == organization_id)
    )
    return frozenset((await connection.scalars(held)).all())
