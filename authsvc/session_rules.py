"""When a session is over, and what tokens of it are worth. Pure.

Times are whole seconds since 1970.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from hmac import compare_digest

from authsvc.access import UserRecord
from authsvc.tokens import Claims

__all__ = [
    "Session",
    "SessionRules",
    "Refresh",
    "judge_refresh",
    "end_of",
    "surplus",
    "is_ended",
    "is_revoked",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One that lives until `expires_at`, which moves on with each refresh."""

    id: str
    user_id: str
    organization_id: str
    refresh_hash: str = field(repr=False)
    created_at: int
    refreshed_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """`per_user_max` sessions of one user live at a time."""

    ttl_s: int
    idle_s: int
    per_user_max: int = 20


class Refresh(Enum):
    ROTATE = auto()
    OVER = auto()
    REUSED = auto()


def judge_refresh(session: Session, generation_hash: str, *, now: float) -> Refresh:
    """What becomes of a session whose family the token belongs to.

    A generation that is not the current one was used before, by its owner or by a thief, and we
    cannot tell who comes now. There is no grace: of two who refresh at once the second ends it.
    """
    if not compare_digest(session.refresh_hash, generation_hash):
        return Refresh.REUSED
    return Refresh.OVER if now >= session.expires_at else Refresh.ROTATE


def end_of(rules: SessionRules, *, created_at: int, refreshed_at: int) -> int:
    return min(created_at + rules.ttl_s, refreshed_at + rules.idle_s)


def surplus(sessions: Sequence[Session], rules: SessionRules) -> tuple[str, ...]:
    """Ids of those that must end to make room for one more: the oldest."""
    oldest_first = sorted(sessions, key=lambda session: (session.created_at, session.id))
    count = max(0, len(sessions) + 1 - rules.per_user_max)
    return tuple(session.id for session in oldest_first[:count])


def is_ended(claims: Claims, user: UserRecord) -> bool:
    """Whether the token belongs to a session that is not among the user's."""
    return claims.session_id is not None and claims.session_id not in user.sessions


def is_revoked(claims: Claims, user: UserRecord) -> bool:
    """Whether the token is from before the user was made inactive or the password changed."""
    return claims.issued_at < user.tokens_valid_from
