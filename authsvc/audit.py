"""What the audit log says of one event: who did what to whom, what it was before and after. Pure.

An entry never holds a secret: no password, token, key or hash of one. Failures name what was tried
by ids only, as far as they are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "ActorKind",
    "Actor",
    "AuditEntry",
    "AuditRow",
    "AuditFilter",
    "STRANGER",
    "SYSTEM",
    "OPERATOR",
]


class ActorKind(StrEnum):
    USER = "user"  # who showed a good token or password
    SERVICE = "service"  # a program that showed a service credential
    OPERATOR = "operator"  # who works on the database itself
    SYSTEM = "system"  # Auth, of its own accord
    STRANGER = "stranger"  # nobody we know


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """`id` is a user's id or a service's name; empty for the others."""

    kind: ActorKind
    id: str = ""


STRANGER = Actor(kind=ActorKind.STRANGER)
SYSTEM = Actor(kind=ActorKind.SYSTEM)
OPERATOR = Actor(kind=ActorKind.OPERATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`action` is "noun.verb", `target` is "kind:id"; no organization: nobody's in particular.

    `before` and `after` are flat JSON objects; None where there was or is nothing.
    """

    actor: Actor
    action: str
    organization_id: str | None
    target: str
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry as it stands in the log. `written_at` is in whole seconds since 1970."""

    id: int
    written_at: int
    entry: AuditEntry
    revision: int | None
    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """`since` and `until` are in seconds since 1970; the second is not within."""

    organization_id: str | None = None
    actor_id: str | None = None
    action: str | None = None
    since: int | None = None
    until: int | None = None
