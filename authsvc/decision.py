"""The decision: may this user enter this local, and if not, why. Pure.

The conditions are checked in the order of `Reason`; the first that fails is the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from authsvc.model import Status

__all__ = [
    "Reason",
    "AccessFacts",
    "Verdict",
    "decide",
    "Finding",
    "explain",
    "PermissionFacts",
    "effective_permissions",
]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """`reason` is given when it does not hold."""

    name: str
    reason: Reason
    holds: Callable[[AccessFacts], bool]


# In the order they are checked.
CONDITIONS = (
    _Condition(
        name="user exists",
        reason=Reason.UNKNOWN_USER,
        holds=lambda facts: facts.user_status is not None,
    ),
    _Condition(
        name="user is active",
        reason=Reason.USER_INACTIVE,
        holds=lambda facts: facts.user_status is Status.ACTIVE,
    ),
    _Condition(
        name="organization exists",
        reason=Reason.UNKNOWN_ORGANIZATION,
        holds=lambda facts: facts.organization_status is not None,
    ),
    _Condition(
        name="organization is active",
        reason=Reason.ORGANIZATION_INACTIVE,
        holds=lambda facts: facts.organization_status is Status.ACTIVE,
    ),
    _Condition(
        name="user belongs to it",
        reason=Reason.WRONG_ORGANIZATION,
        holds=lambda facts: facts.is_member,
    ),
    _Condition(
        name="local exists in it",
        reason=Reason.UNKNOWN_LOCAL,
        holds=lambda facts: facts.local_status is not None,
    ),
    _Condition(
        name="local is active",
        reason=Reason.LOCAL_INACTIVE,
        holds=lambda facts: facts.local_status is Status.ACTIVE,
    ),
    _Condition(
        name="user is assigned to it",
        reason=Reason.NOT_ASSIGNED,
        holds=lambda facts: facts.is_assigned,
    ),
)


def decide(facts: AccessFacts) -> Verdict:
    """A yes needs every condition to hold."""
    for condition in CONDITIONS:
        if not condition.holds(facts):
            return Verdict(reason=condition.reason)
    return Verdict(reason=Reason.ALLOWED, local_name=facts.local_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One condition: whether it holds, and the reason it gives when it does not."""

    condition: str
    reason: Reason
    holds: bool


def explain(facts: AccessFacts) -> tuple[Finding, ...]:
    """Every condition in the order `decide` checks them; the first that fails decides."""
    return tuple(
        Finding(condition=c.name, reason=c.reason, holds=c.holds(facts)) for c in CONDITIONS
    )


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
