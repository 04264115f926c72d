"""What a decision is made from, one frozen record for each user, organization and local. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from authsvc.changes import ChangePage

__all__ = ["UserRecord", "OrganizationRecord", "LocalRecord", "AccessPage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord:
    """`locals` are those assigned; `permissions` the sorted union over the roles, active or not.

    `sessions` are the ids of those that live; a token that was issued before `tokens_valid_from`,
    in seconds since 1970, is worth nothing.
    """

    organization_id: str
    is_active: bool
    locals: frozenset[str]
    permissions: tuple[str, ...]
    sessions: frozenset[str] = frozenset()
    tokens_valid_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRecord:
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRecord:
    organization_id: str
    name: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPage:
    """Records and the changes before them, all as of one moment: that of `feed.revision`.

    Each mapping has exactly the ids that were asked for, None for what does not exist; and the
    organizations of the users that were asked for.
    """

    feed: ChangePage
    users: Mapping[str, UserRecord | None]
    organizations: Mapping[str, OrganizationRecord | None]
    locals: Mapping[str, LocalRecord | None]
