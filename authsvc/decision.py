"""The decision: may this user enter this local, and if not, why. Pure.

The conditions are checked in the order of `Reason`; the first that fails is the reason. They stand
here twice: `decide` reads like the rule, `decide_row` is as quick as Python can be about it, and a
law holds them equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord
from authsvc.model import Status

__all__ = [
    "Reason",
    "AccessFacts",
    "Verdict",
    "decide",
    "decide_row",
    "facts_of",
    "Finding",
    "explain",
    "current_permissions",
    "are_active",
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


# To Python 3.11 the member's full name costs as much as three of the conditions.
ALLOWED = Reason.ALLOWED


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


def decide_row(
    user: UserRecord | None,
    organization: OrganizationRecord | None,
    local: LocalRecord | None,
    organization_id: str,
    local_id: str,
) -> Reason:
    """`decide` of the `facts_of` these, for one row of many."""
    if user is None:
        return Reason.UNKNOWN_USER
    if not user.is_active:
        return Reason.USER_INACTIVE
    if organization is None:
        return Reason.UNKNOWN_ORGANIZATION
    if not organization.is_active:
        return Reason.ORGANIZATION_INACTIVE
    if user.organization_id != organization_id:
        return Reason.WRONG_ORGANIZATION
    if local is None or local.organization_id != organization_id:
        return Reason.UNKNOWN_LOCAL
    if not local.is_active:
        return Reason.LOCAL_INACTIVE
    if local_id not in user.locals:
        return Reason.NOT_ASSIGNED
    return ALLOWED


def facts_of(
    user: UserRecord | None,
    organization: OrganizationRecord | None,
    local: LocalRecord | None,
    organization_id: str,
    local_id: str,
) -> AccessFacts:
    if local is not None and local.organization_id != organization_id:
        local = None
    return AccessFacts(
        user_status=_status(user),
        organization_status=_status(organization),
        is_member=user is not None and user.organization_id == organization_id,
        local_status=_status(local),
        local_name="" if local is None else local.name,
        is_assigned=user is not None and local is not None and local_id in user.locals,
    )


def _status(record: UserRecord | OrganizationRecord | LocalRecord | None) -> Status | None:
    if record is None:
        return None
    return Status.ACTIVE if record.is_active else Status.INACTIVE


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


def are_active(user: UserRecord, organization: OrganizationRecord | None) -> bool:
    return user.is_active and organization is not None and organization.is_active


def current_permissions(
    user: UserRecord, organization: OrganizationRecord | None
) -> tuple[str, ...]:
    """Sorted; empty for an inactive user or organization."""
    return user.permissions if are_active(user, organization) else ()
