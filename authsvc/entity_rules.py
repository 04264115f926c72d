"""What an entity may hold: ids, names and permissions that are bounded and printable. Pure."""

import re
from typing import assert_never

from authsvc.model import Entity, Local, Organization, Role, User
from svckit.errors import InvalidRequest
from svckit.ids import check_id
from svckit.text import check_text

__all__ = ["TEXT_BYTES_MAX", "check_entity"]

TEXT_BYTES_MAX = 256
# area:action, such as catalog:read; each part starts with a letter or digit.
PERMISSION = re.compile(r"[a-z0-9][a-z0-9_.-]*(?::[a-z0-9][a-z0-9_.-]*)+")


def check_entity(entity: Entity) -> None:
    """Raises InvalidRequest with the name of the first field that breaks a rule."""
    check_id("id", entity.id)
    if not isinstance(entity, Organization):
        check_id("organization_id", entity.organization_id)
    match entity:
        case Organization():
            _check_text("name", entity.name)
        case Local():
            _check_text("name", entity.name)
            if entity.code:
                _check_text("code", entity.code)
        case Role():
            _check_text("name", entity.name)
            for permission in entity.permissions:
                _check_permission(permission)
        case User():
            _check_user(entity)
        case _:
            assert_never(entity)


def _check_user(user: User) -> None:
    _check_text("email", user.email)
    for role_id in user.roles:
        check_id("a role of the user", role_id)
    for local_id in user.locals:
        check_id("a local of the user", local_id)


def _check_permission(permission: str) -> None:
    if len(permission) > TEXT_BYTES_MAX or not PERMISSION.fullmatch(permission):
        raise InvalidRequest("a permission must look like catalog:read")


def _check_text(name: str, value: str) -> None:
    if not value.strip():
        raise InvalidRequest(f"{name} is empty")
    check_text(name, value, bytes_max=TEXT_BYTES_MAX)
