"""The words of the model: organizations, their locals and roles, and users with what they hold.

Ids are opaque: existing UUIDs or anything else that `svckit.ids.check_id` accepts. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum

from svckit.ids import check_id

__all__ = [
    "Status",
    "Organization",
    "Local",
    "Role",
    "User",
    "Entity",
    "LocalQuery",
]


class Status(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """A tenant."""

    id: str
    name: str
    status: Status = Status.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A store of one organization."""

    id: str
    organization_id: str
    name: str
    code: str = ""
    status: Status = Status.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of permissions, such as `catalog:read`."""

    id: str
    organization_id: str
    name: str
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`roles` and `locals` are ids within the user's own organization."""

    id: str
    organization_id: str
    email: str
    status: Status = Status.ACTIVE
    roles: frozenset[str] = frozenset()
    locals: frozenset[str] = frozenset()


Entity = Organization | Local | Role | User


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalQuery:
    """May this user of this organization enter this local?"""

    user_id: str
    organization_id: str
    local_id: str

    def __post_init__(self) -> None:
        check_id("user_id", self.user_id)
        check_id("organization_id", self.organization_id)
        check_id("local_id", self.local_id)
