"""The decision: may this user enter this local, and if not, why. Pure.

The conditions are checked in the order of `Reason`; the first that fails is the reason.
"""

from dataclasses import dataclass
from enum import StrEnum

from authsvc.model import Status

__all__ = ["Reason", "AccessFacts", "Verdict", "decide", "PermissionFacts", "effective_permissions"]


class Reason(StrEnum):
    """Why; `ALLOWED` is the only yes."""

    UNKNOWN_USER = "UNKNOWN_USER"
    USER_INACTIVE = "USER_INACTIVE"
    UNKNOWN_ORGANIZATION = "UNKNOWN_ORGANIZATION"
    ORGANIZATION_INACTIVE = "ORGANIZATION_INACTIVE"
    WRONG_ORGANIZATION = "WRONG_ORGANIZATION"
    UNKNOWN_LOCAL = "UNKNOWN_LOCAL"
    LOCAL_INACTIVE = "LOCAL_INACTIVE"
    NOT_ASSIGNED = "NOT_ASSIGNED"
    ALLOWED = "ALLOWED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFacts:
    """What the store knows about one question. A status of None: there is no such thing.

    `local_status` and `local_name` speak of the local within the organization asked about.
    """

    user_status: Status | None
    organization_status: Status | None
    is_member: bool
    local_status: Status | None
    local_name: str
    is_assigned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`local_name` is filled only on a yes: a denial leaks no names."""

    reason: Reason
    local_name: str = ""

    @property
    def is_valid(self) -> bool:
        return self.reason is Reason.ALLOWED


def decide(facts: AccessFacts) -> Verdict:
    """A yes needs every condition to hold; anything unknown or not plainly active is a no."""
    reason = _first_failure(facts)
    return Verdict(reason=reason, local_name=facts.local_name if reason is Reason.ALLOWED else "")


def _first_failure(facts: AccessFacts) -> Reason:
    if facts.user_status is None:
        return Reason.UNKNOWN_USER
    if facts.user_status is not Status.ACTIVE:
        return Reason.USER_INACTIVE
    if facts.organization_status is None:
        return Reason.UNKNOWN_ORGANIZATION
    if facts.organization_status is not Status.ACTIVE:
        return Reason.ORGANIZATION_INACTIVE
    if not facts.is_member:
        return Reason.WRONG_ORGANIZATION
    if facts.local_status is None:
        return Reason.UNKNOWN_LOCAL
    if facts.local_status is not Status.ACTIVE:
        return Reason.LOCAL_INACTIVE
    if not facts.is_assigned:
        return Reason.NOT_ASSIGNED
    return Reason.ALLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionFacts:
    """What the store knows about one user's permissions: the union over the roles."""

    organization_id: str
    user_status: Status
    organization_status: Status
    role_permissions: frozenset[str]


def effective_permissions(facts: PermissionFacts) -> tuple[str, ...]:
    """Sorted; empty for an inactive user or organization."""
    if facts.user_status is not Status.ACTIVE or facts.organization_status is not Status.ACTIVE:
        return ()
    return tuple(sorted(facts.role_permissions))
