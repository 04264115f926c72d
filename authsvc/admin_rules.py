"""Who may administer what. Pure.

A platform admin may do everything, an organization's admin what is its own: to them another
organization's ids are as unknown ids. What holds a permission of the platform is no organization's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

from authsvc.audit import Actor, ActorKind
from authsvc.edits import Edit
from authsvc.model import Entity, Local, Organization, Role, Status, User
from svckit.errors import Forbidden, NotFound

__all__ = [
    "ORGANIZATION_ADMIN",
    "PLATFORM_ADMIN",
    "PLATFORM",
    "Caller",
    "Admin",
    "admin_of",
    "check_edit",
    "may_end_administration",
]

ORGANIZATION_ADMIN = "auth:admin"
PLATFORM_ADMIN = "platform:admin"
# How each permission begins that reaches beyond an organization.
PLATFORM = "platform:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as far as it is known: a stranger is of no organization and may do nothing."""

    actor: Actor
    organization_id: str | None = None
    permissions: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """`organization_id` is what they are confined to; None: nothing."""

    actor: Actor
    organization_id: str | None


def admin_of(caller: Caller) -> Admin:
    """Raises Forbidden."""
    if PLATFORM_ADMIN in caller.permissions:
        return Admin(actor=caller.actor, organization_id=None)
    if ORGANIZATION_ADMIN in caller.permissions and caller.organization_id is not None:
        return Admin(actor=caller.actor, organization_id=caller.organization_id)
    raise Forbidden(f"missing permission {ORGANIZATION_ADMIN}")


def check_edit(
    admin: Admin,
    edit: Edit,
    *,
    permissions: Collection[str],
    platform_roles: Collection[str],
) -> None:
    """Raises Forbidden, NotFound.

    `edit.before` is what the admin may see, `permissions` are the admin's own by now, and
    `platform_roles` those of the admin's organization that hold a permission of the platform.
    """
    needed = PLATFORM_ADMIN if admin.organization_id is None else ORGANIZATION_ADMIN
    if admin.actor.kind is ActorKind.USER and needed not in permissions:
        raise Forbidden(f"missing permission {needed}")
    if admin.organization_id is None:
        return
    before, after = edit.before, edit.after
    if isinstance(after, Organization):
        _check_organization(before, after)
        return
    if after.organization_id != admin.organization_id:
        raise NotFound("no such organization")
    # A free choice of new ids would tell which ones other organizations have. By the last colon, so
    # that no organization's ids are another's as well: `a` has `a:x`, and `a:b` has `a:b:x`.
    if before is None and after.id.rpartition(":")[0] != admin.organization_id:
        raise NotFound(
            f"no such {type(after).__name__.lower()}; "
            "a new one's id must be your organization's id, a colon and a name without one"
        )
    if _holds_platform(before, platform_roles) or _holds_platform(after, platform_roles):
        raise Forbidden(f"only a platform admin may touch what holds {PLATFORM}*")


def _check_organization(before: Entity | None, after: Organization) -> None:
    if not isinstance(before, Organization):
        raise Forbidden("only a platform admin may make organizations")
    if before.status is not after.status:
        # They would lock themselves out, and whoever holds the platform from within.
        raise Forbidden("only a platform admin may change an organization's status")


def _holds_platform(entity: Entity | None, roles: Collection[str]) -> bool:
    match entity:
        case Role():
            return any(permission.startswith(PLATFORM) for permission in entity.permissions)
        case User():
            return not entity.roles.isdisjoint(roles)
        case Local() | Organization() | None:
            return False
        case _:
            assert_never(entity)


def may_end_administration(edit: Edit) -> bool:
    """Whether it could take the platform from someone; if not, nobody needs to look."""
    match edit.before, edit.after:
        case Organization() as before, Organization() as after:
            return _ends(before.status, after.status)
        case User() as before, User() as after:
            return _ends(before.status, after.status) or bool(before.roles - after.roles)
        case Role() as before, Role() as after:
            return PLATFORM_ADMIN in before.permissions - after.permissions
        case _:
            return False


def _ends(before: Status, after: Status) -> bool:
    return before is Status.ACTIVE and after is Status.INACTIVE
